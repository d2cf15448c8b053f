//===- ExactFit.cpp - Parameters with which values are exact --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExactFit.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace lowbit;

std::optional<float> lowbit::findExact(float value, RoundToStorage round,
                                       IsExact isExact) {
  // A product is off by half a place at most, and so is its quotient.
  constexpr int maxPlaces = 2;
  const float infinity = std::numeric_limits<float>::infinity();
  float below = value, above = value, last = round(value);
  if (std::isfinite(last) && isExact(last))
    return last;
  for (int places = 1; places <= maxPlaces; ++places) {
    below = std::nextafter(below, -infinity);
    above = std::nextafter(above, infinity);
    for (float candidate : {round(below), round(above)}) {
      // Storage of few bits rounds them all to the same.
      if (candidate == last || !std::isfinite(candidate))
        continue;
      if (isExact(candidate))
        return candidate;
    }
  }
  return std::nullopt;
}

std::optional<float> lowbit::findExactScale(float greatest,
                                            llvm::ArrayRef<float> levels,
                                            bool anySign, RoundToStorage round,
                                            IsExact isExact) {
  for (float level : levels) {
    const float scale = greatest / level;
    if (level == 0 || !std::isfinite(scale) || (scale < 0 && !anySign))
      continue;
    if (std::optional<float> exact = findExact(scale, round, isExact))
      return exact;
  }
  return std::nullopt;
}

float lowbit::getGreatest(llvm::ArrayRef<float> values) {
  return *std::max_element(values.begin(), values.end(), [](float a, float b) {
    return std::fabs(a) < std::fabs(b);
  });
}

llvm::SmallVector<float> lowbit::countTo(int32_t count) {
  llvm::SmallVector<float> numbers;
  for (int32_t number = 1; number <= count; ++number)
    numbers.push_back(static_cast<float>(number));
  return numbers;
}

std::optional<Range> lowbit::getMultiples(llvm::ArrayRef<float> values,
                                          float scale) {
  Range range{std::numeric_limits<float>::infinity(),
              -std::numeric_limits<float>::infinity()};
  for (float value : values) {
    const float multiple = std::nearbyint(value / scale);
    if (scale * multiple != value)
      return std::nullopt;
    range.lo = std::min(range.lo, multiple);
    range.hi = std::max(range.hi, multiple);
  }
  return range;
}

llvm::SmallVector<float, 256> lowbit::collect(ConstMatrixView values,
                                              int64_t firstRow, int64_t rows) {
  llvm::SmallVector<float, 256> members;
  for (int64_t row = firstRow; row < firstRow + rows; ++row)
    for (int64_t col = 0; col < values.getCols(); ++col)
      members.push_back(values(row, col));
  return members;
}
