//===- SplitDynamicOutliers.cpp - outlier columns of activations apart
//------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Lowbit/Transforms/Passes.h"
#include <cmath>

namespace lowbit {
#define GEN_PASS_DEF_SPLITDYNAMICOUTLIERS
#include "lowbit/Dialect/Lowbit/Transforms/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
/// A tensor without the columns that hold outliers, these, and which they are.
struct SplitInput {
  Value rest, selected, columns;
};

struct SplitDynamicOutliersPass final
    : lowbit::impl::SplitDynamicOutliersBase<SplitDynamicOutliersPass> {
  using SplitDynamicOutliersBase::SplitDynamicOutliersBase;

  void runOnOperation() override {
    if (std::isnan(threshold) || threshold < 0) {
      emitError(UnknownLoc::get(&getContext()))
          << "split-dynamic-outliers: threshold is " << threshold
          << ", but must be 0 or more";
      return signalPassFailure();
    }
    // One tensor may be quantized in several ways.
    DenseMap<Value, SplitInput> inputs;
    getOperation()->walk([&](DynamicQuantizeOp op) {
      if (op->use_empty() || !llvm::all_of(op->getUses(), isMatmulInput))
        return;
      auto [it, isNew] = inputs.try_emplace(op.getInput());
      if (isNew)
        it->second = split(op.getInput());
      addProducts(op, it->second);
    });
  }

private:
  static bool isMatmulInput(OpOperand &use) {
    auto matmul = dyn_cast<MatmulOp>(use.getOwner());
    return matmul && &use == &matmul.getInputMutable();
  }

  /// Right after the definition, where it dominates all uses.
  SplitInput split(Value input) {
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(input);
    const Location loc = input.getLoc();
    auto type = cast<RankedTensorType>(input.getType());
    Value columns = FindOutliersOp::create(
        builder, loc,
        RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type()),
        input, builder.getF32FloatAttr(static_cast<float>(threshold)));
    SmallVector<int64_t> shape(type.getShape());
    shape.back() = ShapedType::kDynamic;
    auto apart = SplitColumnsOp::create(builder, loc, type, type.clone(shape),
                                        input, columns);
    ++numInputs;
    return {apart.getRest(), apart.getSelected(), columns};
  }

  void addProducts(DynamicQuantizeOp op, const SplitInput &input) {
    op.getInputMutable().assign(input.rest);
    for (Operation *user : llvm::make_early_inc_range(op->getUsers())) {
      auto matmul = cast<MatmulOp>(user);
      OpBuilder builder(matmul);
      builder.setInsertionPointAfter(matmul);
      auto sum =
          ColumnMatmulOp::create(builder, matmul.getLoc(), input.selected,
                                 input.columns, matmul.getWeight(), matmul);
      matmul->getResult(0).replaceAllUsesExcept(sum, sum);
      ++numMatmuls;
    }
  }
};
} // namespace
