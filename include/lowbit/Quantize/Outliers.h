//===- Outliers.h - Elements that are far from the others -------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_OUTLIERS_H
#define LOWBIT_QUANTIZE_OUTLIERS_H

#include "lowbit/Quantize/MatrixView.h"
#include <vector>

namespace lowbit {

/// Positions in a matrix by rows (CSR): those of row r are the elements from
/// offsets[r] to offsets[r + 1] of `columns`, in ascending order.
struct SparsePositions {
  std::vector<int32_t> offsets;
  std::vector<int32_t> columns;
};

/// The `count` elements that are farthest from the mean of all; of equals the
/// first ones, row by row.
SparsePositions findOutliers(ConstMatrixView weights, int64_t count);

/// How many elements are farther than `sigma` standard deviations from the
/// mean.
int64_t countOutliers(ConstMatrixView weights, double sigma);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_OUTLIERS_H
