//===- AwqTest.cpp - Scales and ranges by what activations show -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Awq.h"
#include "TestUtils.h"
#include "lowbit/Quantize/CodebookFormat.h"
#include "lowbit/Quantize/GgmlFormat.h"
#include "lowbit/Quantize/Solver.h"
#include <cmath>
#include <limits>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Hessian makeHessian(int64_t width, uint64_t seed) {
  Random random(seed);
  Matrix inputs = random.matrix(3 * width, width);
  for (int64_t token = 0; token < inputs.rows; ++token)
    for (int64_t col = 1; col < width; ++col)
      inputs(token, col) += 0.5f * inputs(token, col - 1);
  HessianAccumulator accumulator(width);
  accumulator.update(inputs, 1);
  return std::move(accumulator).finish();
}

TEST(AwqScales, ArePowersAroundOne) {
  // sqrt(4 * 1) = 2.
  EXPECT_EQ(getAwqScales({1, 4, 2}, 1), (std::vector<float>{0.5f, 2, 1}));
  const std::vector<float> roots = getAwqScales({1, 16, 4}, 0.5);
  EXPECT_FLOAT_EQ(roots[0], 0.5f);
  EXPECT_FLOAT_EQ(roots[1], 2);
  EXPECT_FLOAT_EQ(roots[2], 1);
}

TEST(AwqScales, NothingChangesWithoutExponent) {
  EXPECT_EQ(getAwqScales({0, 3, 1e30f}, 0), (std::vector<float>{1, 1, 1}));
}

TEST(AwqScales, ChannelsOfZerosAreBounded) {
  // 1e-4 and 1 around 1e-2.
  const std::vector<float> scales = getAwqScales({0, 1}, 0.5);
  EXPECT_FLOAT_EQ(scales[0], 1e-2f);
  EXPECT_FLOAT_EQ(scales[1], 1e2f);
  EXPECT_EQ(getAwqScales({0, 0}, 0.95), (std::vector<float>{1, 1}));
}

/// The candidate that is found among losses which are made of parts, as many as
/// the bound allows for.
int64_t findLeast(const std::vector<double> &losses, int *numParts = nullptr) {
  return unwrap(
      findLeastLoss(losses.size(),
                    [&](int64_t index, double bound) -> llvm::Expected<double> {
                      double sum = 0;
                      for (int part = 0; part < 4 && !(sum > bound); ++part) {
                        sum += losses[index] / 4;
                        if (numParts)
                          ++*numParts;
                      }
                      return sum;
                    }));
}

TEST(AwqSearch, FindsTheLeastLoss) {
  for (int64_t count : {1, 2, 3, 20, 21})
    for (int64_t best = 0; best < count; ++best) {
      std::vector<double> losses;
      for (int64_t i = 0; i < count; ++i)
        losses.push_back(1 + std::abs(i - best));
      EXPECT_EQ(findLeast(losses), best) << "of " << count;
    }
  EXPECT_EQ(findLeast({5, 2, 7, 2, 9, 3}), 1) << "the first of equal ones";
  EXPECT_EQ(findLeast({nan, 4, infinity}), 1);
}

TEST(AwqSearch, StopsWhereTheBoundIsPassed) {
  std::vector<double> losses(20, 100);
  losses[10] = 1;
  int numParts = 0;
  EXPECT_EQ(findLeast(losses, &numParts), 10);
  EXPECT_EQ(numParts, 4 + 19);
}

TEST(AwqSearch, FailsWhereNoLossIsFinite) {
  auto loss = [](int64_t index, double) -> llvm::Expected<double> {
    return index == 0 ? nan : infinity;
  };
  EXPECT_EQ(getMessage(findLeastLoss(3, loss)),
            "what quantizing it loses is not finite");
}

Matrix roundAll(const BlockFormat &format, const Matrix &weights,
                llvm::ArrayRef<float> scales, unsigned threads = 0) {
  Matrix decoded(weights.rows, weights.cols);
  llvm::cantFail(
      roundScaled(format, weights, scales, minMax, decoded.view(), threads));
  return decoded;
}

TEST(AwqRounding, IsThatOfScaledWeights) {
  const Matrix weights = Random(1).matrix(37, 96);
  std::vector<float> scales;
  Matrix scaled = weights;
  for (int64_t col = 0; col < 96; ++col) {
    scales.push_back(std::exp2(static_cast<float>(col % 5) - 2));
    for (int64_t row = 0; row < 37; ++row)
      scaled(row, col) *= scales[col];
  }
  auto check = [&](const BlockFormat &format) {
    Matrix expected =
        decode(format, unwrap(roundToNearest(format, scaled, minMax)).matrix);
    const Matrix found = roundAll(format, weights, scales, 1);
    for (int64_t row = 0; row < 37; ++row)
      for (int64_t col = 0; col < 96; ++col)
        ASSERT_EQ(found(row, col), expected(row, col) / scales[col]);
    EXPECT_EQ(roundAll(format, weights, scales, 3).values, found.values);
  };
  check(makeFormat(4, 32));
  check(makeFormat(3, 0, /*symmetric=*/true, ScaleType::F16));
  check(GgmlFormat(GgmlType::Q4_0));
}

TEST(AwqRounding, TakesTransposedWeights) {
  const Matrix weights = Random(2).matrix(20, 64);
  Matrix transposed(64, 20), decoded(64, 20);
  for (int64_t row = 0; row < 20; ++row)
    for (int64_t col = 0; col < 64; ++col)
      transposed(col, row) = weights(row, col);
  std::vector<float> scales(64, 0.75f);
  const UniformFormat format = makeFormat(4, 32);
  llvm::cantFail(roundScaled(
      format, ConstMatrixView(transposed.values.data(), 20, 64, 1, 20), scales,
      minMax, MatrixView(decoded.values.data(), 20, 64, 1, 20)));
  const Matrix expected = roundAll(format, weights, scales);
  for (int64_t row = 0; row < 20; ++row)
    for (int64_t col = 0; col < 64; ++col)
      EXPECT_EQ(decoded(col, row), expected(row, col));
}

