//===- QuantizedOps.cpp - shapes of the lowbit dialect's operations -------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Quantized operations stand between ONNX's own in a graph. Without their
// shapes, what follows them would have to broadcast at run time.
//
//===----------------------------------------------------------------------===//

#include "Inference.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"

using namespace mlir;
using namespace lowbit;
using namespace lowbit::onnx;

namespace {
struct MatmulShapes final
    : ShapeInferenceOpInterface::ExternalModel<MatmulShapes, lowbit::MatmulOp> {
  LogicalResult inferShapes(Operation *op, SymbolicShapes &shapes) const {
    auto matmul = cast<lowbit::MatmulOp>(op);
    std::optional<ArrayRef<AffineExpr>> input =
        shapes.getDims(matmul.getInput());
    if (!input)
      return success();
    SymbolicShapes::Expressions dims(*input);
    dims.back() =
        shapes.getConstant(matmul.getWeight().getType().getShape().front());
    shapes.setDims(matmul.getResult(), dims);
    return success();
  }
};

struct GatherShapes final
    : ShapeInferenceOpInterface::ExternalModel<GatherShapes, lowbit::GatherOp> {
  LogicalResult inferShapes(Operation *op, SymbolicShapes &shapes) const {
    auto gather = cast<lowbit::GatherOp>(op);
    std::optional<ArrayRef<AffineExpr>> indices =
        shapes.getDims(gather.getIndices());
    if (!indices)
      return success();
    SymbolicShapes::Expressions dims(*indices);
    dims.push_back(
        shapes.getConstant(gather.getTable().getType().getShape().back()));
    shapes.setDims(gather.getResult(), dims);
    return success();
  }
};

/// The first result has the shape of an operand; others are not known.
template <typename OpTy, unsigned operand = 0>
struct SameShape final
    : ShapeInferenceOpInterface::ExternalModel<SameShape<OpTy, operand>, OpTy> {
  LogicalResult inferShapes(Operation *op, SymbolicShapes &shapes) const {
    if (std::optional<ArrayRef<AffineExpr>> dims =
            shapes.getDims(op->getOperand(operand)))
      shapes.setDims(op->getResult(0), SymbolicShapes::Expressions(*dims));
    return success();
  }
};

/// The dimensions of `type`, those that are not static as those of `like`.
static SymbolicShapes::Expressions getDimsLike(ArrayRef<AffineExpr> like,
                                               ShapedType type,
                                               SymbolicShapes &shapes) {
  SymbolicShapes::Expressions dims(like);
  for (auto [dim, size] : llvm::zip_equal(dims, type.getShape()))
    if (ShapedType::isStatic(size))
      dim = shapes.getConstant(size);
  return dims;
}

/// Of components and the tensor that they store, all dimensions that may be
/// dynamic are the same.
struct AssembleShapes final
    : ShapeInferenceOpInterface::ExternalModel<AssembleShapes,
                                               lowbit::AssembleOp> {
  LogicalResult inferShapes(Operation *op, SymbolicShapes &shapes) const {
    auto assemble = cast<lowbit::AssembleOp>(op);
    if (std::optional<ArrayRef<AffineExpr>> codes =
            shapes.getDims(assemble.getComponents().front()))
      shapes.setDims(assemble.getResult(),
                     getDimsLike(*codes, assemble.getType(), shapes));
    return success();
  }
};

struct DisassembleShapes final
    : ShapeInferenceOpInterface::ExternalModel<DisassembleShapes,
                                               lowbit::DisassembleOp> {
  LogicalResult inferShapes(Operation *op, SymbolicShapes &shapes) const {
    auto disassemble = cast<lowbit::DisassembleOp>(op);
    std::optional<ArrayRef<AffineExpr>> input =
        shapes.getDims(disassemble.getInput());
    if (!input)
      return success();
    // The map may move while it gets more.
    SymbolicShapes::Expressions dims(*input);
    for (Value component : disassemble.getComponents())
      shapes.setDims(
          component,
          getDimsLike(dims, cast<ShapedType>(component.getType()), shapes));
    return success();
  }
};
} // namespace

void lowbit::onnx::attachQuantizedOpShapes(MLIRContext &context) {
  lowbit::AssembleOp::attachInterface<AssembleShapes>(context);
  lowbit::DisassembleOp::attachInterface<DisassembleShapes>(context);
  lowbit::MatmulOp::attachInterface<MatmulShapes>(context);
  lowbit::GatherOp::attachInterface<GatherShapes>(context);
  lowbit::QuantizeOp::attachInterface<SameShape<lowbit::QuantizeOp>>(context);
  lowbit::DequantizeOp::attachInterface<SameShape<lowbit::DequantizeOp>>(
      context);
  lowbit::DynamicQuantizeOp::attachInterface<
      SameShape<lowbit::DynamicQuantizeOp>>(context);
  lowbit::StaticQuantizeOp::attachInterface<
      SameShape<lowbit::StaticQuantizeOp>>(context);
  lowbit::HadamardOp::attachInterface<SameShape<lowbit::HadamardOp>>(context);
  lowbit::SparseMatmulOp::attachInterface<
      SameShape<lowbit::SparseMatmulOp, /*operand=*/4>>(context);
  lowbit::WidenOp::attachInterface<SameShape<lowbit::WidenOp>>(context);
  lowbit::SplitColumnsOp::attachInterface<SameShape<lowbit::SplitColumnsOp>>(
      context);
  lowbit::ColumnMatmulOp::attachInterface<
      SameShape<lowbit::ColumnMatmulOp, /*operand=*/3>>(context);
}
