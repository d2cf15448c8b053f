//===- RecognizeGelu.cpp - GELU from its parts ----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Matches x * 0.5 * (1 + erf(x / sqrt(2))) and its approximation
// x * 0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))), with the factors
// in any order and grouping and the constants multiplied out or not.
//
// The sum that is the last factor may be scaled as well: x * (0.5 * erf(...) +
// 0.5). Nothing else may use the parts, or they would be computed twice.
//
//===----------------------------------------------------------------------===//

#include "Matchers.h"
#include "lowbit/Dialect/Onnx/Transforms/Passes.h"
#include "lowbit/Dialect/Onnx/Transforms/Patterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lowbit::onnx {
#define GEN_PASS_DEF_RECOGNIZEGELUPASS
#include "lowbit/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lowbit::onnx

using namespace mlir;
using namespace lowbit::onnx;

/// Whether `value` is erf(x / sqrt(2)).
static bool isErfOf(Value value, Value x) {
  auto erf = value.getDefiningOp<ErfOp>();
  if (!erf)
    return false;
  std::optional<Power> power = matchPower(erf.getInput(), x);
  return power && power->degree == 1 && isClose(power->scalar, M_SQRT1_2);
}

/// Whether `value` is tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)).
static bool isTanhOf(Value value, Value x) {
  auto tanh = value.getDefiningOp<TanhOp>();
  if (!tanh)
    return false;
  // The sum may have been multiplied by x: x * (1 + 0.044715 * x^2).
  Factors factors = collectFactors(tanh.getInput());
  AddOp sum;
  int degree = 0;
  for (Value factor : factors.values) {
    if (factor == x)
      ++degree;
    else if (auto add = factor.getDefiningOp<AddOp>(); add && !sum)
      sum = add;
    else
      return false;
  }
  if (!sum || degree > 1)
    return false;
  double linear = 0, cubic = 0;
  for (Value term : {sum.getA(), sum.getB()}) {
    Power power = {0, 0};
    if (std::optional<double> scalar = getScalar(term))
      power.scalar = *scalar;
    else if (std::optional<Power> match = matchPower(term, x))
      power = *match;
    else
      return false;
    double scalar = power.scalar * factors.scalar;
    if (power.degree + degree == 1)
      linear += scalar;
    else if (power.degree + degree == 3)
      cubic += scalar;
    else
      return false;
  }
  double root = std::sqrt(2 / M_PI);
  return isClose(linear, root) && isClose(cubic, root * 0.044715);
}

namespace {
struct RecognizeGelu final : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp root,
                                PatternRewriter &rewriter) const override {
    Factors factors = collectFactors(root.getC());
    if (factors.values.size() != 2)
      return rewriter.notifyMatchFailure(root, "not a product of two values");
    for (int i = 0; i < 2; ++i) {
      Value x = factors.values[i], sum = factors.values[1 - i];
      std::optional<WithScalar> added = matchAddScalar(sum);
      if (!added || !sum.hasOneUse())
        continue;
      // The sum is a * f(x) + b, of which both parts must come to one half.
      double scalar = factors.scalar;
      Value inner = added->other;
      if (std::optional<WithScalar> scaled = matchMulScalar(inner)) {
        scalar *= scaled->scalar;
        inner = scaled->other;
      }
      if (!isClose(scalar, 0.5) ||
          !isClose(factors.scalar * added->scalar, 0.5))
        continue;
      if (isErfOf(inner, x))
        return replace(root, x, "none", rewriter);
      if (isTanhOf(inner, x))
        return replace(root, x, "tanh", rewriter);
    }
    return rewriter.notifyMatchFailure(root, "no x * (1 + f(x)) / 2");
  }

private:
  LogicalResult replace(MulOp root, Value x, StringRef approximate,
                        PatternRewriter &rewriter) const {
    if (x.getType() != root.getType())
      return rewriter.notifyMatchFailure(root, "types differ");
    rewriter.replaceOpWithNewOp<GeluOp>(root, root.getType(), x, approximate);
    return success();
  }
};

struct RecognizeGeluPass final
    : lowbit::onnx::impl::RecognizeGeluPassBase<RecognizeGeluPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateRecognizeGeluPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation()->emitError("recognition of GELU does not end");
      signalPassFailure();
    }
  }
};
} // namespace

void lowbit::onnx::populateRecognizeGeluPatterns(RewritePatternSet &patterns) {
  patterns.add<RecognizeGelu>(patterns.getContext());
}
