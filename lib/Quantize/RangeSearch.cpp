//===- RangeSearch.cpp - The interval that a group's codes span -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/RangeSearch.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

using namespace lowbit;

RangeSearch::~RangeSearch() = default;

Range MinMaxSearch::search(Range full, llvm::ArrayRef<float>, RoundTrip) const {
  return full;
}

llvm::Expected<MseSearch> MseSearch::get(const Options &options) {
  if (options.grid < 1)
    return makeError("the grid of the range search is " +
                     llvm::Twine(options.grid) + ", but must be at least 1");
  if (!(options.maxShrink >= 0 && options.maxShrink < 1))
    return makeError("the largest shrinkage of the range search is " +
                     std::to_string(options.maxShrink) +
                     ", but must lie in [0, 1)");
  if (!(options.norm > 0))
    return makeError("the norm of the range search is " +
                     std::to_string(options.norm) + ", but must be positive");
  MseSearch search;
  search.options = options;
  return search;
}

Range MseSearch::search(Range full, llvm::ArrayRef<float> values,
                        RoundTrip roundTrip) const {
  llvm::SmallVector<float, 256> decoded(values.size());
  const float halfNorm = static_cast<float>(options.norm / 2);
  const int steps = static_cast<int>(options.maxShrink * options.grid);
  double bestError = std::numeric_limits<double>::infinity();
  Range best = full;
  for (int step = 0; step <= std::max(steps - 1, 0); ++step) {
    float shrink = 1.0f - static_cast<float>(step) / options.grid;
    Range range{shrink * full.lo, shrink * full.hi};
    roundTrip(range, values, decoded);
    double error = 0;
    for (size_t i = 0, e = values.size(); i != e && error < bestError; ++i) {
      float difference = decoded[i] - values[i];
      // |d|^p as (d^2)^(p/2): powf takes one path for all signs, and 0 stays 0.
      error += std::pow(difference * difference, halfNorm);
    }
    if (error < bestError) {
      bestError = error;
      best = range;
    }
  }
  return best;
}

llvm::Expected<PercentileSearch> PercentileSearch::get(double percentile) {
  if (percentile > 50 && percentile <= 100)
    return PercentileSearch(percentile);
  std::string message;
  llvm::raw_string_ostream(message)
      << "percentile is " << llvm::format("%g", percentile)
      << ", but must lie in (50, 100]";
  return makeError(message);
}

/// What `fraction` of the values lie below, between two of them perhaps;
/// reorders `values`.
static float getQuantile(llvm::MutableArrayRef<float> values, double fraction) {
  const double place = fraction * static_cast<double>(values.size() - 1);
  const auto lower = values.begin() + static_cast<size_t>(place);
  std::nth_element(values.begin(), lower, values.end());
  if (lower + 1 == values.end())
    return *lower;
  const double next = *std::min_element(lower + 1, values.end());
  return static_cast<float>(*lower +
                            (place - std::floor(place)) * (next - *lower));
}

Range PercentileSearch::search(Range full, llvm::ArrayRef<float> values,
                               RoundTrip) const {
  llvm::SmallVector<float, 256> sorted(values);
  const Range range{getQuantile(sorted, 1 - percentile / 100),
                    getQuantile(sorted, percentile / 100)};
  // Where nearly all values are the same, nothing would be left of the others.
  return range.lo < range.hi ? range : full;
}
