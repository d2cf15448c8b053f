//===- Magnitudes.h - How large activations are -----------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_MAGNITUDES_H
#define LOWBIT_QUANTIZE_MAGNITUDES_H

#include "lowbit/Quantize/MatrixView.h"
#include "llvm/ADT/ArrayRef.h"
#include <vector>

namespace lowbit {

/// The mean and the greatest magnitude of each channel over batches of
/// activations. Sums run over the tokens in their order, in double precision.
class MagnitudeAccumulator {
public:
  explicit MagnitudeAccumulator(int64_t width) : sums(width), maxima(width) {}

  /// Adds activations [tokens, width], row-major.
  void update(ConstMatrixView rows);

  /// NaN or infinite where any value of the channel was; 0 if nothing was seen.
  std::vector<float> getMeans() const;
  llvm::ArrayRef<float> getMaxima() const { return maxima; }

private:
  int64_t count = 0;
  std::vector<double> sums;
  std::vector<float> maxima;
};

/// The sum of the squared differences of values.
double getSquaredDistance(llvm::ArrayRef<float> values,
                          llvm::ArrayRef<float> others);
/// The sum of the squares of values.
double getSquaredNorm(llvm::ArrayRef<float> values);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_MAGNITUDES_H
