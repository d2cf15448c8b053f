//===- ActivationObservers.cpp - What activations are like ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/ActivationObservers.h"
#include "Parallel.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace lowbit;

//===----------------------------------------------------------------------===//
// Magnitudes
//===----------------------------------------------------------------------===//

void MagnitudeObserver::update(llvm::ArrayRef<float> batch) {
  if (batch.empty())
    return;
  MagnitudeObserver seen;
  float most = 0;
  for (float value : batch) {
    seen.nonFinite |= !std::isfinite(value);
    most = std::max(most, std::fabs(value));
    seen.mean += value;
  }
  seen.count = static_cast<int64_t>(batch.size());
  seen.mean /= static_cast<double>(seen.count);
  for (float value : batch)
    seen.squares += (value - seen.mean) * (value - seen.mean);
  seen.largest.push_back(most);
  merge(seen);
}

/// Moments add up as Chan, Golub and LeVeque (1979) have it.
void MagnitudeObserver::merge(const MagnitudeObserver &other) {
  nonFinite |= other.nonFinite;
  llvm::append_range(largest, other.largest);
  if (other.count == 0)
    return;
  const double total = static_cast<double>(count + other.count);
  const double difference = other.mean - mean;
  squares += other.squares + difference * difference *
                                 static_cast<double>(count) *
                                 static_cast<double>(other.count) / total;
  mean += difference * static_cast<double>(other.count) / total;
  count += other.count;
}

float MagnitudeObserver::getLargest() const {
  return largest.empty() ? 0 : *llvm::max_element(largest);
}

float MagnitudeObserver::getMovingAverage() const {
  if (largest.empty())
    return 0;
  double average = largest.front();
  for (float next : llvm::drop_begin(largest))
    average = 0.9 * average + 0.1 * next;
  return static_cast<float>(average);
}

float MagnitudeObserver::getThreeSigma() const {
  const double sigma =
      std::sqrt(squares / static_cast<double>(std::max<int64_t>(count - 1, 1)));
  return static_cast<float>(std::min<double>(
      std::fabs(mean) + 3 * sigma, std::numeric_limits<float>::max()));
}

//===----------------------------------------------------------------------===//
// Histograms
//===----------------------------------------------------------------------===//

void MagnitudeHistogram::update(llvm::ArrayRef<float> batch) {
  const double bins = static_cast<double>(counts.size());
  for (float value : batch) {
    const double place = std::fabs(static_cast<double>(value)) / limit * bins;
    ++counts[static_cast<size_t>(std::min(place, bins - 1))];
  }
}

void MagnitudeHistogram::merge(const MagnitudeHistogram &other) {
  assert(limit == other.limit && counts.size() == other.counts.size() &&
         "the bins are others");
  for (auto [count, more] : llvm::zip_equal(counts, other.counts))
    count += more;
}

float MagnitudeHistogram::getPercentile(double percentile) const {
  double total = 0;
  for (uint64_t count : counts)
    total += static_cast<double>(count);
  const double wanted = total * percentile / 100;
  double below = 0;
  for (auto [bin, count] : llvm::enumerate(counts)) {
    below += static_cast<double>(count);
    if (below >= wanted && below > 0)
      return static_cast<float>(static_cast<double>(limit) *
                                static_cast<double>(bin + 1) /
                                static_cast<double>(counts.size()));
  }
  return limit;
}

/// The divergence of what is left of `counts`, with all that lies beyond `end`
/// in its last bin, from what `levels` magnitudes make of it. What is clipped
/// must not be in the latter, or no clipping would ever be the best.
static double getDivergence(llvm::ArrayRef<double> counts, int64_t end,
                            int64_t levels, double beyond) {
  std::vector<double> sums(levels), filled(levels);
  auto getLevel = [&](int64_t bin) { return bin * levels / end; };
  for (int64_t bin = 0; bin < end; ++bin) {
    sums[getLevel(bin)] += counts[bin];
    filled[getLevel(bin)] += counts[bin] > 0;
  }
  double kept = 0;
  for (double sum : sums)
    kept += sum;
  if (kept == 0)
    return std::numeric_limits<double>::infinity();
  const double total = kept + beyond;
  // Where nothing but what was clipped lies: a small part of one value.
  constexpr double floor = 1e-4;
  double divergence = 0;
  for (int64_t bin = 0; bin < end; ++bin) {
    const double p = counts[bin] + (bin + 1 == end ? beyond : 0);
    if (p == 0)
      continue;
    const int64_t level = getLevel(bin);
    const double q =
        std::max(counts[bin] > 0 ? sums[level] / filled[level] : 0, floor);
    divergence += p / total * std::log((p / total) / (q / kept));
  }
  return divergence;
}

float MagnitudeHistogram::getEntropyRange(int64_t levels) const {
  const auto bins = static_cast<int64_t>(counts.size());
  if (bins <= levels)
    return limit;
  std::vector<double> numbers(counts.begin(), counts.end());
  numbers[0] = numbers[1];
  double beyond = 0;
  for (double number : llvm::drop_begin(numbers, levels))
    beyond += number;
  double least = std::numeric_limits<double>::infinity();
  int64_t best = bins;
  for (int64_t end = levels; end <= bins; ++end) {
    const double divergence = getDivergence(numbers, end, levels, beyond);
    if (divergence < least) {
      least = divergence;
      best = end;
    }
    if (end < bins)
      beyond -= numbers[end];
  }
  return static_cast<float>((static_cast<double>(best) + 0.5) *
                            static_cast<double>(limit) /
                            static_cast<double>(bins));
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

ScaleErrorObserver::ScaleErrorObserver(const ScaledLevels &levels,
                                       llvm::ArrayRef<float> scales)
    : levels(&levels), errors(scales.size()) {
  for (float scale : scales)
    this->scales.push_back(levels.roundScale(scale));
}

/// The squared errors of values in units of the scale, in an order of its own
/// that vectorizes.
static double sumErrors(llvm::ArrayRef<float> values,
                        llvm::ArrayRef<float> levels) {
  constexpr size_t lanes = 8;
  float sums[lanes] = {};
  size_t i = 0;
  for (; i + lanes <= values.size(); i += lanes)
    for (size_t lane = 0; lane < lanes; ++lane) {
      const float difference = levels[i + lane] - values[i + lane];
      sums[lane] += difference * difference;
    }
  double total = 0;
  for (; i < values.size(); ++i) {
    const double difference = levels[i] - values[i];
    total += difference * difference;
  }
  for (float sum : sums)
    total += sum;
  return total;
}

void ScaleErrorObserver::update(ConstMatrixView batch, unsigned threads) {
  const int64_t rows = batch.getRows(), cols = batch.getCols();
  parallelFor(static_cast<int64_t>(scales.size()), threads, [&](int64_t i) {
    std::vector<float> values(cols), rounded(cols);
    const float scale = scales[i];
    double error = 0;
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t col = 0; col < cols; ++col)
        values[col] = batch(row, col) / scale;
      levels->round(values, rounded);
      error += sumErrors(values, rounded);
    }
    errors[i] += error * scale * scale;
  });
}

void ScaleErrorObserver::merge(const ScaleErrorObserver &other) {
  assert(scales == other.scales && "the candidates are others");
  for (auto [error, more] : llvm::zip_equal(errors, other.errors))
    error += more;
}

size_t ScaleErrorObserver::getBest() const {
  return llvm::min_element(errors) - errors.begin();
}
