//===- Difference.cpp - how far numbers are from others -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/Difference.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

using namespace lowbit;

void Difference::add(llvm::ArrayRef<float> reference,
                     llvm::ArrayRef<float> other) {
  if (count == 0 && !reference.empty())
    low = high = reference.front();
  for (auto [x, y] : llvm::zip_equal(reference, other)) {
    const double error = std::abs(double(x) - double(y));
    // A NaN on one side must not pass as equal, and stays.
    if (error > max || std::isnan(error))
      max = error;
    sum += error;
    signal += double(x) * x;
    otherSignal += double(y) * y;
    product += double(x) * y;
    noise += error * error;
    low = std::min({low, x, y});
    high = std::max({high, x, y});
  }
  count += reference.size();
}

double Difference::getRelativeError() const {
  return noise == 0 ? 0 : std::sqrt(noise / signal);
}

double Difference::getSnr() const {
  return -20 * std::log10(getRelativeError());
}

double Difference::getCosine() const {
  if (signal == 0 && otherSignal == 0)
    return 1;
  if (signal == 0 || otherSignal == 0)
    return 0;
  return product / std::sqrt(signal) / std::sqrt(otherSignal);
}

void Histogram::add(llvm::ArrayRef<float> values) {
  const double width = (double(high) - low) / double(counts.size());
  for (float value : values) {
    if (!(value >= low && value <= high))
      continue;
    const double place = width > 0 ? (double(value) - low) / width : 0;
    ++counts[std::min(static_cast<size_t>(place), counts.size() - 1)];
  }
}
