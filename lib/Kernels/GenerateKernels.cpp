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
  if (!ShapedType::isDynamicShape(type.getShape()) || type.getRank() != 2)
    return type;
  SmallVector<int64_t> strides(type.getRank(), ShapedType::kDynamic);
  strides.back() = 1;
  return MemRefType::get(type.getShape(), type.getElementType(),
                         StridedLayoutAttr::get(type.getContext(),
                                                ShapedType::kDynamic, strides));
}

static bool hasUnitInnerStride(MemRefType type) {
  int64_t offset;
  SmallVector<int64_t> strides;
  return succeeded(type.getStridesAndOffset(strides, offset)) &&
         strides.back() == 1;
}

/// `operand` as the kernel takes it. Bufferization may have made a view whose
/// columns are apart; kernels want a copy of that.
static FailureOr<Value> adaptOperand(OpBuilder &builder, PackedMatmulOp op,
                                     Value operand) {
  auto type = cast<MemRefType>(operand.getType());
  if (!hasUnitInnerStride(type)) {
    op.emitError("a kernel's operand must have unit stride, got ") << type;
    return failure();
  }
  MemRefType argument = getArgumentType(type);
  if (argument == type)
    return operand;
  return Value(memref::CastOp::create(builder, op.getLoc(), argument, operand));
}

namespace {

struct LowbitGenerateKernelsPass
    : lowbit::impl::LowbitGenerateKernelsBase<LowbitGenerateKernelsPass> {
  using LowbitGenerateKernelsBase::LowbitGenerateKernelsBase;

  void runOnOperation() override {
    std::unique_ptr<KernelGenerator> generator =
        createCpuKernelGenerator(target, getOperation().getLoc());
    if (!generator)
      return signalPassFailure();
    SmallVector<PackedMatmulOp> ops;
    getOperation().walk([&](PackedMatmulOp op) {
      if (op.getWeightType().getLayout())
        ops.push_back(op);
    });
    SymbolTable symbols(getOperation());
    // All that a kernel depends on: the types of what it reads and writes.
    using Key = std::pair<std::pair<Type, Type>, Type>;
    DenseMap<Key, func::FuncOp> kernels;
    for (PackedMatmulOp op : ops) {
      OpBuilder builder(op);
      SmallVector<Value> operands;
      for (Value operand : op->getOperands()) {
        FailureOr<Value> adapted = adaptOperand(builder, op, operand);
        if (failed(adapted))
          return signalPassFailure();
        operands.push_back(*adapted);
      }
      auto type = builder.getFunctionType(ValueRange(operands).getTypes(), {});
      Type inputType = op.getInputType() ? Type(*op.getInputType()) : Type();
      func::FuncOp &kernel =
          kernels[{{inputType, op.getWeightType()},
                   type}];
      if (!kernel) {
        kernel = func::FuncOp::create(op.getLoc(), "lowbit_matmul", type);
        kernel.setPrivate();
        symbols.insert(kernel);
        generator->buildMatmul(kernel, op);
        ++numKernels;
      }
      func::CallOp::create(builder, op.getLoc(), kernel, operands);
      op.erase();
    }
  }
};

} // namespace
