//===- ScaleCalibratorTest.cpp - The scale of a tensor from its values ----===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/ScaleCalibrator.h"
#include "TestUtils.h"
#include "lowbit/Quantize/OvpFormat.h"
#include "lowbit/Quantize/Solver.h"
#include "lowbit/Quantize/UniformFormat.h"
#include <limits>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

std::unique_ptr<ScaledLevels> getIntegers(unsigned bits,
                                          ScaleType scales = ScaleType::F32) {
  UniformFormat::Spec spec;
  spec.bits = bits;
  spec.isSigned = true;
  spec.zero = ZeroKind::None;
  spec.groupRows = spec.groupCols = 0;
  spec.scales = scales;
  return unwrap(UniformFormat::get(spec)).getScaledLevels();
}

OvpFormat getPairs(OvpNormals normals) {
  const OvpOutliers outliers =
      normals == OvpNormals::Int8 ? OvpOutliers::E4M3 : OvpOutliers::E2M1;
  return unwrap(OvpFormat::get(
      {normals, outliers, /*keepsLeft=*/false, 0, 0, ScaleType::F32}));
}

/// Shows all batches to a calibrator, and the last ones to another one that is
/// merged with it.
llvm::Expected<float> calibrate(const ScaledLevels &levels,
                                ScaleCalibrator::Options options,
                                llvm::ArrayRef<Matrix> batches,
                                size_t numMerged = 0) {
  ScaleCalibrator calibrator(levels, options);
  for (int64_t pass = 0; pass < calibrator.getNumPasses(); ++pass) {
    if (pass > 0)
      if (llvm::Error error = calibrator.beginPass())
        return std::move(error);
    // It has seen nothing in this pass.
    ScaleCalibrator other = calibrator;
    const size_t own = batches.size() - numMerged;
    for (const Matrix &batch : batches.take_front(own))
      calibrator.update(batch, /*threads=*/2);
    if (numMerged == 0)
      continue;
    for (const Matrix &batch : batches.drop_front(own))
      other.update(batch, 1);
    calibrator.merge(other);
  }
  return calibrator.getScale();
}

const RangeMethod methods[] = {RangeMethod::MinMax,     RangeMethod::Average,
                               RangeMethod::Percentile, RangeMethod::Entropy,
                               RangeMethod::Mse,        RangeMethod::Sigma};

std::vector<Matrix> makeBatches() {
  std::vector<Matrix> batches;
  for (uint64_t seed = 0; seed < 4; ++seed)
    batches.push_back(Random(seed).matrix(16, 64, 1));
  batches[2].values[5] = -30;
  return batches;
}

TEST(ScaleCalibrator, RangesEndAtTheLastCode) {
  Matrix first(1, 4), second(1, 4);
  first.values = {1, -2, 0.5f, 0};
  second.values = {4, 1, 0, 0};
  const auto levels = getIntegers(8);
  EXPECT_EQ(unwrap(calibrate(*levels, {RangeMethod::MinMax}, {first, second})),
            4.0f / 127);
  EXPECT_FLOAT_EQ(
      unwrap(calibrate(*levels, {RangeMethod::Average}, {first, second})),
      (0.9f * 2 + 0.1f * 4) / 127);
  // Seven of eight magnitudes are at most 2.
  EXPECT_NEAR(unwrap(calibrate(*levels, {RangeMethod::Percentile, 87.5},
                               {first, second})),
              2.0f / 127, 5.0f / 2048 / 127);
  EXPECT_EQ(unwrap(calibrate(*getIntegers(4), {RangeMethod::MinMax},
                             {first, second})),
            4.0f / 7);
  const auto halves = getIntegers(8, ScaleType::F16);
  EXPECT_EQ(unwrap(calibrate(*halves, {RangeMethod::MinMax}, {second})),
            roundToType(ScaleType::F16, 4.0f / 127));
}

TEST(ScaleCalibrator, OutliersAreClipped) {
  const std::vector<Matrix> batches = makeBatches();
  const auto levels = getIntegers(4);
  const float whole =
      unwrap(calibrate(*levels, {RangeMethod::MinMax}, batches));
  EXPECT_EQ(whole, 30.0f / 7);
  for (RangeMethod method : llvm::drop_begin(methods))
    EXPECT_LT(unwrap(calibrate(*levels, {method, 99.9}, batches)), whole / 2);
}

TEST(ScaleCalibrator, MergesLikeUpdates) {
  const std::vector<Matrix> batches = makeBatches();
  const auto levels = getIntegers(8);
  for (RangeMethod method : methods)
    EXPECT_FLOAT_EQ(unwrap(calibrate(*levels, {method}, batches, 2)),
                    unwrap(calibrate(*levels, {method}, batches)));
}

