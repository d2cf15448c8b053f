//===- EasyQuantTest.cpp - Outliers apart, scales by least squares
//-----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/EasyQuant.h"
#include "TestUtils.h"
#include "lowbit/Quantize/CodebookFormat.h"
#include "lowbit/Quantize/FloatFormat.h"
#include "lowbit/Quantize/SparseOutliersFormat.h"
#include <cmath>
#include <limits>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;

template <typename FormatT>
SparseOutliersFormat addOutliers(const FormatT &dense, int64_t count = 0,
                                 ElementType type = ElementType::F16) {
  return unwrap(SparseOutliersFormat::get(
      {std::make_shared<FormatT>(dense), count, type}));
}

/// Weights with heavy tails.
Matrix makeWeights(uint64_t seed, int64_t rows, int64_t cols,
                   float scale = 0.02f) {
  Random random(seed);
  Matrix weights = random.matrix(rows, cols, scale);
  for (float &value : weights.values)
    if (random.uniform() < 0.01f)
      value *= 8;
  return weights;
}

int64_t getCount(const QuantizedMatrix &matrix) {
  return matrix.getComponent("outlier_values")->spec.shape.front();
}

Matrix decodeAny(const SparseOutliersFormat &format,
                 const QuantizedMatrix &matrix) {
  return decode(*format.withOutliers(getCount(matrix)), matrix);
}

double getError(const Matrix &weights, const Matrix &decoded) {
  double error = 0;
  for (size_t i = 0; i < weights.values.size(); ++i)
    error += std::pow(weights.values[i] - decoded.values[i], 2.0);
  return error;
}

TEST(EasyQuant, FindsTheBestScale) {
  // Without outliers. Scale 2 * 8 / 15 gives the codes 7, 6, -3 and 1, whose
  // best scale (56 + 36 + 9 + 1) / (49 + 36 + 9 + 1) gives the same ones.
  Matrix weights(1, 4);
  weights.values = {8, 6, -3, 1};
  SparseOutliersFormat format = addOutliers(makeFormat(4, 0, true));
  EasyQuantOptions options;
  options.fraction = 0;
  SolverResult result = unwrap(easyQuant(format, weights, minMax, options));
  Matrix decoded = decodeAny(format, result.matrix);
  const float scale = 102 / 95.f;
  const float codes[] = {7, 6, -3, 1};
  for (int64_t col = 0; col < 4; ++col)
    EXPECT_FLOAT_EQ(decoded(0, col), scale * codes[col]);
}

TEST(EasyQuant, TakesTheOutliersThatItsOptionsSay) {
  Matrix weights = makeWeights(1, 40, 50);
  weights(11, 22) = 5;
  SparseOutliersFormat format = addOutliers(makeFormat(4, 0, true));
  auto count = [&](double sigma, double fraction) {
    EasyQuantOptions options;
    options.sigma = sigma;
    options.fraction = fraction;
    return getCount(unwrap(easyQuant(format, weights, minMax, options)).matrix);
  };
  EXPECT_EQ(count(0, 0.01), 20);
  EXPECT_EQ(count(0, 1), 2000);
  EXPECT_EQ(count(0, 0), 0);
  EXPECT_EQ(count(20, 0.01), 1);
  EXPECT_EQ(count(100, 0.01), 0);
}

TEST(EasyQuant, NeverWorseThanRoundToNearestWithTheSameOutliers) {
  int better = 0;
  auto compare = [&](const auto &dense, uint64_t seed) {
    for (ElementType type : {ElementType::F16, ElementType::F32}) {
      Matrix weights = makeWeights(seed, 19, 80);
      SparseOutliersFormat format = addOutliers(dense, 0, type);
      QuantizedMatrix fitted =
          unwrap(easyQuant(format, weights, minMax, {})).matrix;
      std::shared_ptr<const BlockFormat> same =
          format.withOutliers(getCount(fitted));
      Matrix nearest =
          decode(*same, unwrap(roundToNearest(*same, weights, minMax)).matrix);
      const double error = getError(weights, decode(*same, fitted));
      const double bound = getError(weights, nearest);
      EXPECT_LE(error, bound * (1 + 1e-6)) << dense.describe();
      better += error < 0.99 * bound;
    }
  };
  uint64_t seed = 1;
  for (unsigned bits : {2, 3, 4, 8})
    for (int64_t group : {0, 16, 32})
      for (bool symmetric : {false, true})
        for (ScaleType type : {ScaleType::F16, ScaleType::F32})
          compare(makeFormat(bits, group, symmetric, type), ++seed);
  for (const char *name : {"nf4", "e2m1"})
    for (ScaleStorage scales :
         {ScaleStorage(ScaleType::F16), ScaleStorage(ScaleType::F8E8M0FNU),
          ScaleStorage(std::make_shared<UniformFormat>(makeFormat(4, 0)))})
      compare(
          unwrap(CodebookFormat::get({*Codebook::find(name), 1, 16, scales})),
          ++seed);
  // One scale for many rows.
  UniformFormat::Spec spec;
  spec.isSigned = true;
  spec.zero = ZeroKind::None;
  spec.groupRows = 0;
  spec.groupCols = 0;
  compare(unwrap(UniformFormat::get(spec)), ++seed);
  EXPECT_GT(better, 40);
}

