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
