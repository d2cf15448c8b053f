//===- SmoothQuant.cpp - Difficulty moved into weights --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/SmoothQuant.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cassert>
#include <cmath>

using namespace lowbit;

/// The published bound on weights and factors.
static constexpr double smallest = 1e-5;

std::vector<float> lowbit::getSmoothScales(llvm::ArrayRef<float> activations,
                                           llvm::ArrayRef<float> weights,
                                           double alpha) {
  std::vector<float> scales;
  for (auto [activation, weight] : llvm::zip_equal(activations, weights)) {
    const double scale =
        std::pow(double(activation), alpha) /
        std::pow(std::max<double>(weight, smallest), 1 - alpha);
    scales.push_back(static_cast<float>(std::max(scale, smallest)));
  }
  return scales;
}

void lowbit::roundScaledActivations(const ActivationCodes &codes,
                                    llvm::ArrayRef<float> scales,
                                    MatrixView values) {
  const int64_t cols = values.getCols();
  assert(int64_t(scales.size()) == cols && "a scale for each channel");
  const float largestCode = static_cast<float>((1 << (codes.bits - 1)) - 1);
  const int64_t groupCols = codes.groupCols == 0 ? cols : codes.groupCols;
  for (int64_t row = 0; row < values.getRows(); ++row)
    for (int64_t begin = 0; begin < cols; begin += groupCols) {
      const int64_t end = std::min(begin + groupCols, cols);
      float range = codes.range.value_or(0);
      for (int64_t col = begin; col < end; ++col) {
        values(row, col) /= scales[col];
        if (!codes.range)
          range = std::max(range, std::abs(values(row, col)));
      }
      const float step = range / largestCode;
      for (int64_t col = begin; col < end; ++col) {
        const float code =
            step > 0 ? std::clamp(std::nearbyint(values(row, col) / step),
                                  -largestCode, largestCode)
                     : 0;
        values(row, col) = code * step * scales[col];
      }
    }
}
