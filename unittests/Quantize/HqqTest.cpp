//===- HqqTest.cpp - Half-quadratic quantization --------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Hqq.h"
#include "TestUtils.h"
#include "lowbit/Quantize/FloatFormat.h"
#include <cmath>
#include <limits>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;

UniformFormat makeFloatZeroFormat(unsigned bits, int64_t groupCols,
                                  ScaleType scaleType = ScaleType::F32,
                                  ZeroKind zero = ZeroKind::F32) {
  UniformFormat::Spec spec;
  spec.bits = bits;
  spec.zero = zero;
  spec.groupCols = groupCols;
  spec.scales = scaleType;
  return unwrap(UniformFormat::get(spec));
}

/// Weights with heavy tails, some of them shifted.
Matrix makeWeights(uint64_t seed, int64_t rows, int64_t cols,
                   float scale = 0.02f) {
  Random random(seed);
  Matrix weights = random.matrix(rows, cols, scale);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < cols; ++col) {
      if (random.uniform() < 0.02f)
        weights(row, col) *= 8;
      if (row % 3 == 1)
        weights(row, col) += 2 * scale;
    }
  return weights;
}

double getMeanError(const Matrix &weights, const Matrix &decoded) {
  double error = 0;
  for (size_t i = 0; i < weights.values.size(); ++i)
    error += std::fabs(weights.values[i] - decoded.values[i]);
  return error / weights.values.size();
}

std::vector<float> getFloats(const QuantizedMatrix &matrix,
                             llvm::StringRef name) {
  const std::vector<uint8_t> &bytes = matrix.getComponent(name)->bytes;
  const auto *values = reinterpret_cast<const float *>(bytes.data());
  return {values, values + bytes.size() / sizeof(float)};
}

TEST(Hqq, LeavesZeroPointsAloneWhereNothingIsSetAside) {
  // With p = 1 and a large beta, all errors are outliers.
  HqqOptions options;
  options.p = 1;
  options.beta = 1e30;
  UniformFormat format = makeFloatZeroFormat(3, 32);
  Matrix weights = makeWeights(1, 8, 64);
  QuantizedMatrix fitted = unwrap(hqq(format, weights, minMax, options)).matrix;
  QuantizedMatrix nearest =
      unwrap(roundToNearest(format, weights, minMax)).matrix;
  std::vector<float> zeros = getFloats(fitted, "zeros");
  std::vector<float> expected = getFloats(nearest, "zeros");
  for (size_t i = 0; i < zeros.size(); ++i)
    EXPECT_NEAR(zeros[i], expected[i], 1e-5f);
}

// What codes can represent exactly leaves no error to make up for.
TEST(Hqq, RepresentableWeightsStayAsTheyAre) {
  for (unsigned bits : {2, 3, 4, 8})
    for (ZeroKind zero : {ZeroKind::Integer, ZeroKind::F16}) {
      const int levels = 1 << bits;
      Matrix weights(6, 64);
      for (int64_t row = 0; row < 6; ++row)
        for (int64_t col = 0; col < 64; ++col) {
          // Both ends of the range are there, and a zero point between them.
          const int64_t code = col % 32 < 2 ? (col % 2) * (levels - 1)
                                            : (row * 7 + col * 5) % levels;
          weights(row, col) = 0.25f * (code - (row + 1) % levels);
        }
      UniformFormat format =
          makeFloatZeroFormat(bits, 32, ScaleType::F16, zero);
      SolverResult fitted = unwrap(hqq(format, weights, minMax, {}));
      EXPECT_EQ(fitted.weightError, 0);
      EXPECT_EQ(decode(format, fitted.matrix).values, weights.values);
      EXPECT_TRUE(
          isIdentical(fitted.matrix,
                      unwrap(roundToNearest(format, weights, minMax)).matrix));
    }
}

TEST(Hqq, NeverWorseThanRoundToNearest) {
  int better = 0;
  for (float scale : {0.002f, 0.02f, 1.0f, 50.0f})
    for (unsigned bits : {1, 2, 3, 4, 8})
      for (double p : {0.3, 0.7, 1.0})
        for (ZeroKind zero : {ZeroKind::Integer, ZeroKind::F16}) {
          UniformFormat format =
              makeFloatZeroFormat(bits, 32, ScaleType::F16, zero);
          Matrix weights = makeWeights(bits, 9, 80, scale);
          HqqOptions options;
          options.p = p;
          Matrix fitted = decode(
              format, unwrap(hqq(format, weights, minMax, options)).matrix);
          Matrix nearest = decode(
              format, unwrap(roundToNearest(format, weights, minMax)).matrix);
          const double error = getMeanError(weights, fitted);
          const double bound = getMeanError(weights, nearest);
          // At 4 bits it does not begin with fractional zero points.
          if (bits != 4 || zero == ZeroKind::Integer)
            EXPECT_LE(error, bound * (1 + 1e-5)) << bits << " bits";
          better += error < 0.99 * bound;
        }
  EXPECT_GT(better, 40);
}

TEST(Hqq, ReportsTheErrorOfWhatIsStored) {
  UniformFormat format = makeFloatZeroFormat(2, 16, ScaleType::F16);
  Matrix weights = makeWeights(3, 20, 50);
  SolverResult result = unwrap(hqq(format, weights, minMax, {}));
  Matrix decoded = decode(format, result.matrix);
  double error = 0, norm = 0;
  for (size_t i = 0; i < weights.values.size(); ++i) {
    error += std::pow(weights.values[i] - decoded.values[i], 2.0);
    norm += std::pow(weights.values[i], 2.0);
  }
  EXPECT_NEAR(result.weightError, std::sqrt(error / norm), 1e-6);
}

