//===- RecognizeLayerNorm.cpp - LayerNorm from its parts ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Matches (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) over the last
// dimension, and takes in a multiplication by a scale and an addition of a bias
// that follow. Without a scale, ONNX's op gets one of ones.
//
//===----------------------------------------------------------------------===//

#include "NormParts.h"
#include "lowbit/Dialect/Onnx/Transforms/Passes.h"
#include "lowbit/Dialect/Onnx/Transforms/Patterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lowbit::onnx {
#define GEN_PASS_DEF_RECOGNIZELAYERNORMPASS
#include "lowbit/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lowbit::onnx

using namespace mlir;
using namespace lowbit::onnx;

/// x, if `value` is x - mean(x).
static Value matchCentered(Value value) {
  auto sub = value.getDefiningOp<SubOp>();
  return sub && matchMeanOfLast(sub.getB()) == sub.getA() ? sub.getA()
                                                          : Value();
}

namespace {
template <typename OpTy>
struct RecognizeLayerNorm final : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy root,
                                PatternRewriter &rewriter) const override {
    std::optional<RootMeanSquare> match = matchRootMeanSquare(root);
    if (!match)
      return rewriter.notifyMatchFailure(root, "no x / sqrt(mean + epsilon)");
    // The difference may have been written twice.
    Value x = matchCentered(match->x), centered = matchSquare(match->square);
    if (!x || !centered || matchCentered(centered) != x)
      return rewriter.notifyMatchFailure(root,
                                         "not the variance of what is divided");
    NormParts parts = collectNormParts(root, x);
    absorbScale(parts);
    absorbBias(parts);
    rewriter.setInsertionPoint(parts.last);
    if (failed(addMissingScale(parts, rewriter)))
      return rewriter.notifyMatchFailure(
          root, "the last dimension is not known, so neither is the scale");
    Location loc = root.getLoc();
    if (!parts.bias)
      parts.bias = NoValueOp::create(rewriter, loc);
    Type none = rewriter.getNoneType();
    auto norm = LayerNormalizationOp::create(
        rewriter, loc, parts.last->getResult(0).getType(), none, none, parts.x,
        parts.scale, parts.bias, rewriter.getI64IntegerAttr(-1),
        rewriter.getF32FloatAttr(static_cast<float>(match->epsilon)),
        rewriter.getI64IntegerAttr(1));
    rewriter.replaceOp(parts.last, norm.getY());
    return success();
  }
};

struct RecognizeLayerNormPass final
    : lowbit::onnx::impl::RecognizeLayerNormPassBase<RecognizeLayerNormPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateRecognizeLayerNormPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation()->emitError("recognition of LayerNorm does not end");
      signalPassFailure();
    }
  }
};
} // namespace

void lowbit::onnx::populateRecognizeLayerNormPatterns(
    RewritePatternSet &patterns) {
  patterns.add<RecognizeLayerNorm<DivOp>, RecognizeLayerNorm<MulOp>>(
      patterns.getContext());
}
