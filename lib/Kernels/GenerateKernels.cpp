//===- GenerateKernels.cpp - calls of generated kernels -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Kernels/KernelGenerator.h"
#include "lowbit/Kernels/ParallelLoops.h"
#include "lowbit/Kernels/Passes.h"
#include "mlir/IR/Remarks.h"
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

/// A buffer of the same sizes without gaps.
static Value allocateLike(OpBuilder &builder, Location loc, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<Value> sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      sizes.push_back(memref::DimOp::create(builder, loc, buffer, dim));
  return memref::AllocOp::create(
      builder, loc, MemRefType::get(type.getShape(), type.getElementType()),
      sizes);
}

/// `buffer` in the type that kernels take.
static Value castToArgument(OpBuilder &builder, Location loc, Value buffer) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  if (!type || getArgumentType(type) == type)
    return buffer;
  return memref::CastOp::create(builder, loc, getArgumentType(type), buffer);
}

namespace {

/// Puts calls in the place of operations. Equal ones call the same kernel.
class KernelCalls {
public:
  KernelCalls(ModuleOp module) : symbols(module) {}

  /// A kernel depends on the types of the operands and on the properties of the
  /// operation.
  template <typename OpTy>
  LogicalResult replace(OpTy op, StringRef name,
                        function_ref<LogicalResult(func::FuncOp, OpTy)> build) {
    OpBuilder builder(op);
    Location loc = op.getLoc();
    SmallVector<Value> operands;
    SmallVector<std::pair<OpOperand *, Value>> copies;
    for (OpOperand &operand : op->getOpOperands()) {
      Value value = operand.get();
      auto type = dyn_cast<MemRefType>(value.getType());
      if (type && !hasUnitInnerStride(type)) {
        // A view whose columns are apart.
        value = allocateLike(builder, loc, operand.get());
        copies.push_back({&operand, value});
        if (!op.isDpsInit(&operand))
          memref::CopyOp::create(builder, loc, operand.get(), value);
      }
      operands.push_back(castToArgument(builder, loc, value));
    }
    auto type = builder.getFunctionType(ValueRange(operands).getTypes(), {});
    func::FuncOp &kernel = kernels[{
        op->getName(), {op->getPropertiesAsAttribute(), TypeAttr::get(type)}}];
    if (!kernel) {
      kernel = func::FuncOp::create(loc, name, type);
      kernel.setPrivate();
      symbols.insert(kernel);
      if (failed(build(kernel, op)))
        return failure();
    }
    func::CallOp::create(builder, loc, kernel, operands);
    for (auto [operand, copy] : copies) {
      if (op.isDpsInit(operand))
        memref::CopyOp::create(builder, loc, copy, operand->get());
      memref::DeallocOp::create(builder, loc, copy);
    }
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
    std::unique_ptr<KernelGenerator> generator = createCpuKernelGenerator(
        target, getOperation().getLoc(), parallel, strategy);
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
    if (parallel)
      declareThreading(getOperation());
    KernelCalls calls(getOperation());
    auto buildMatmul = [&](func::FuncOp kernel, PackedMatmulOp op) {
      return generator->buildMatmul(kernel, op);
    };
    for (PackedMatmulOp op : products) {
      if (remark::detail::InFlightRemark remark = remark::analysis(
              op.getLoc(), remark::RemarkOpts::name("matmul-strategy")
                               .category("lowbit-kernels")))
        remark << generator->describeMatmul(op);
      if (failed(
              calls.replace<PackedMatmulOp>(op, "lowbit_matmul", buildMatmul)))
        return signalPassFailure();
    }
    auto buildAttention = [&](func::FuncOp kernel, AttentionOp op) {
      generator->buildAttention(kernel, op);
      return success();
    };
    for (AttentionOp op : attentions)
      if (failed(calls.replace<AttentionOp>(op, "lowbit_attention",
                                            buildAttention)))
        return signalPassFailure();
    numKernels += calls.size();
  }
};

} // namespace
