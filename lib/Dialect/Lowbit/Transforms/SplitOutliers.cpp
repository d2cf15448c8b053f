//===- SplitOutliers.cpp - dense and sparse products apart
//------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Lowbit/Transforms/Passes.h"

namespace lowbit {
#define GEN_PASS_DEF_LOWBITSPLITOUTLIERS
#include "lowbit/Dialect/Lowbit/Transforms/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
/// A weight in two parts.
struct SplitWeight {
  Value dense;
  /// Row offsets, columns and values.
  SmallVector<Value, 3> sparse;
};

struct LowbitSplitOutliersPass final
    : lowbit::impl::LowbitSplitOutliersBase<LowbitSplitOutliersPass> {
  using LowbitSplitOutliersBase::LowbitSplitOutliersBase;

  void runOnOperation() override {
    // A weight that several matmuls share is split once.
    llvm::MapVector<Value, SplitWeight> weights;
    WalkResult result = getOperation()->walk([&](MatmulOp op) {
      QuantTensorType type = op.getWeight().getType();
      if (type.getLayout() || !type.getFormat().getDenseFormat())
        return WalkResult::advance();
      auto [it, isNew] = weights.try_emplace(op.getWeight());
      if (isNew) {
        FailureOr<SplitWeight> weight = split(op.getWeight());
        if (failed(weight))
          return WalkResult::interrupt();
        it->second = std::move(*weight);
      }
      replace(op, it->second);
      ++numSplit;
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    for (auto &[weight, parts] : weights)
      if (Operation *constant = weight.getDefiningOp<ConstantOp>();
          constant && weight.use_empty())
        constant->erase();
  }

private:
  /// The parts, right behind the weight.
  static FailureOr<SplitWeight> split(Value weight) {
    auto type = cast<QuantTensorType>(weight.getType());
    auto denseType =
        QuantTensorType::get(type.getShape(), type.getElementType(),
                             type.getFormat().getDenseFormat());
    const size_t numDense = denseType.getComponents().size();
    const Location loc = weight.getLoc();
    OpBuilder builder(weight.getContext());
    builder.setInsertionPointAfterValue(weight);
    SplitWeight parts;
    if (auto constant = weight.getDefiningOp<ConstantOp>()) {
      // Code that runs does not check indices.
      if (failed(constant.verifyContents()))
        return failure();
      SmallVector<TypedAttr> values = constant.getComponentValues();
      ArrayRef<TypedAttr> all = values;
      parts.dense =
          ConstantOp::create(builder, loc, denseType, all.take_front(numDense));
      for (TypedAttr value : all.drop_front(numDense))
        parts.sparse.push_back(WeightOp::create(builder, loc, value));
      return parts;
    }
    auto components = DisassembleOp::create(builder, loc, weight);
    ValueRange all = components.getResults();
    parts.dense =
        AssembleOp::create(builder, loc, denseType, all.take_front(numDense));
    llvm::append_range(parts.sparse, all.drop_front(numDense));
    return parts;
  }

  static void replace(MatmulOp op, const SplitWeight &weight) {
    OpBuilder builder(op);
    Value result =
        MatmulOp::create(builder, op.getLoc(), op.getType(), op.getInput(),
                         weight.dense, op.getBias(), op.getTuningsAttr());
    Value values = weight.sparse.back();
    if (cast<RankedTensorType>(values.getType()).getNumElements() != 0) {
      Value input = op.getInput();
      if (auto quantized = dyn_cast<TypedValue<QuantTensorType>>(op.getInput()))
        input = DequantizeOp::create(builder, op.getLoc(), quantized);
      result =
          SparseMatmulOp::create(builder, op.getLoc(), input, weight.sparse[0],
                                 weight.sparse[1], values, result);
    }
    op.replaceAllUsesWith(result);
    op.erase();
  }
};
} // namespace
