//===- RecognizeRMSNorm.cpp - RMSNorm from its parts ----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Matches x / sqrt(mean(x^2) + epsilon) over the last dimension, and takes in a
// multiplication by a scale that follows. Exporters write the square as a power
// or a product, and the division as such, as a product with a reciprocal, or
// with a power of -0.5. Models in half precision compute all but the scale in
// f32 between two casts, which is what ONNX's op does by itself.
//
//===----------------------------------------------------------------------===//

#include "NormParts.h"
#include "lowbit/Dialect/Onnx/Transforms/Passes.h"
#include "lowbit/Dialect/Onnx/Transforms/Patterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lowbit::onnx {
#define GEN_PASS_DEF_RECOGNIZERMSNORMPASS
#include "lowbit/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lowbit::onnx

using namespace mlir;
using namespace lowbit::onnx;

namespace {
template <typename OpTy>
struct RecognizeRMSNorm final : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy root,
                                PatternRewriter &rewriter) const override {
    std::optional<RootMeanSquare> match = matchRootMeanSquare(root);
    if (!match)
      return rewriter.notifyMatchFailure(root, "no x / sqrt(mean + epsilon)");
    if (matchSquare(match->square) != match->x)
      return rewriter.notifyMatchFailure(
          root, "not the mean square of what is divided");
    NormParts parts = collectNormParts(root, match->x);
    absorbScale(parts);
    rewriter.setInsertionPoint(parts.last);
    if (failed(addMissingScale(parts, rewriter)))
      return rewriter.notifyMatchFailure(
          root, "the last dimension is not known, so neither is the scale");
    auto norm = RMSNormalizationOp::create(
        rewriter, root.getLoc(), parts.last->getResult(0).getType(), parts.x,
        parts.scale, rewriter.getI64IntegerAttr(-1),
        rewriter.getF32FloatAttr(static_cast<float>(match->epsilon)),
        rewriter.getI64IntegerAttr(1));
    rewriter.replaceOp(parts.last, norm.getY());
    return success();
  }
};

struct RecognizeRMSNormPass final
    : lowbit::onnx::impl::RecognizeRMSNormPassBase<RecognizeRMSNormPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateRecognizeRMSNormPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation()->emitError("recognition of RMSNorm does not end");
      signalPassFailure();
    }
  }
};
} // namespace

void lowbit::onnx::populateRecognizeRMSNormPatterns(
    RewritePatternSet &patterns) {
  patterns.add<RecognizeRMSNorm<DivOp>, RecognizeRMSNorm<MulOp>>(
      patterns.getContext());
}
