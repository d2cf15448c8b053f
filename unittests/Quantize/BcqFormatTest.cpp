//===- BcqFormatTest.cpp - Sums of scaled signs ---------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/BcqFormat.h"
#include "TestUtils.h"
#include "lowbit/Quantize/Solver.h"
#include <cmath>
#include <limits>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;

BcqFormat makeBcq(unsigned bits, int64_t groupCols, unsigned rounds = 15,
                  ElementType scaleType = ElementType::F32,
                  int64_t groupRows = 1, bool hasOffset = false) {
  BcqFormat::Spec spec;
  spec.bits = bits;
  spec.groupRows = groupRows;
  spec.groupCols = groupCols;
  spec.scaleType = scaleType;
  spec.rounds = rounds;
  spec.hasOffset = hasOffset;
  return unwrap(BcqFormat::get(spec));
}

std::vector<float> getFloats(const QuantizedMatrix &matrix,
                             llvm::StringRef name) {
  const std::vector<uint8_t> &bytes = matrix.getComponent(name)->bytes;
  const auto *values = reinterpret_cast<const float *>(bytes.data());
  return {values, values + bytes.size() / sizeof(float)};
}

TEST(BcqFormat, OneBitIsTheSignAndTheMeanMagnitude) {
  Matrix weights(1, 4);
  weights.values = {1, -2, 0, 5};
  BcqFormat format = makeBcq(1, 4, /*rounds=*/0);
  QuantizedMatrix matrix =
      unwrap(roundToNearest(format, weights, minMax)).matrix;
  EXPECT_EQ(getFloats(matrix, "scales"), (std::vector<float>{2}));
  EXPECT_FALSE(matrix.getComponent("offsets"));
  // The sign of 0 is +.
  EXPECT_EQ(matrix.getComponent("planes")->bytes,
            (std::vector<uint8_t>{0b1101}));
  EXPECT_EQ(decode(format, matrix).values, (std::vector<float>{2, -2, 2, 2}));
}

TEST(BcqFormat, ErrorNeverRisesOverRounds) {
  Matrix weights = Random(1).matrix(20, 100, 0.05f);
  for (unsigned bits = 1; bits <= 4; ++bits)
    for (bool hasOffset : {false, true}) {
      double last = std::numeric_limits<double>::infinity();
      for (unsigned rounds : {0, 1, 2, 3, 5, 8, 15, 40}) {
        const BcqFormat format =
            makeBcq(bits, 32, rounds, ElementType::F32, 1, hasOffset);
        const double error =
            unwrap(roundToNearest(format, weights, minMax)).weightError;
        EXPECT_LE(error, last * (1 + 1e-6)) << bits << " bits";
        last = error;
      }
    }
}

TEST(BcqFormat, OffsetsServeSkewedWeights) {
  Matrix weights = Random(8).matrix(6, 96);
  for (float &value : weights.values)
    value = value * value - 0.5f;
  auto getError = [&](bool hasOffset) {
    const BcqFormat format = makeBcq(2, 32, 15, ElementType::F32, 1, hasOffset);
    return unwrap(roundToNearest(format, weights, minMax)).weightError;
  };
  EXPECT_LT(getError(true), 0.95 * getError(false));
}

TEST(BcqFormat, EquivariantToPowersOfTwoAndSigns) {
  Matrix weights = Random(9).matrix(6, 96);
  // A sign of + for 0 is the one difference between w and -w.
  for (float &value : weights.values)
    value = value == 0 ? 1e-3f : value;
  for (bool hasOffset : {false, true}) {
    const BcqFormat format = makeBcq(3, 32, 15, ElementType::F32, 1, hasOffset);
    Matrix decoded =
        decode(format, unwrap(roundToNearest(format, weights, minMax)).matrix);
    Matrix scaled = weights;
    for (float &value : scaled.values)
      value *= -0.25f;
    Matrix result =
        decode(format, unwrap(roundToNearest(format, scaled, minMax)).matrix);
    for (size_t i = 0; i < decoded.values.size(); ++i)
      EXPECT_NEAR(result.values[i], -0.25f * decoded.values[i], 1e-5f);
  }
}

TEST(BcqFormat, ScalesArePositiveAndDescend) {
  Matrix weights = Random(2).matrix(8, 64);
  QuantizedMatrix matrix =
      unwrap(roundToNearest(makeBcq(4, 16), weights, minMax)).matrix;
  std::vector<float> scales = getFloats(matrix, "scales");
  for (size_t i = 0; i < 32; ++i)
    for (unsigned bit = 0; bit < 4; ++bit) {
      EXPECT_GE(scales[bit * 32 + i], 0);
      if (bit)
        EXPECT_LE(scales[bit * 32 + i], scales[(bit - 1) * 32 + i]);
    }
}

