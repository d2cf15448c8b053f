//===- RangeSearch.h - The interval that a group's codes span ---*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_RANGESEARCH_H
#define LOWBIT_QUANTIZE_RANGESEARCH_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

namespace lowbit {

/// A closed interval of float values.
struct Range {
  float lo;
  float hi;
};

/// Chooses the interval that the codes of one group span. A narrower interval
/// than that of the values clips the extremes and resolves the rest better.
class RangeSearch {
public:
  /// What the values of the group decode to when the codes span `range`.
  using RoundTrip =
      llvm::function_ref<void(Range range, llvm::ArrayRef<float> values,
                              llvm::MutableArrayRef<float> decoded)>;

  virtual ~RangeSearch();
  /// `full` spans `values` as the format has to cover them (0 included, say).
  virtual Range search(Range full, llvm::ArrayRef<float> values,
                       RoundTrip roundTrip) const = 0;
};

/// The whole interval: nothing is clipped.
class MinMaxSearch final : public RangeSearch {
public:
  Range search(Range full, llvm::ArrayRef<float> values,
               RoundTrip roundTrip) const override;
};

/// Shrinks the interval in steps of 1/grid of its width and keeps the first
/// one with the least sum of |decoded - value|^norm: the grid of the GPTQ
/// reference code, which shrinks to a fifth and takes the norm 2.4.
class MseSearch final : public RangeSearch {
public:
  struct Options {
    int grid = 100;
    double maxShrink = 0.8;
    double norm = 2.4;
  };

  MseSearch() = default;
  static llvm::Expected<MseSearch> get(const Options &options);

  Range search(Range full, llvm::ArrayRef<float> values,
               RoundTrip roundTrip) const override;

private:
  Options options;
};

/// From the (100 - percentile)-th to the percentile-th percentile: as many
/// values of a group are clipped at either end. Percentiles between two values
/// are interpolated linearly, as numpy does it. Where the two are the same, the
/// interval stays whole.
class PercentileSearch final : public RangeSearch {
public:
  /// More than 50, and at most 100, which clips nothing.
  static llvm::Expected<PercentileSearch> get(double percentile);

  Range search(Range full, llvm::ArrayRef<float> values,
               RoundTrip roundTrip) const override;

private:
  explicit PercentileSearch(double percentile) : percentile(percentile) {}

  double percentile;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_RANGESEARCH_H
