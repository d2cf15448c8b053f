//===- QVecToArm.cpp - qvec to NEON dot products --------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/QVec/Passes.h"
#include "lowbit/Dialect/QVec/IR/QVecOps.h"
#include "lowbit/Dialect/QVec/Transforms/DotPatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lowbit {
#define GEN_PASS_DEF_CONVERTQVECTOARM
#include "lowbit/Conversion/QVec/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {

constexpr int64_t neonLanes = 4;

struct DotToSdot final : OpRewritePattern<qvec::DotOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::DotOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getAcc().getType().getNumElements() != neonLanes ||
        op.getLhsMax() > 127)
      return rewriter.notifyMatchFailure(op, "needs splitting first");
    rewriter.replaceOpWithNewOp<arm_neon::SdotOp>(
        op, op.getType(), op.getAcc(), op.getLhs(), op.getRhs());
    return success();
  }
};

struct DotToUsdot final : OpRewritePattern<qvec::DotOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::DotOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getAcc().getType().getNumElements() != neonLanes ||
        op.getLhsMax() <= 127)
      return rewriter.notifyMatchFailure(op, "sdot serves it");
    rewriter.replaceOpWithNewOp<LLVM::CallIntrinsicOp>(
        op, op.getType(),
        rewriter.getStringAttr("llvm.aarch64.neon.usdot.v4i32.v16i8"),
        ValueRange{op.getAcc(), op.getLhs(), op.getRhs()});
    return success();
  }
};

struct ConvertQVecToArmPass
    : lowbit::impl::ConvertQVecToArmBase<ConvertQVecToArmPass> {
  using ConvertQVecToArmBase::ConvertQVecToArmBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    qvec::populateSplitDotLanesPatterns(patterns, neonLanes);
    if (i8mm)
      patterns.add<DotToUsdot>(&getContext());
    else
      qvec::populateSplitDotRangePatterns(patterns);
    patterns.add<DotToSdot>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation()->emitError("the conversion to NEON did not converge");
      signalPassFailure();
    }
  }
};

} // namespace
