//===- OnnxLowering.h - the shape of a lowering pattern ---------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_ONNXTOLINALG_ONNXLOWERING_H
#define LOWBIT_LIB_CONVERSION_ONNXTOLINALG_ONNXLOWERING_H

#include "LoweringBuilder.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

namespace lowbit::onnx::lowering {

using LoweredResults = llvm::FailureOr<llvm::SmallVector<mlir::Value>>;

/// Checks that the values of the op are tensors of a known rank with elements
/// that machines compute with.
mlir::LogicalResult checkTypes(LoweringBuilder &b);

/// Lowers one op. `lower` gets the operands in their lowered form and returns
/// the results, or says through `LoweringBuilder::refuse` why it cannot; their
/// types may be more or less precise than those of the op.
template <typename OpTy>
class OnnxLowering : public mlir::OpConversionPattern<OpTy> {
public:
  using Adaptor = typename OpTy::Adaptor;

  OnnxLowering(const mlir::TypeConverter &typeConverter,
               mlir::MLIRContext *context, const SymbolicShapes &shapes)
      : mlir::OpConversionPattern<OpTy>(typeConverter, context),
        shapes(shapes) {}

  virtual LoweredResults lower(OpTy op, Adaptor adaptor,
                               LoweringBuilder &b) const = 0;

  mlir::LogicalResult
  matchAndRewrite(OpTy op, Adaptor adaptor,
                  mlir::ConversionPatternRewriter &rewriter) const final {
    LoweringBuilder b(op, adaptor.getOperands(), rewriter, shapes);
    if (failed(checkTypes(b)))
      return mlir::failure();
    LoweredResults results = lower(op, adaptor, b);
    if (failed(results))
      return mlir::failure();
    for (auto [value, result] : llvm::zip(*results, op->getResults())) {
      mlir::Type type = this->getTypeConverter()->convertType(result.getType());
      if (value && value.getType() != type)
        value = b.castTensor(value, type);
    }
    rewriter.replaceOp(op, *results);
    return mlir::success();
  }

private:
  const SymbolicShapes &shapes;
};

/// The patterns of one category. `shapes` must live as long as the patterns.
#define LOWBIT_DECLARE_POPULATE(CATEGORY)                                      \
  void populate##CATEGORY##Lowerings(mlir::RewritePatternSet &patterns,        \
                                     const mlir::TypeConverter &typeConverter, \
                                     const SymbolicShapes &shapes)

LOWBIT_DECLARE_POPULATE(Arithmetic);
LOWBIT_DECLARE_POPULATE(Activation);
LOWBIT_DECLARE_POPULATE(Comparison);
LOWBIT_DECLARE_POPULATE(Cast);
LOWBIT_DECLARE_POPULATE(Constant);
LOWBIT_DECLARE_POPULATE(Reduction);
LOWBIT_DECLARE_POPULATE(Softmax);
LOWBIT_DECLARE_POPULATE(Normalization);
LOWBIT_DECLARE_POPULATE(MatMul);
LOWBIT_DECLARE_POPULATE(Einsum);
LOWBIT_DECLARE_POPULATE(RotaryEmbedding);
LOWBIT_DECLARE_POPULATE(Reshape);
LOWBIT_DECLARE_POPULATE(DataMovement);
LOWBIT_DECLARE_POPULATE(Slice);
LOWBIT_DECLARE_POPULATE(Pad);
LOWBIT_DECLARE_POPULATE(Shape);
LOWBIT_DECLARE_POPULATE(Gather);
LOWBIT_DECLARE_POPULATE(Scatter);
LOWBIT_DECLARE_POPULATE(Generator);
LOWBIT_DECLARE_POPULATE(Search);
LOWBIT_DECLARE_POPULATE(Quantization);

#undef LOWBIT_DECLARE_POPULATE

/// With `keepAttention`, what a kernel computes becomes `lowbit.attention`.
void populateAttentionLowerings(mlir::RewritePatternSet &patterns,
                                const mlir::TypeConverter &typeConverter,
                                const SymbolicShapes &shapes,
                                bool keepAttention);

} // namespace lowbit::onnx::lowering

#endif // LOWBIT_LIB_CONVERSION_ONNXTOLINALG_ONNXLOWERING_H
