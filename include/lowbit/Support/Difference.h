//===- Difference.h - how far numbers are from others -----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_SUPPORT_DIFFERENCE_H
#define LOWBIT_SUPPORT_DIFFERENCE_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace lowbit {

/// How far numbers are from a reference, over all that is added piece by piece.
/// Sums are in double precision. A NaN on either side makes every figure NaN.
class Difference {
public:
  /// `other` has as many elements as `reference`.
  void add(llvm::ArrayRef<float> reference, llvm::ArrayRef<float> other);

  int64_t getCount() const { return count; }
  /// ||x - y|| / ||x||; 0 if both are 0, infinite if only x is.
  double getRelativeError() const;
  /// Energy of the reference over that of the difference, in decibels; infinite
  /// if there is no difference.
  double getSnr() const;
  /// The cosine of the angle between both; 1 if both are 0, and 0 if one is.
  double getCosine() const;
  /// The largest and the mean absolute difference.
  double getMax() const { return max; }
  double getMean() const { return count ? sum / double(count) : 0; }
  /// The least and the greatest value on both sides.
  float getLow() const { return low; }
  float getHigh() const { return high; }

private:
  int64_t count = 0;
  double signal = 0, otherSignal = 0, product = 0, noise = 0;
  double sum = 0, max = 0;
  float low = 0, high = 0;
};

/// How many numbers lie in each of some bins of one width between two values.
class Histogram {
public:
  Histogram(float low, float high, unsigned bins)
      : low(low), high(high), counts(bins) {}

  /// Numbers outside of the range, and those that are no numbers, are not
  /// counted. The last bin has both its ends.
  void add(llvm::ArrayRef<float> values);

  float getLow() const { return low; }
  float getHigh() const { return high; }
  llvm::ArrayRef<int64_t> getCounts() const { return counts; }

private:
  float low, high;
  std::vector<int64_t> counts;
};

} // namespace lowbit

#endif // LOWBIT_SUPPORT_DIFFERENCE_H
