//===- SpqrTest.cpp - Error feedback, with outliers apart -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Spqr.h"
#include "FeedbackTestUtils.h"
#include "lowbit/Quantize/CodebookFormat.h"
#include <limits>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Groups of 16, whose scales and zero points have groups of 16 rows.
UniformFormat makeBilevel(unsigned bits = 3) {
  UniformFormat::Spec second;
  second.bits = 3;
  second.zero = ZeroKind::F16;
  second.groupRows = 16;
  second.groupCols = 1;
  const auto stored =
      std::make_shared<UniformFormat>(unwrap(UniformFormat::get(second)));
  UniformFormat::Spec spec;
  spec.bits = bits;
  spec.groupCols = 16;
  spec.scales = ScaleStorage(stored);
  spec.zero = ZeroKind::Format;
  spec.zeroFormat = stored;
  return unwrap(UniformFormat::get(spec));
}

template <typename FormatT>
SparseOutliersFormat addOutliers(const FormatT &dense,
                                 ElementType type = ElementType::F32) {
  return unwrap(SparseOutliersFormat::get(
      {std::make_shared<FormatT>(dense), /*count=*/0, type}));
}

int64_t getCount(const QuantizedMatrix &matrix) {
  return matrix.getComponent("outlier_values")->spec.shape.front();
}

Matrix decodeInOrder(const SparseOutliersFormat &format,
                     const SolverResult &result) {
  return restoreOrder(
      decode(*format.withOutliers(getCount(result.matrix)), result.matrix),
      result.columnOrder);
}

TEST(Spqr, AgreesWithTheReference) {
  const Matrix weights = readReference("weight");
  const Hessian hessian = makeHessianOf(readReference("inputs"));
  const SparseOutliersFormat format = addOutliers(makeBilevel());
  auto check = [&](llvm::StringRef name, SpqrOptions options, double damping) {
    const GptqFactor factor = factorize(hessian, damping, options.actOrder);
    for (int64_t block : {128, 16, 5}) {
      options.blockSize = block;
      GptqResult result =
          unwrap(spqr(format, weights, factor, minMax, options));
      EXPECT_GE(
          countEqualRows(decodeInOrder(format, result), readReference(name)),
          weights.rows - 1)
          << name.str() << " block " << block;
    }
  };
  SpqrOptions options;
  check("spqr", options, 1);
  options.actOrder = true;
  check("spqr-act-order", options, 1);
  options.actOrder = false;
  options.threshold = infinity;
  check("spqr-none", options, 1);
  options.threshold = 0.5;
  options.simplified = true;
  check("spqr-simplified", options, 0.01);
}

TEST(Spqr, WithoutOutliersIsGptq) {
  const Matrix weights = Random(3).matrix(37, 60);
  const Hessian hessian = makeHessianOf(makeInputs(60, 5));
  const UniformFormat dense = makeBilevel(4);
  for (bool actOrder : {false, true}) {
    const GptqFactor factor = factorize(hessian, 1, actOrder);
    SpqrOptions options;
    options.threshold = infinity;
    options.actOrder = actOrder;
    GptqResult result =
        unwrap(spqr(addOutliers(dense), weights, factor, minMax, options));
    GptqOptions gptqOptions;
    gptqOptions.actOrder = actOrder;
    GptqResult expected =
        unwrap(gptq(dense, weights, factor, minMax, gptqOptions));
    EXPECT_EQ(getCount(result.matrix), 0);
    EXPECT_EQ(result.loss, expected.loss);
    EXPECT_EQ(result.columnOrder, expected.columnOrder);
    for (const Component &component : expected.matrix.components)
      EXPECT_EQ(result.matrix.getComponent(component.spec.name)->bytes,
                component.bytes);
  }
}

TEST(Spqr, LowerThresholdsKeepMoreAndLoseLess) {
  const Matrix weights = readReference("weight");
  const Hessian hessian = makeHessianOf(readReference("inputs"));
  const GptqFactor factor = factorize(hessian, 1);
  const SparseOutliersFormat format = addOutliers(makeBilevel());
  int64_t count = -1;
  double loss = infinity;
  for (double threshold : {infinity, 1.0, 0.3, 0.1, 0.02, 0.0}) {
    SpqrOptions options;
    options.threshold = threshold;
    GptqResult result = unwrap(spqr(format, weights, factor, minMax, options));
    EXPECT_GT(getCount(result.matrix), count);
    EXPECT_LT(result.loss, loss);
    count = getCount(result.matrix);
    loss = result.loss;
    const Matrix decoded = decodeInOrder(format, result);
    EXPECT_NEAR(*result.outputError,
                std::sqrt(getOutputError(weights, decoded, hessian) /
                          getOutputError(weights, Matrix(37, 44), hessian)),
                1e-4);
  }
  // At 0 all that is not exact by itself is an outlier.
  EXPECT_LT(loss, 1e-6);
}

