//===- Magnitudes.cpp - How large activations are -------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Magnitudes.h"
#include <algorithm>
#include <cassert>
#include <cmath>

using namespace lowbit;

void MagnitudeAccumulator::update(ConstMatrixView rows) {
  const int64_t width = sums.size();
  assert(rows.getCols() == width && rows.getColStride() == 1 &&
         "row-major activations of this width");
  for (int64_t row = 0; row < rows.getRows(); ++row) {
    const float *values = rows.getData() + row * rows.getRowStride();
    for (int64_t col = 0; col < width; ++col) {
      const float magnitude = std::abs(values[col]);
      sums[col] += magnitude;
      maxima[col] = std::max(maxima[col], magnitude);
    }
  }
  count += rows.getRows();
}

std::vector<float> MagnitudeAccumulator::getMeans() const {
  std::vector<float> means;
  for (double sum : sums)
    means.push_back(count == 0 ? 0.0f : static_cast<float>(sum / count));
  return means;
}

/// Sums `term(i)` in eight parts, so that it vectorizes.
template <typename Term>
static double sumInParts(size_t count, Term term) {
  constexpr size_t parts = 8;
  double sums[parts] = {};
  size_t i = 0;
  for (; i + parts <= count; i += parts)
    for (size_t part = 0; part < parts; ++part)
      sums[part] += term(i + part);
  for (; i < count; ++i)
    sums[0] += term(i);
  double total = 0;
  for (double sum : sums)
    total += sum;
  return total;
}

double lowbit::getSquaredDistance(llvm::ArrayRef<float> values,
                                  llvm::ArrayRef<float> others) {
  assert(values.size() == others.size() && "pairs of values");
  const float *a = values.data(), *b = others.data();
  return sumInParts(values.size(), [&](size_t i) {
    const double difference = static_cast<double>(a[i]) - b[i];
    return difference * difference;
  });
}

double lowbit::getSquaredNorm(llvm::ArrayRef<float> values) {
  const float *a = values.data();
  return sumInParts(values.size(),
                    [&](size_t i) { return static_cast<double>(a[i]) * a[i]; });
}
