//===- RoundToNearestTest.cpp - Every value to its nearest code -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"
#include "lowbit/Quantize/Solver.h"
#include <cmath>
#include <limits>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;

TEST(RoundToNearest, DecodesWithinHalfAStep) {
  Random random(1);
  for (auto [rows, cols] :
       {std::pair<int64_t, int64_t>{1, 1}, {5, 37}, {64, 172}, {33, 352}})
    for (unsigned bits = 2; bits <= 8; ++bits)
      for (int64_t group : {0, 1, 32, 64, 128})
        for (bool symmetric : {false, true}) {
          Matrix weights = random.matrix(rows, cols);
          UniformFormat format = makeFormat(bits, group, symmetric);
          SolverResult result = unwrap(roundToNearest(format, weights, minMax));
          Matrix decoded = decode(format, result.matrix);
          const int64_t step = format.getGroupCols(cols);
          for (int64_t row = 0; row < rows; ++row)
            for (int64_t begin = 0; begin < cols; begin += step) {
              const int64_t end = std::min(begin + step, cols);
              float lo = 0, hi = 0;
              for (int64_t col = begin; col < end; ++col) {
                lo = std::min(lo, weights(row, col));
                hi = std::max(hi, weights(row, col));
              }
              const float scale = format.getParameters({lo, hi}).scale;
              // The upper end of a symmetric grid is half a step short of it.
              for (int64_t col = begin; col < end; ++col)
                EXPECT_LE(std::fabs(weights(row, col) - decoded(row, col)),
                          scale * 0.5001f)
                    << bits << " bits, group " << group;
            }
        }
}

TEST(RoundToNearest, GroupOfAllColumnsIsPerChannel) {
  Matrix weights = Random(2).matrix(7, 96);
  SolverResult group =
      unwrap(roundToNearest(makeFormat(4, 96), weights, minMax));
  SolverResult channel =
      unwrap(roundToNearest(makeFormat(4, 0), weights, minMax));
  EXPECT_TRUE(isIdentical(group.matrix, channel.matrix));
}

TEST(RoundToNearest, ShortLastGroupHasItsOwnScale) {
  Matrix weights(1, 5);
  weights.values = {1, -1, 0.5, 100, 50};
  UniformFormat format = makeFormat(8, 3);
  SolverResult result = unwrap(roundToNearest(format, weights, minMax));
  EXPECT_EQ(result.matrix.getComponent("scales")->spec.shape[1], 2);
  EXPECT_NEAR(decode(format, result.matrix)(0, 2), 0.5, 2.0 / 255);
}

TEST(RoundToNearest, ZerosStayZero) {
  for (bool symmetric : {false, true})
    for (unsigned bits = 2; bits <= 8; ++bits) {
      Matrix weights = Random(3).matrix(4, 64);
      for (int64_t col = 0; col < 64; ++col)
        weights(1, col) = 0;
      weights(0, 17) = weights(3, 63) = 0;
      UniformFormat format = makeFormat(bits, 16, symmetric, ScaleType::F16);
      Matrix decoded = decode(
          format, unwrap(roundToNearest(format, weights, minMax)).matrix);
      EXPECT_EQ(decoded(0, 17), 0);
      EXPECT_EQ(decoded(3, 63), 0);
      for (int64_t col = 0; col < 64; ++col)
        EXPECT_EQ(decoded(1, col), 0);
    }
}

TEST(RoundToNearest, RowGroupsShareParameters) {
  Matrix weights = Random(4).matrix(10, 20);
  UniformFormat::Spec spec;
  spec.groupRows = 4;
  spec.groupCols = 8;
  UniformFormat format = unwrap(UniformFormat::get(spec));
  SolverResult result = unwrap(roundToNearest(format, weights, minMax));
  EXPECT_EQ(result.matrix.getComponent("scales")->spec.shape,
            (llvm::SmallVector<int64_t, 2>{3, 3}));
  EXPECT_LT(result.weightError, 0.2);

  spec.groupRows = spec.groupCols = 0;
  UniformFormat perTensor = unwrap(UniformFormat::get(spec));
  result = unwrap(roundToNearest(perTensor, weights, minMax));
  EXPECT_EQ(result.matrix.getComponent("scales")->spec.shape,
            (llvm::SmallVector<int64_t, 2>{1, 1}));
  EXPECT_EQ(result.matrix.getComponent("zeros")->bytes.size(), 1u);
}