TEST(BcqFormat, ReportsTheErrorOfWhatIsStored) {
  for (int64_t groupRows : {1, 4, 0}) {
    Matrix weights = Random(3).matrix(10, 50);
    BcqFormat format = makeBcq(3, 16, 15, ElementType::F16, groupRows,
                               /*hasOffset=*/groupRows != 4);
    SolverResult result = unwrap(roundToNearest(format, weights, minMax));
    Matrix decoded = decode(format, result.matrix);
    double error = 0, norm = 0;
    for (size_t i = 0; i < weights.values.size(); ++i) {
      error += std::pow(weights.values[i] - decoded.values[i], 2.0);
      norm += std::pow(weights.values[i], 2.0);
    }
    EXPECT_NEAR(result.weightError, std::sqrt(error / norm), 1e-6);
    EXPECT_LT(result.weightError, groupRows == 1 ? 0.17 : 0.25);
  }
}

TEST(BcqFormat, ConstantGroupsAreExact) {
  Matrix weights(3, 8);
  for (int64_t col = 0; col < 8; ++col) {
    weights(1, col) = 0.75f;
    weights(2, col) = -3.0f;
  }
  for (unsigned bits = 1; bits <= 4; ++bits)
    for (bool hasOffset : {false, true}) {
      BcqFormat format = makeBcq(bits, 8, 15, ElementType::F16, 1, hasOffset);
      Matrix decoded = decode(
          format, unwrap(roundToNearest(format, weights, minMax)).matrix);
      EXPECT_EQ(decoded.values, weights.values) << bits << " bits";
    }
}

TEST(BcqFormat, DoesNotDependOnThreads) {
  Matrix weights = Random(4).matrix(300, 200);
  BcqFormat format = makeBcq(3, 64);
  SolverResult one = unwrap(roundToNearest(format, weights, minMax, 1));
  for (unsigned threads : {2u, 3u, 8u}) {
    SolverResult many =
        unwrap(roundToNearest(format, weights, minMax, threads));
    EXPECT_TRUE(isIdentical(one.matrix, many.matrix));
  }
}

TEST(BcqFormat, ImportanceWeighsErrors) {
  Matrix weights = Random(5).matrix(4, 32);
  std::vector<float> importance(32, 1e-3f);
  for (int64_t col = 0; col < 4; ++col)
    importance[col] = 1;
  BcqFormat format = makeBcq(2, 32);
  auto getError = [&](llvm::ArrayRef<float> weight) {
    Matrix decoded = decode(
        format,
        unwrap(roundToNearest(format, weights, minMax, 1, weight)).matrix);
    double error = 0;
    for (int64_t row = 0; row < 4; ++row)
      for (int64_t col = 0; col < 4; ++col)
        error += std::pow(weights(row, col) - decoded(row, col), 2);
    return error;
  };
  EXPECT_LT(getError(importance), 0.5 * getError({}));
}

TEST(BcqFormat, RejectsBadInput) {
  BcqFormat::Spec spec;
  spec.bits = 0;
  EXPECT_EQ(getMessage(BcqFormat::get(spec)),
            "bits is 0, but binary-coding quantization has 1 to 4 bits");
  spec.bits = 3;
  spec.groupCols = -1;
  EXPECT_EQ(getMessage(BcqFormat::get(spec)),
            "the group is 1 x -1, but its sizes must be positive, or 0 for the "
            "whole dimension");
  Matrix weights(1, 2);
  weights.values = {1e6f, 1};
  EXPECT_EQ(getMessage(roundToNearest(makeBcq(2, 2, 15, ElementType::F16),
                                      weights, minMax)),
            "weights up to 1e+06 need as large scales, but f16 ends at 65504; "
            "a wider scale type is needed");
  weights(0, 0) = std::numeric_limits<float>::infinity();
  EXPECT_EQ(getMessage(roundToNearest(makeBcq(2, 2), weights, minMax)),
            "the weight in row 0, column 0 is infinite; only finite weights "
            "can be quantized");
}

TEST(BcqFormat, Describes) {
  EXPECT_EQ(makeBcq(3, 0).describe(), "bcq3 [1, *] f32");
  EXPECT_EQ(makeBcq(2, 64, 15, ElementType::F16, 1, true).describe(),
            "bcq2 offset [1, 64] f16");
}

} // namespace
