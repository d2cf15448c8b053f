//===- ActivationObserversTest.cpp - What activations are like ------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/ActivationObservers.h"
#include "TestUtils.h"
#include "lowbit/Quantize/UniformFormat.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

TEST(MagnitudeObserver, KnowsMagnitudesAndMoments) {
  MagnitudeObserver observer;
  EXPECT_EQ(observer.getLargest(), 0);
  EXPECT_EQ(observer.getMovingAverage(), 0);
  EXPECT_EQ(observer.getThreeSigma(), 0);
  observer.update({1, 2, 3});
  observer.update({});
  observer.update({-4, -5});
  EXPECT_EQ(observer.getLargest(), 5);
  EXPECT_FLOAT_EQ(observer.getMovingAverage(), 0.9f * 3 + 0.1f * 5);
  // The mean is -0.6, and the squares of differences add up to 53.2.
  EXPECT_FLOAT_EQ(observer.getThreeSigma(), 0.6f + 3 * std::sqrt(53.2f / 4));
  EXPECT_FALSE(observer.hasNonFinite());
}

TEST(MagnitudeObserver, MergesLikeUpdates) {
  const Matrix values = Random(1).matrix(6, 50, 3);
  MagnitudeObserver whole, first, second, empty;
  for (int64_t row = 0; row < 6; ++row) {
    llvm::ArrayRef<float> batch =
        llvm::ArrayRef(values.values).slice(row * 50, 50);
    whole.update(batch);
    (row < 2 ? first : second).update(batch);
  }
  first.merge(second);
  first.merge(empty);
  EXPECT_EQ(first.getLargest(), whole.getLargest());
  EXPECT_EQ(first.getMovingAverage(), whole.getMovingAverage());
  EXPECT_FLOAT_EQ(first.getThreeSigma(), whole.getThreeSigma());
}

TEST(MagnitudeObserver, SeesWhatIsNotFinite) {
  for (float value : {std::numeric_limits<float>::quiet_NaN(),
                      std::numeric_limits<float>::infinity()}) {
    MagnitudeObserver observer, other;
    observer.update({1, value});
    EXPECT_TRUE(observer.hasNonFinite());
    other.merge(observer);
    EXPECT_TRUE(other.hasNonFinite());
  }
}

TEST(MagnitudeHistogram, CountsInBinsOfEqualWidth) {
  MagnitudeHistogram histogram(2, 4), other(2, 4);
  // The largest magnitude belongs to the last bin.
  histogram.update({0, 0.4f, -0.5f, 1.9f, -2});
  EXPECT_EQ(histogram.getCounts(), llvm::ArrayRef<uint64_t>({2, 1, 0, 2}));
  other.update({1.2f});
  histogram.merge(other);
  EXPECT_EQ(histogram.getCounts(), llvm::ArrayRef<uint64_t>({2, 1, 1, 2}));
}

TEST(MagnitudeHistogram, PercentilesEndBins) {
  MagnitudeHistogram histogram(10, 10);
  std::vector<float> values(100);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = i < 90 ? 0.5f : i < 99 ? 3.5f : 10;
  histogram.update(values);
  EXPECT_EQ(histogram.getPercentile(90), 1);
  EXPECT_EQ(histogram.getPercentile(90.5), 4);
  EXPECT_EQ(histogram.getPercentile(99), 4);
  EXPECT_EQ(histogram.getPercentile(99.5), 10);
  EXPECT_EQ(histogram.getPercentile(100), 10);
}

/// Magnitudes that are spread evenly over [0, 1), and one of `outlier`.
MagnitudeHistogram makeEven(float outlier) {
  MagnitudeHistogram histogram(outlier);
  for (int i = 0; i < 100000; ++i)
    histogram.update({static_cast<float>(i) / 100000});
  histogram.update({outlier});
  return histogram;
}

TEST(MagnitudeHistogram, EntropyClipsWhatIsRare) {
  // What is not clipped keeps its shape only if nearly all values are kept.
  const float range = makeEven(8).getEntropyRange(128);
  EXPECT_GT(range, 0.99f);
  EXPECT_LT(range, 1.1f);
}

TEST(MagnitudeHistogram, EntropyKeepsWhatIsNotRare) {
  // The first bins of a wide range are as good as all of them: the end is in
  // the middle of a bin, which may lie beyond the range.
  EXPECT_NEAR(makeEven(1).getEntropyRange(128), 1, 0.01);
  MagnitudeHistogram few(3, 100);
  few.update({3, 1});
  EXPECT_EQ(few.getEntropyRange(128), 3);
}

TEST(ScaleErrorObserver, FindsTheLeastError) {
  UniformFormat::Spec spec;
  spec.bits = 4;
  spec.isSigned = true;
  spec.zero = ZeroKind::None;
  spec.groupRows = spec.groupCols = 0;
  spec.scales = ScaleType::F32;
  const UniformFormat format = unwrap(UniformFormat::get(spec));
  const std::unique_ptr<ScaledLevels> levels = format.getScaledLevels();
  const Matrix values = Random(2).matrix(7, 33, 2);
  const std::vector<float> scales = {0.1f, 0.3f, 0.5f, 0.7f, 0.9f};
  ScaleErrorObserver whole(*levels, scales), first(*levels, scales),
      second(*levels, scales);
  ConstMatrixView view = values;
  whole.update(view, /*threads=*/3);
  first.update(view.block(0, 0, 3, 33), 1);
  second.update(view.block(3, 0, 4, 33), 1);
  first.merge(second);

  double least = std::numeric_limits<double>::infinity();
  float best = 0;
  for (float scale : scales) {
    double error = 0;
    for (float value : values.values) {
      const double level =
          std::clamp(std::nearbyint(value / scale), -8.0f, 7.0f);
      error += (level * scale - value) * (level * scale - value);
    }
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  EXPECT_EQ(whole.getBestScale(), best);
  EXPECT_EQ(first.getBestScale(), best);
  EXPECT_NEAR(whole.getLeastError(), least, least * 1e-4);
  EXPECT_NEAR(first.getLeastError(), whole.getLeastError(), least * 1e-6);
}

} // namespace