TEST(RoundToNearest, DoesNotDependOnThreads) {
  Matrix weights = Random(5).matrix(300, 200);
  UniformFormat format = makeFormat(3, 64);
  SolverResult one = unwrap(roundToNearest(format, weights, minMax, 1));
  for (unsigned threads : {2u, 3u, 8u}) {
    SolverResult many =
        unwrap(roundToNearest(format, weights, minMax, threads));
    EXPECT_TRUE(isIdentical(one.matrix, many.matrix));
    EXPECT_EQ(one.weightError, many.weightError);
  }
}

TEST(RoundToNearest, ReportsTheErrorOfWhatIsStored) {
  Matrix weights = Random(6).matrix(20, 50);
  UniformFormat format = makeFormat(4, 16, false, ScaleType::F16);
  SolverResult result = unwrap(roundToNearest(format, weights, minMax));
  Matrix decoded = decode(format, result.matrix);
  double error = 0, norm = 0;
  for (size_t i = 0; i < weights.values.size(); ++i) {
    error += std::pow(weights.values[i] - decoded.values[i], 2.0);
    norm += std::pow(weights.values[i], 2.0);
  }
  EXPECT_NEAR(result.weightError, std::sqrt(error / norm), 1e-7);
}

TEST(RoundToNearest, RangeSearchNeverIncreasesItsError) {
  Random random(7);
  Matrix weights = random.matrix(40, 64);
  // A heavy tail, which is what clipping is good for.
  for (float &value : weights.values)
    value = value * value * value;
  UniformFormat format = makeFormat(3, 64);
  MseSearch mse;
  Matrix clipped =
      decode(format, unwrap(roundToNearest(format, weights, mse)).matrix);
  Matrix full =
      decode(format, unwrap(roundToNearest(format, weights, minMax)).matrix);
  double gain = 0;
  for (int64_t row = 0; row < 40; ++row) {
    double clippedError = 0, fullError = 0;
    for (int64_t col = 0; col < 64; ++col) {
      clippedError +=
          std::pow(std::fabs(clipped(row, col) - weights(row, col)), 2.4);
      fullError += std::pow(std::fabs(full(row, col) - weights(row, col)), 2.4);
    }
    EXPECT_LE(clippedError, fullError * (1 + 1e-5));
    gain += fullError - clippedError;
  }
  EXPECT_GT(gain, 0);
}

TEST(PercentileSearch, AgreesWithNumpy) {
  // numpy.percentile(values, [100 - percentile, percentile]).
  const llvm::SmallVector<float> values = {3,   -7.5f, 0.25f, 12,    -1, 4.5f,
                                           100, -2,    0.5f,  6.75f, -40};
  const struct {
    double percentile;
    float lo, hi;
  } cases[] = {{100, -40, 100},        {99.9, -39.675f, 99.12f},
               {99, -36.75f, 91.2f},   {90, -7.5f, 12},
               {75, -1.5f, 5.625f},    {60, 0.25f, 3},
               {50.5, 0.4875f, 0.625f}};
  for (const auto &[percentile, lo, hi] : cases) {
    const Range range = unwrap(PercentileSearch::get(percentile))
                            .search({-40, 100}, values, {});
    EXPECT_FLOAT_EQ(range.lo, lo) << percentile;
    EXPECT_FLOAT_EQ(range.hi, hi) << percentile;
  }
  // Nothing would be left of the 8.
  const Range whole = unwrap(PercentileSearch::get(75))
                          .search({0, 8}, {1, 1, 1, 1, 1, 1, 8}, {});
  EXPECT_EQ(whole.lo, 0);
  EXPECT_EQ(whole.hi, 8);
}

