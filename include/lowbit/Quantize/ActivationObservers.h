//===- ActivationObservers.h - What activations are like --------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is gathered of a tensor's values on calibration data, batch by batch.
// All observers can be merged: each process watches a part of the data, and
// what it saw is added up.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_ACTIVATIONOBSERVERS_H
#define LOWBIT_QUANTIZE_ACTIVATIONOBSERVERS_H

#include "lowbit/Quantize/BlockFormat.h"
#include <cstdint>
#include <vector>

namespace lowbit {

/// The magnitudes and moments of all values.
class MagnitudeObserver {
public:
  void update(llvm::ArrayRef<float> batch);
  /// Adds what was seen in the batches after these.
  void merge(const MagnitudeObserver &other);

  /// Whether a value was NaN or infinite, which tells nothing of the others.
  bool hasNonFinite() const { return nonFinite; }
  /// The largest magnitude; 0 if nothing was seen.
  float getLargest() const;
  /// The largest magnitude of a batch, averaged: that of the first, and then
  /// 0.9 times the average plus 0.1 times that of the next one.
  float getMovingAverage() const;
  /// The larger magnitude of mean + 3 sigma and mean - 3 sigma.
  float getThreeSigma() const;

private:
  bool nonFinite = false;
  int64_t count = 0;
  double mean = 0;
  /// Of the differences from the mean, the sum of squares.
  double squares = 0;
  /// By batch.
  std::vector<float> largest;
};

/// How many magnitudes lie in each of some bins of equal width.
class MagnitudeHistogram {
public:
  static constexpr int64_t defaultBins = 2048;

  /// For magnitudes up to `limit`, which is positive.
  explicit MagnitudeHistogram(float limit, int64_t bins = defaultBins)
      : limit(limit), counts(bins) {}

  void update(llvm::ArrayRef<float> batch);
  /// Of the same bins.
  void merge(const MagnitudeHistogram &other);

  llvm::ArrayRef<uint64_t> getCounts() const { return counts; }
  /// The end of the first bin up to which there are `percentile` percent of the
  /// magnitudes.
  float getPercentile(double percentile) const;
  /// The range with the least Kullback-Leibler divergence between the values
  /// that it clips and what `levels` magnitudes, 0 among them, make of those:
  /// TensorRT's calibration (Migacz 2017). Each range ends in the middle of a
  /// bin, after at least `levels` bins. The first bin, which exact zeros can
  /// fill, counts as much as the second. The whole range if there are no more
  /// bins than levels.
  float getEntropyRange(int64_t levels) const;

private:
  float limit;
  std::vector<uint64_t> counts;
};

/// The errors that candidates for the one scale of a tensor make.
class ScaleErrorObserver {
public:
  /// Keeps a reference to `levels`. Scales are rounded as they are stored.
  ScaleErrorObserver(const ScaledLevels &levels, llvm::ArrayRef<float> scales);

  /// Results do not depend on the number of threads.
  void update(ConstMatrixView batch, unsigned threads);
  /// Of the same candidates.
  void merge(const ScaleErrorObserver &other);

  /// The first of the scales with the least sum of squared errors.
  float getBestScale() const { return scales[getBest()]; }
  double getLeastError() const { return errors[getBest()]; }

private:
  size_t getBest() const;

  const ScaledLevels *levels;
  std::vector<float> scales;
  std::vector<double> errors;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_ACTIVATIONOBSERVERS_H
