//===- MinMaxObserver.h - The range of a layer's inputs ---------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_MINMAXOBSERVER_H
#define LOWBIT_QUANTIZE_MINMAXOBSERVER_H

#include "lowbit/Quantize/MatrixView.h"
#include "lowbit/Quantize/RangeSearch.h"
#include <algorithm>

namespace lowbit {

/// The least and the greatest value over all batches; both 0 when nothing was
/// seen. 0 always counts as seen, as every format can represent it.
class MinMaxObserver {
public:
  void update(ConstMatrixView inputs) {
    for (int64_t row = 0; row < inputs.getRows(); ++row)
      for (int64_t col = 0; col < inputs.getCols(); ++col) {
        range.lo = std::min(range.lo, inputs(row, col));
        range.hi = std::max(range.hi, inputs(row, col));
      }
  }
  void merge(const MinMaxObserver &other) {
    range.lo = std::min(range.lo, other.range.lo);
    range.hi = std::max(range.hi, other.range.hi);
  }
  Range getRange() const { return range; }

private:
  Range range{0, 0};
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_MINMAXOBSERVER_H