TEST(ScaleCalibrator, ZerosHaveAScale) {
  const Matrix zeros(2, 6);
  const OvpFormat pairs = getPairs(OvpNormals::Int4);
  const auto levels = getIntegers(8), pairLevels = pairs.getScaledLevels();
  for (RangeMethod method : methods) {
    EXPECT_EQ(unwrap(calibrate(*levels, {method}, {zeros})), 1.0f / 127);
    EXPECT_EQ(unwrap(calibrate(*pairLevels, {method}, {zeros})), 1.0f / 7);
    EXPECT_EQ(unwrap(calibrate(*levels, {method}, {})), 1.0f / 127);
  }
}

TEST(ScaleCalibrator, RefusesWhatIsNotFinite) {
  Matrix values = Random(0).matrix(2, 6);
  values.values[7] = std::numeric_limits<float>::quiet_NaN();
  const auto levels = getIntegers(8);
  for (RangeMethod method : methods)
    EXPECT_EQ(getMessage(calibrate(*levels, {method}, {values})),
              "a value is NaN or infinite");
  EXPECT_EQ(toString(ScaleCalibrator::check({RangeMethod::Percentile, 50})),
            "percentile is 50, but must lie in (50, 100]");
  EXPECT_EQ(toString(ScaleCalibrator::check({RangeMethod::Percentile, 100.5})),
            "percentile is 100.5, but must lie in (50, 100]");
}

/// What is found for activations is what the search for a weight of the same
/// values finds.
TEST(ScaleCalibrator, SigmaIsTheSearchForPairs) {
  for (OvpNormals normals :
       {OvpNormals::Int4, OvpNormals::Flint4, OvpNormals::Int8}) {
    Matrix values = makeBatches()[2];
    const OvpFormat format = getPairs(normals);
    const float found = unwrap(
        calibrate(*format.getScaledLevels(), {RangeMethod::Sigma}, {values}));
    EXPECT_FLOAT_EQ(found, format.searchScales(values, {}).front());
  }
}

/// Levels are what the encoder of the format makes of values.
TEST(ScaledLevels, AgreeWithTheEncoder) {
  const MinMaxSearch search;
  for (OvpNormals normals :
       {OvpNormals::Int4, OvpNormals::Flint4, OvpNormals::Int8})
    for (int64_t cols : {1, 6, 301}) {
      Matrix values = Random(cols).matrix(3, cols, 2);
      values.values[0] = 40;
      const OvpFormat format = getPairs(normals);
      const float scale = format.searchScales(values, {}).front();
      const Matrix decoded =
          decode(format, unwrap(roundToNearest(format, values, search)).matrix);
      const auto levels = format.getScaledLevels();
      std::vector<float> steps(cols), rounded(cols);
      for (int64_t row = 0; row < 3; ++row) {
        for (int64_t col = 0; col < cols; ++col)
          steps[col] = values.values[row * cols + col] / scale;
        levels->round(steps, rounded);
        for (int64_t col = 0; col < cols; ++col)
          EXPECT_EQ(rounded[col] * scale, decoded.values[row * cols + col]);
      }
    }
}

TEST(ScaledLevels, IntegersRoundToEven) {
  const auto levels = getIntegers(4);
  float rounded[7];
  levels->round({-9.0f, -2.5f, -0.5f, 0.5f, 1.5f, 6.51f, 1e30f}, rounded);
  EXPECT_EQ(llvm::ArrayRef(rounded),
            llvm::ArrayRef<float>({-8, -2, 0, 0, 2, 7, 7}));
}

TEST(ScaledLevels, AreOfFormatsWithOneScale) {
  UniformFormat::Spec spec;
  spec.groupRows = spec.groupCols = 0;
  EXPECT_EQ(unwrap(UniformFormat::get(spec)).getScaledLevels(), nullptr);
  spec.zero = ZeroKind::None;
  EXPECT_EQ(unwrap(UniformFormat::get(spec)).getScaledLevels(), nullptr);
  spec.isSigned = true;
  EXPECT_NE(unwrap(UniformFormat::get(spec)).getScaledLevels(), nullptr);
  spec.scales = ScaleType::F8E8M0FNU;
  EXPECT_EQ(unwrap(UniformFormat::get(spec)).getScaledLevels(), nullptr);
  spec.scales = ScaleType::F16;
  spec.groupRows = 1;
  EXPECT_EQ(unwrap(UniformFormat::get(spec)).getScaledLevels(), nullptr);
}

} // namespace
