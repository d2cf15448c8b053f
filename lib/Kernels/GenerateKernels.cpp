//===- GenerateKernels.cpp - calls of generated kernels -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Kernels/KernelGenerator.h"
#include "lowbit/Kernels/Passes.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"

namespace lowbit {
#define GEN_PASS_DEF_LOWBITGENERATEKERNELS
#include "lowbit/Kernels/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

/// Kernels read rows with unit stride at any offset and distance; what is
/// contiguous as a whole (weights) stays so.
static MemRefType getArgumentType(MemRefType type) {
  if (!ShapedType::isDynamicShape(type.getShape()))
    return type;
  SmallVector<int64_t> strides(type.getRank(), ShapedType::kDynamic);
  strides.back() = 1;
  return MemRefType::get(
      type.getShape(), type.getElementType(),
      StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, strides));
}

static bool hasUnitInnerStride(MemRefType type) {
  int64_t offset;
  SmallVector<int64_t> strides;
  return succeeded(type.getStridesAndOffset(strides, offset)) &&
         strides.back() == 1;
}

/// `operand` as the kernel takes it. Bufferization may have made a view whose
/// columns are apart; kernels want a copy of that.
static FailureOr<Value> adaptOperand(OpBuilder &builder, Operation *op,
                                     Value operand) {
  auto type = dyn_cast<MemRefType>(operand.getType());
  if (!type)
    return operand;
  if (!hasUnitInnerStride(type)) {
    op->emitError("a kernel's operand must have unit stride, got ") << type;
    return failure();
  }
  MemRefType argument = getArgumentType(type);
  if (argument == type)
    return operand;
  return Value(
      memref::CastOp::create(builder, op->getLoc(), argument, operand));
}

namespace {

/// Puts calls in the place of operations. Equal ones call the same kernel.
class KernelCalls {
public:
  KernelCalls(ModuleOp module) : symbols(module) {}

  /// `attributes` is what the kernel depends on besides the types of the
  /// operands.
  template <typename OpTy>
  LogicalResult replace(OpTy op, StringRef name, Attribute attributes,
                        function_ref<void(func::FuncOp, OpTy)> build) {
    OpBuilder builder(op);
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      FailureOr<Value> adapted = adaptOperand(builder, op, operand);
      if (failed(adapted))
        return failure();
      operands.push_back(*adapted);
    }
    auto type = builder.getFunctionType(ValueRange(operands).getTypes(), {});
    func::FuncOp &kernel =
        kernels[{op->getName(), {attributes, TypeAttr::get(type)}}];
    if (!kernel) {
      kernel = func::FuncOp::create(op.getLoc(), name, type);
      kernel.setPrivate();
      symbols.insert(kernel);
      build(kernel, op);
    }
    func::CallOp::create(builder, op.getLoc(), kernel, operands);
    op.erase();
    return success();
  }

  unsigned size() const { return kernels.size(); }

private:
  SymbolTable symbols;
  using Key = std::pair<OperationName, std::pair<Attribute, Attribute>>;
  llvm::MapVector<Key, func::FuncOp> kernels;
};

struct LowbitGenerateKernelsPass
    : lowbit::impl::LowbitGenerateKernelsBase<LowbitGenerateKernelsPass> {
  using LowbitGenerateKernelsBase::LowbitGenerateKernelsBase;

  void runOnOperation() override {
    std::unique_ptr<KernelGenerator> generator =
        createCpuKernelGenerator(target, getOperation().getLoc(), parallel);
    if (!generator)
      return signalPassFailure();
    SmallVector<PackedMatmulOp> products;
    SmallVector<AttentionOp> attentions;
    getOperation().walk([&](Operation *op) {
      if (auto product = dyn_cast<PackedMatmulOp>(op);
          product && product.getWeightType().getLayout())
        products.push_back(product);
      if (auto attention = dyn_cast<AttentionOp>(op);
          attention && isa<MemRefType>(attention.getInit().getType()))
        attentions.push_back(attention);
    });
    KernelCalls calls(getOperation());
    for (PackedMatmulOp op : products)
      if (failed(calls.replace<PackedMatmulOp>(
              op, "lowbit_matmul", op->getPropertiesAsAttribute(),
              [&](func::FuncOp kernel, PackedMatmulOp op) {
                generator->buildMatmul(kernel, op);
              })))
        return signalPassFailure();
    for (AttentionOp op : attentions)
      if (failed(calls.replace<AttentionOp>(
              op, "lowbit_attention", op->getPropertiesAsAttribute(),
              [&](func::FuncOp kernel, AttentionOp op) {
                generator->buildAttention(kernel, op);
              })))
        return signalPassFailure();
    numKernels += calls.size();
  }
};

} // namespace