TEST(Hqq, DoesNotDependOnThreads) {
  Matrix weights = makeWeights(4, 300, 200);
  UniformFormat format = makeFloatZeroFormat(3, 64);
  HqqOptions options;
  options.threads = 1;
  SolverResult one = unwrap(hqq(format, weights, minMax, options));
  for (unsigned threads : {2u, 3u, 8u}) {
    options.threads = threads;
    SolverResult many = unwrap(hqq(format, weights, minMax, options));
    EXPECT_TRUE(isIdentical(one.matrix, many.matrix));
    EXPECT_EQ(one.weightError, many.weightError);
  }
}

// Weights times c have the same codes when beta is in their units.
TEST(Hqq, IsScaleEquivariant) {
  UniformFormat format = makeFloatZeroFormat(3, 64);
  Matrix weights = makeWeights(5, 16, 128);
  QuantizedMatrix matrix = unwrap(hqq(format, weights, minMax, {})).matrix;
  for (float c : {0x1p-5f, 0x1p7f}) {
    Matrix scaled = weights;
    for (float &value : scaled.values)
      value *= c;
    HqqOptions options;
    options.beta *= std::pow(c, options.p - 2);
    QuantizedMatrix other = unwrap(hqq(format, scaled, minMax, options)).matrix;
    std::vector<float> zeros = getFloats(matrix, "zeros");
    std::vector<float> otherZeros = getFloats(other, "zeros");
    int different = 0;
    for (size_t i = 0; i < zeros.size(); ++i)
      different += std::fabs(zeros[i] - otherZeros[i]) > 1e-4f;
    // Powers are rounded, and may turn a tie.
    EXPECT_LE(different, 1);
  }
}

TEST(Hqq, RowGroupsShareZeroPoints) {
  UniformFormat::Spec spec;
  spec.bits = 2;
  spec.zero = ZeroKind::F16;
  spec.groupRows = 4;
  spec.groupCols = 8;
  UniformFormat format = unwrap(UniformFormat::get(spec));
  Matrix weights = makeWeights(6, 10, 20);
  SolverResult result = unwrap(hqq(format, weights, minMax, {}));
  EXPECT_EQ(result.matrix.getComponent("zeros")->spec.shape,
            (llvm::SmallVector<int64_t, 2>{3, 3}));
  // What is stored is what was encoded with.
  Matrix decoded = decode(format, result.matrix);
  double error = 0, norm = 0;
  for (size_t i = 0; i < weights.values.size(); ++i) {
    error += std::pow(weights.values[i] - decoded.values[i], 2.0);
    norm += std::pow(weights.values[i], 2.0);
  }
  EXPECT_NEAR(result.weightError, std::sqrt(error / norm), 1e-6);
}

TEST(Hqq, ConstantGroupsAreExact) {
  Matrix weights(3, 32);
  for (int64_t col = 0; col < 32; ++col) {
    weights(1, col) = 0.75f;
    weights(2, col) = -3.0f;
  }
  for (unsigned bits : {1, 2, 4, 8}) {
    UniformFormat format =
        makeFloatZeroFormat(bits, 16, ScaleType::F16, ZeroKind::F16);
    Matrix decoded =
        decode(format, unwrap(hqq(format, weights, minMax, {})).matrix);
    for (int64_t col = 0; col < 32; ++col) {
      EXPECT_EQ(decoded(0, col), 0.0f);
      EXPECT_NEAR(decoded(1, col), 0.75f, 0.75f * 0x1p-11f);
      EXPECT_NEAR(decoded(2, col), -3.0f, 3.0f * 0x1p-11f);
    }
  }
}

TEST(Hqq, RejectsWhatItCannotDo) {
  Matrix weights = makeWeights(7, 3, 4);
  EXPECT_EQ(getMessage(
                hqq(makeFormat(4, 4, /*symmetric=*/true), weights, minMax, {})),
            "HQQ chooses the zero points of groups, which the format s4 [1, 4] "
            "f32 does not have");
  EXPECT_EQ(getMessage(hqq(unwrap(FloatFormat::get({ElementType::BF16, false})),
                           weights, minMax, {})),
            "HQQ chooses the zero points of groups, which the format bf16 does "
            "not have");
  weights(2, 1) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(getMessage(hqq(makeFormat(4, 4), weights, minMax, {})),
            "the weight in row 2, column 1 is NaN; only finite weights can be "
            "quantized");
}

TEST(Hqq, RejectsBadOptions) {
  auto getError = [](const HqqOptions &options) {
    return llvm::toString(options.check());
  };
  HqqOptions options;
  options.p = 0;
  EXPECT_EQ(getError(options), "p is 0.000000, but must lie in (0, 1]");
  options = {};
  options.beta = -1;
  EXPECT_EQ(getError(options),
            "beta is -1.000000, but must be positive and finite");
  options = {};
  options.kappa = 0.5;
  EXPECT_EQ(getError(options),
            "kappa is 0.500000, but must be at least 1 and finite");
  options = {};
  options.iterations = -1;
  EXPECT_EQ(getError(options), "iterations is -1, but must not be negative");
}

TEST(Hqq, TakesEmptyMatrices) {
  Matrix weights(0, 16);
  SolverResult result = unwrap(hqq(makeFormat(4, 64), weights, minMax, {}));
  EXPECT_TRUE(result.matrix.components[0].bytes.empty());
}

} // namespace
