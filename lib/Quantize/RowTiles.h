//===- RowTiles.h - The unit of parallel work in the solvers ----*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_ROWTILES_H
#define LOWBIT_LIB_QUANTIZE_ROWTILES_H

#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace lowbit {

/// Cuts the rows of a matrix into tiles that do not cut row groups. The cut
/// depends on the matrix alone, so that results do not depend on the number of
/// threads.
class RowTiles {
public:
  RowTiles(int64_t rows, int64_t groupRows) : rows(rows) {
    // Enough tiles to keep many processors busy, but tiles large enough to
    // make good use of what is loaded for each.
    constexpr int64_t wantedTiles = 64, minRows = 16, maxRows = 128;
    int64_t size = std::clamp<int64_t>(llvm::divideCeil(rows, wantedTiles),
                                       minRows, maxRows);
    tileRows = llvm::alignTo(size, std::max<int64_t>(groupRows, 1));
  }

  int64_t getCount() const { return llvm::divideCeil(rows, tileRows); }
  /// The first row and the number of rows of a tile.
  std::pair<int64_t, int64_t> get(int64_t index) const {
    int64_t first = index * tileRows;
    return {first, std::min(tileRows, rows - first)};
  }

private:
  int64_t rows;
  int64_t tileRows;
};

/// Sums of squares of values and of their errors.
struct SquaredNorms {
  double value = 0;
  double error = 0;

  void add(double v, double e) {
    value += v * v;
    error += e * e;
  }
  SquaredNorms &operator+=(const SquaredNorms &other) {
    value += other.value;
    error += other.error;
    return *this;
  }
  /// ||error|| / ||value||; differences of large sums may end slightly below 0.
  double getRelativeError() const {
    return value > 0 ? std::sqrt(std::max(error, 0.0) / value) : 0.0;
  }
};

} // namespace lowbit

#endif // LOWBIT_LIB_QUANTIZE_ROWTILES_H