TEST(Spqr, OutliersAreExactButForTheirType) {
  Matrix weights = Random(5).matrix(32, 32, 0.01f);
  weights(3, 4) = 1.25f;
  weights(30, 31) = -0.75f;
  const GptqFactor factor = factorize(makeHessianOf(makeInputs(32, 4)), 1);
  for (ElementType type : {ElementType::F16, ElementType::F32}) {
    const SparseOutliersFormat format = addOutliers(makeBilevel(4), type);
    SpqrOptions options;
    options.threshold = 1;
    GptqResult result = unwrap(spqr(format, weights, factor, minMax, options));
    Matrix decoded = decodeInOrder(format, result);
    const float bound = type == ElementType::F16 ? 1e-2f : 3e-2f;
    EXPECT_NEAR(decoded(3, 4), 1.25f, bound);
    EXPECT_NEAR(decoded(30, 31), -0.75f, bound);
    EXPECT_GE(getCount(result.matrix), 2);
    EXPECT_LT(getCount(result.matrix), 40);
  }
}

TEST(Spqr, ServesOtherFormats) {
  const Matrix weights = readReference("weight");
  const Hessian hessian = makeHessianOf(readReference("inputs"));
  const GptqFactor factor = factorize(hessian, 0.1);
  auto check = [&](const auto &dense, bool simplified) {
    const SparseOutliersFormat format = addOutliers(dense);
    SpqrOptions options;
    options.simplified = simplified;
    GptqResult result = unwrap(spqr(format, weights, factor, minMax, options));
    GptqResult plain = unwrap(gptq(dense, weights, factor, minMax, {}));
    EXPECT_GT(getCount(result.matrix), 0);
    EXPECT_LT(result.loss, plain.loss) << dense.describe();
  };
  for (bool simplified : {false, true}) {
    check(makeFormat(3, 16), simplified);
    check(makeFormat(3, 16, true), simplified);
    check(makeFormat(4, 0), simplified);
    check(makeFormat(2, 12), simplified);
  }
  check(unwrap(CodebookFormat::get({*Codebook::find("nf4"), 1, 16})), true);
}

TEST(Spqr, DoesNotDependOnThreads) {
  const Matrix weights = Random(10).matrix(150, 80);
  const GptqFactor factor =
      factorize(makeHessianOf(makeInputs(80, 6)), 1, true);
  const SparseOutliersFormat format = addOutliers(makeBilevel());
  SpqrOptions options;
  options.actOrder = true;
  options.threads = 1;
  GptqResult one = unwrap(spqr(format, weights, factor, minMax, options));
  EXPECT_GT(getCount(one.matrix), 0);
  options.threads = 5;
  GptqResult five = unwrap(spqr(format, weights, factor, minMax, options));
  EXPECT_TRUE(isIdentical(one.matrix, five.matrix));
  EXPECT_EQ(one.loss, five.loss);
}

TEST(Spqr, ServesExtremeInput) {
  const SparseOutliersFormat format = addOutliers(makeBilevel());
  // One row has no variance.
  Matrix row = Random(1).matrix(1, 20);
  const GptqFactor factor = factorize(makeHessianOf(makeInputs(20, 3)), 1);
  EXPECT_EQ(getCount(unwrap(spqr(format, row, factor, minMax, {})).matrix), 0);
  // Zeros cost nothing.
  const GptqResult zeros =
      unwrap(spqr(format, Matrix(18, 20), factor, minMax, {}));
  EXPECT_EQ(getCount(zeros.matrix), 0);
  EXPECT_EQ(zeros.loss, 0);
  // No input was seen.
  Matrix weights = Random(2).matrix(18, 20);
  GptqResult unseen = unwrap(spqr(
      format, weights, factorize(HessianAccumulator(20).finish()), minMax, {}));
  EXPECT_TRUE(isIdentical(
      unseen.matrix, unwrap(roundToNearest(format, weights, minMax)).matrix));
}

TEST(Spqr, SaysWhatIsWrong) {
  Matrix weights = Random(7).matrix(16, 20);
  const GptqFactor factor = factorize(makeHessianOf(makeInputs(20, 3)));
  auto getError = [&](const SparseOutliersFormat &format,
                      const SpqrOptions &options) {
    return getMessage(spqr(format, weights, factor, minMax, options));
  };
  SpqrOptions options;
  options.threshold = -1;
  EXPECT_EQ(getError(addOutliers(makeBilevel()), options),
            "threshold is -1.000000, but must be a number from 0 on");
  options.threshold = NAN;
  EXPECT_EQ(getError(addOutliers(makeBilevel()), options),
            "threshold is nan, but must be a number from 0 on");
  options = {};
  options.blockSize = 0;
  EXPECT_EQ(getError(addOutliers(makeBilevel()), options),
            "block-size is 0, but must be at least 1");
  EXPECT_EQ(getError(addOutliers(unwrap(
                         CodebookFormat::get({*Codebook::find("nf4"), 1, 16}))),
                     {}),
            "SpQR leaves single weights out of groups of one row with a scale, "
            "which the format nf4 [1, 16] f16 does not have; with 'simplified' "
            "it leaves none out");
  UniformFormat::Spec spec;
  spec.groupRows = 4;
  EXPECT_EQ(getError(addOutliers(unwrap(UniformFormat::get(spec))), {}),
            "SpQR leaves single weights out of groups of one row with a scale, "
            "which the format u4 [4, 128] f16 does not have; with 'simplified' "
            "it leaves none out");
  weights = Random(7).matrix(16, 21);
  EXPECT_EQ(getError(addOutliers(makeBilevel()), {}),
            "the weights have 21 input channels, but the Hessian is of 20");
}

} // namespace
