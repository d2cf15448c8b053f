//===- ScaleCalibrator.h - The scale of a tensor from its values -*- C++
//-*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_SCALECALIBRATOR_H
#define LOWBIT_QUANTIZE_SCALECALIBRATOR_H

#include "lowbit/Quantize/ActivationObservers.h"
#include <optional>

namespace lowbit {

/// How the range that the codes of activations span, symmetric about 0, follows
/// from their values.
///   * MinMax: it ends at the largest magnitude.
///   * Average: at the moving average of the largest magnitude of each batch.
///   * Percentile: at a percentile of the magnitudes, from a histogram.
///   * Entropy: where clipping loses the least information; see
///     `MagnitudeHistogram::getEntropyRange`.
///   * Mse: at 1.00, 0.99, ... or 0.21 times the largest magnitude, whichever
///     makes the least squared error.
///   * Sigma: the same of 0.75, 0.77, ... or 1.49 times the larger magnitude of
///     mean + 3 sigma and mean - 3 sigma: OliVe's search, for formats with
///     levels beyond the range.
enum class RangeMethod : uint8_t {
  MinMax,
  Average,
  Percentile,
  Entropy,
  Mse,
  Sigma
};

/// By the names "minmax", "average", ...
std::optional<RangeMethod> getRangeMethod(llvm::StringRef name);

/// Finds the one scale of a tensor in one or two passes over calibration data:
/// what the second gathers depends on what the first has seen.
class ScaleCalibrator {
public:
  struct Options {
    RangeMethod method = RangeMethod::MinMax;
    /// More than 50, and at most 100.
    double percentile = 99.99;
  };

  /// Keeps a reference to `levels`.
  ScaleCalibrator(const ScaledLevels &levels, const Options &options)
      : levels(&levels), options(options) {}

  /// Fails with a message that names the wrong value.
  static llvm::Error check(const Options &options);

  int64_t getNumPasses() const;
  /// Begins the next pass; the first needs no such call. Fails if values were
  /// not finite.
  llvm::Error beginPass();
  /// The rows of the batch lie one behind the other.
  void update(ConstMatrixView batch, unsigned threads);
  /// Adds what another one saw, in the same pass.
  void merge(const ScaleCalibrator &other);

  /// At the end of the last pass, as it is stored. Fails if values were not
  /// finite.
  llvm::Expected<float> getScale() const;
  /// The sum of squared errors with that scale, where the method measures it.
  std::optional<double> getError() const;

private:
  llvm::Error checkFinite() const;
  /// The scale with which codes span [-range, range], or [-1, 1] if that is
  /// empty.
  float getScaleOf(float range) const;
  llvm::SmallVector<float> getCandidates() const;

  const ScaledLevels *levels;
  Options options;
  int64_t pass = 0;
  MagnitudeObserver magnitudes;
  std::optional<MagnitudeHistogram> histogram;
  std::optional<ScaleErrorObserver> errors;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_SCALECALIBRATOR_H