TEST(PercentileSearch, ClipsOutliers) {
  const PercentileSearch search = unwrap(PercentileSearch::get(99));
  for (bool symmetric : {false, true}) {
    const UniformFormat format = makeFormat(4, 0, symmetric);
    Matrix weights = Random(9).matrix(3, 512, 0.01f);
    for (int64_t row = 0; row < 3; ++row)
      weights(row, 7 * row) = 1;
    auto getMedianError = [&](const RangeSearch &ranges) {
      const Matrix decoded = decode(
          format, unwrap(roundToNearest(format, weights, ranges)).matrix);
      std::vector<float> errors;
      for (size_t i = 0; i < decoded.values.size(); ++i)
        errors.push_back(std::fabs(decoded.values[i] - weights.values[i]));
      std::sort(errors.begin(), errors.end());
      return errors[errors.size() / 2];
    };
    EXPECT_LT(4 * getMedianError(search), getMedianError(minMax));
  }
  // Zero stays a code where most values are on one side of it.
  Matrix positive(1, 4);
  positive.values = {1, 2, 3, 4};
  const UniformFormat format = makeFormat(4, 0);
  const Matrix decoded =
      decode(format, unwrap(roundToNearest(format, positive, search)).matrix);
  for (int64_t col = 0; col < 4; ++col)
    EXPECT_NEAR(decoded(0, col), positive(0, col), 0.14);
}

TEST(PercentileSearch, RejectsPercentilesOutOfRange) {
  for (const char *text : {"50", "-1", "100.5"})
    EXPECT_EQ(getMessage(PercentileSearch::get(std::stod(text))),
              "percentile is " + std::string(text) +
                  ", but must lie in (50, 100]");
  EXPECT_NE(getMessage(PercentileSearch::get(std::nan(""))), "no error");
}

TEST(RoundToNearest, RejectsValuesThatAreNotFinite) {
  Matrix weights = Random(8).matrix(3, 4);
  weights(2, 1) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(getMessage(roundToNearest(makeFormat(4, 4), weights, minMax)),
            "the weight in row 2, column 1 is NaN; only finite weights can be "
            "quantized");
  weights(2, 1) = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(getMessage(roundToNearest(makeFormat(4, 4), weights, minMax)),
            "the weight in row 2, column 1 is infinite; only finite weights "
            "can be quantized");
}

TEST(RoundToNearest, RejectsScalesThatTheirTypeCannotHold) {
  Matrix weights(1, 2);
  weights.values = {-1e6f, 1e6f};
  EXPECT_EQ(getMessage(roundToNearest(makeFormat(4, 0, false, ScaleType::F16),
                                      weights, minMax)),
            "weights between -1e+06 and 1e+06 need scales up to 133333, but "
            "f16 ends at 65504; a wider scale type is needed");
  UniformFormat wide = makeFormat(4, 0, false, ScaleType::BF16);
  Matrix decoded =
      decode(wide, unwrap(roundToNearest(wide, weights, minMax)).matrix);
  EXPECT_NEAR(decoded(0, 1), 1e6f, 1e5f);
}

TEST(RoundToNearest, ScalesNeverUnderflowToZero) {
  Matrix weights(1, 3);
  weights.values = {1e-12f, -3e-12f, 2e-12f};
  UniformFormat format = makeFormat(4, 0, false, ScaleType::F16);
  Matrix decoded =
      decode(format, unwrap(roundToNearest(format, weights, minMax)).matrix);
  for (int64_t col = 0; col < 3; ++col)
    EXPECT_LE(std::fabs(decoded(0, col) - weights(0, col)), 0x1p-24f / 2);
}

TEST(RoundToNearest, TakesEmptyMatrices) {
  UniformFormat format = makeFormat(4, 64);
  Matrix weights(0, 16);
  SolverResult result = unwrap(roundToNearest(format, weights, minMax));
  EXPECT_TRUE(result.matrix.components[0].bytes.empty());
}

} // namespace
