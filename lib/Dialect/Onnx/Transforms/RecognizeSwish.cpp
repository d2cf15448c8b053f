//===- RecognizeSwish.cpp - SiLU from its parts ---------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Matches x * sigmoid(a * x), as torch writes SiLU (a = 1) and the fast GELU of
// CLIP (a = 1.702), and x / (1 + exp(-x)).
//
//===----------------------------------------------------------------------===//

#include "Matchers.h"
#include "lowbit/Dialect/Onnx/Transforms/Passes.h"
#include "lowbit/Dialect/Onnx/Transforms/Patterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lowbit::onnx {
#define GEN_PASS_DEF_RECOGNIZESWISHPASS
#include "lowbit/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lowbit::onnx

using namespace mlir;
using namespace lowbit::onnx;

/// `a` if `value` is sigmoid(a * x) and nothing else uses it.
static std::optional<double> matchSigmoidOf(Value value, Value x) {
  auto sigmoid = value.getDefiningOp<SigmoidOp>();
  if (!sigmoid || !value.hasOneUse())
    return std::nullopt;
  std::optional<Power> power = matchPower(sigmoid.getX(), x);
  return power && power->degree == 1 ? std::optional(power->scalar)
                                     : std::nullopt;
}

static void replaceBySwish(PatternRewriter &rewriter, Operation *root, Value x,
                           double alpha) {
  rewriter.replaceOpWithNewOp<SwishOp>(
      root, root->getResult(0).getType(), x,
      rewriter.getF32FloatAttr(static_cast<float>(alpha)));
}

namespace {
struct RecognizeMulSigmoid final : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp root,
                                PatternRewriter &rewriter) const override {
    for (auto [x, sigmoid] : {std::pair(root.getA(), root.getB()),
                              std::pair(root.getB(), root.getA())}) {
      std::optional<double> alpha = matchSigmoidOf(sigmoid, x);
      if (!alpha || x.getType() != root.getType())
        continue;
      replaceBySwish(rewriter, root, x, *alpha);
      return success();
    }
    return rewriter.notifyMatchFailure(root, "not x * sigmoid(a * x)");
  }
};

struct RecognizeDivExp final : OpRewritePattern<DivOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DivOp root,
                                PatternRewriter &rewriter) const override {
    Value x = root.getA();
    std::optional<WithScalar> sum = matchAddScalar(root.getB());
    auto exp = sum ? sum->other.getDefiningOp<ExpOp>() : ExpOp();
    auto neg = exp ? exp.getInput().getDefiningOp<NegOp>() : NegOp();
    if (!neg || neg.getX() != x || sum->scalar != 1 ||
        !root.getB().hasOneUse() || !sum->other.hasOneUse() ||
        x.getType() != root.getType())
      return rewriter.notifyMatchFailure(root, "not x / (1 + exp(-x))");
    replaceBySwish(rewriter, root, x, 1);
    return success();
  }
};

struct RecognizeSwishPass final
    : lowbit::onnx::impl::RecognizeSwishPassBase<RecognizeSwishPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateRecognizeSwishPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation()->emitError("recognition of SiLU does not end");
      signalPassFailure();
    }
  }
};
} // namespace

void lowbit::onnx::populateRecognizeSwishPatterns(RewritePatternSet &patterns) {
  patterns.add<RecognizeMulSigmoid, RecognizeDivExp>(patterns.getContext());
}