TEST(EasyQuant, MoreIterationsAreNotWorse) {
  Matrix weights = makeWeights(3, 30, 200);
  SparseOutliersFormat format =
      addOutliers(makeFormat(3, 0, true, ScaleType::F16));
  double last = std::numeric_limits<double>::infinity();
  for (int64_t iterations : {0, 1, 2, 3, 5, 10, 100}) {
    EasyQuantOptions options;
    options.iterations = iterations;
    SolverResult result = unwrap(easyQuant(format, weights, minMax, options));
    const double error = getError(weights, decodeAny(format, result.matrix));
    EXPECT_LE(error, last);
    last = error;
  }
}

TEST(EasyQuant, DoesNotDependOnThreads) {
  Matrix weights = makeWeights(4, 300, 200);
  SparseOutliersFormat format = addOutliers(makeFormat(4, 0, true));
  EasyQuantOptions options;
  options.threads = 1;
  SolverResult one = unwrap(easyQuant(format, weights, minMax, options));
  options.threads = 5;
  SolverResult five = unwrap(easyQuant(format, weights, minMax, options));
  EXPECT_TRUE(isIdentical(one.matrix, five.matrix));
  EXPECT_EQ(one.weightError, five.weightError);
}

TEST(EasyQuant, FollowsScaleAndSignOfTheWeights) {
  Matrix weights = makeWeights(5, 16, 90);
  // Codes from -7 to 7, so that the signs are alike.
  UniformFormat::Spec spec;
  spec.isSigned = true;
  spec.zero = ZeroKind::None;
  spec.narrowRange = true;
  spec.groupCols = 0;
  spec.scales = ScaleType::F32;
  SparseOutliersFormat format =
      addOutliers(unwrap(UniformFormat::get(spec)), 0, ElementType::F32);
  Matrix decoded =
      decodeAny(format, unwrap(easyQuant(format, weights, minMax, {})).matrix);
  for (float factor : {4.0f, -1.0f, -0.125f}) {
    Matrix scaled = weights;
    for (float &value : scaled.values)
      value *= factor;
    Matrix result =
        decodeAny(format, unwrap(easyQuant(format, scaled, minMax, {})).matrix);
    for (size_t i = 0; i < decoded.values.size(); ++i)
      EXPECT_EQ(result.values[i], factor * decoded.values[i]);
  }
}

TEST(EasyQuant, ZerosStayZeros) {
  Matrix weights = makeWeights(6, 6, 32);
  for (int64_t col = 0; col < 32; ++col)
    weights(2, col) = 0;
  SparseOutliersFormat format = addOutliers(makeFormat(4, 0, true));
  Matrix decoded =
      decodeAny(format, unwrap(easyQuant(format, weights, minMax, {})).matrix);
  for (int64_t col = 0; col < 32; ++col)
    EXPECT_EQ(decoded(2, col), 0);
  Matrix zeros(3, 8);
  EXPECT_EQ(
      decodeAny(format, unwrap(easyQuant(format, zeros, minMax, {})).matrix)
          .values,
      zeros.values);
}

TEST(EasyQuant, SaysWhatIsWrong) {
  Matrix weights = makeWeights(7, 4, 8);
  auto getError = [&](const BlockFormat &format, EasyQuantOptions options) {
    return getMessage(easyQuant(format, weights, minMax, options));
  };
  UniformFormat dense = makeFormat(4, 0, true);
  EXPECT_EQ(getError(dense, {}), "EasyQuant stores outliers apart, for which "
                                 "the format s4 [1, *] f32 has no place");
  FloatFormat floats = unwrap(FloatFormat::get({ElementType::BF16}));
  EXPECT_EQ(getError(addOutliers(floats), {}),
            "EasyQuant fits the scales of groups, which the format bf16 + 0 "
            "outliers f16 does not have");
  EasyQuantOptions options;
  options.fraction = 1.5;
  EXPECT_EQ(getError(addOutliers(dense), options),
            "fraction is 1.500000, but must lie in [0, 1]");
  options = {};
  options.sigma = -1;
  EXPECT_EQ(getError(addOutliers(dense), options),
            "sigma is -1.000000, but must not be negative");
  options = {};
  options.iterations = -1;
  EXPECT_EQ(getError(addOutliers(dense), options),
            "iterations is -1, but must not be negative");
  weights(1, 2) = std::numeric_limits<float>::infinity();
  EXPECT_EQ(
      getError(addOutliers(dense), {}),
      "the weight in row 1, column 2 is infinite; only finite weights can "
      "be quantized");
}

} // namespace