TEST(AwqRounding, RefusesWeightsThatAreNotFinite) {
  Matrix weights = Random(3).matrix(2, 32);
  weights(1, 5) = std::numeric_limits<float>::quiet_NaN();
  Matrix decoded(2, 32);
  llvm::Error error =
      roundScaled(makeFormat(4, 32), weights, std::vector<float>(32, 1), minMax,
                  decoded.view());
  ASSERT_TRUE(static_cast<bool>(error));
  EXPECT_NE(llvm::toString(std::move(error)).find("row 1"), std::string::npos);
}

/// d H dᵀ over the columns of a group of a row.
double getError(const Matrix &weights, const Matrix &decoded, int64_t row,
                int64_t begin, int64_t end, const Hessian &hessian) {
  double sum = 0;
  for (int64_t i = begin; i < end; ++i)
    for (int64_t j = begin; j < end; ++j)
      sum += (double(decoded(row, i)) - weights(row, i)) *
             (double(decoded(row, j)) - weights(row, j)) *
             hessian.values[i * hessian.width + j];
  return sum;
}

TEST(AwqClipping, FindsTheBestOfTenRanges) {
  constexpr int64_t rows = 21, cols = 80, group = 32;
  const Matrix weights = Random(4).matrix(rows, cols);
  const Hessian hessian = makeHessian(cols, 5);
  const UniformFormat format = makeFormat(3, group);
  const ClipLimits limits =
      unwrap(searchClipLimits(format, weights, hessian, minMax));
  ASSERT_EQ(limits.groupCols, group);
  ASSERT_EQ(limits.values.size(), size_t(rows * 3));
  int numClipped = 0;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t g = 0; g < 3; ++g) {
      const int64_t begin = g * group, end = std::min(begin + group, cols);
      float range = 0;
      for (int64_t col = begin; col < end; ++col)
        range = std::max(range, std::abs(weights(row, col)));
      double least = infinity, chosen = infinity;
      for (int point = 0; point < 10; ++point) {
        const auto limit = static_cast<float>(range * (1 - point / 20.0));
        Matrix clamped = weights;
        for (int64_t col = begin; col < end; ++col)
          clamped(row, col) = std::clamp(weights(row, col), -limit, limit);
        const double error = getError(
            weights, roundAll(format, clamped, std::vector<float>(cols, 1)),
            row, begin, end, hessian);
        least = std::min(least, error);
        if (limit == limits.values[row * 3 + g])
          chosen = error;
      }
      EXPECT_LE(chosen, least * 1.0001) << row << ", group " << g;
      numClipped += limits.values[row * 3 + g] < range;
    }
  EXPECT_GT(numClipped, 20);
}

TEST(AwqClipping, DoesNotDependOnThreadsOrLayout) {
  constexpr int64_t rows = 70, cols = 64;
  const Matrix weights = Random(6).matrix(rows, cols);
  Matrix transposed(cols, rows);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < cols; ++col)
      transposed(col, row) = weights(row, col);
  const Hessian hessian = makeHessian(cols, 7);
  const UniformFormat format = makeFormat(4, 16);
  const std::vector<float> one =
      unwrap(searchClipLimits(format, weights, hessian, minMax, 1)).values;
  EXPECT_EQ(
      unwrap(searchClipLimits(format, weights, hessian, minMax, 3)).values,
      one);
  EXPECT_EQ(unwrap(searchClipLimits(format,
                                    ConstMatrixView(transposed.values.data(),
                                                    rows, cols, 1, rows),
                                    hessian, minMax))
                .values,
            one);
}

TEST(AwqClipping, RowsThatShareParametersShrinkAlike) {
  UniformFormat::Spec spec;
  spec.bits = 3;
  spec.groupRows = 4;
  spec.groupCols = 16;
  spec.scales = ScaleType::F32;
  const UniformFormat format = unwrap(UniformFormat::get(spec));
  const Matrix weights = Random(8).matrix(8, 16);
  const ClipLimits limits =
      unwrap(searchClipLimits(format, weights, makeHessian(16, 9), minMax));
  for (int64_t row = 0; row < 8; ++row) {
    auto shrink = [&](int64_t row) {
      float range = 0;
      for (int64_t col = 0; col < 16; ++col)
        range = std::max(range, std::abs(weights(row, col)));
      return limits.values[row] / range;
    };
    EXPECT_NEAR(shrink(row), shrink(row / 4 * 4), 1e-6);
  }
}

TEST(AwqClipping, InputsOfZerosClipNothing) {
  const Matrix weights = Random(10).matrix(3, 32);
  const Hessian hessian{32, std::vector<float>(32 * 32)};
  const ClipLimits limits =
      unwrap(searchClipLimits(makeFormat(2, 16), weights, hessian, minMax));
  Matrix clamped = weights;
  limits.clamp(clamped.view());
  EXPECT_EQ(clamped.values, weights.values);
}

TEST(AwqClipping, ClampsEachGroupToItsLimit) {
  Matrix weights(2, 3);
  weights.values = {3, -3, 5, -1, 1, -7};
  ClipLimits{2, 2, {2, 4, 9, 6}}.clamp(weights.view());
  EXPECT_EQ(weights.values, (std::vector<float>{2, -2, 4, -1, 1, -6}));
}

} // namespace
