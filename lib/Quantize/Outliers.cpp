//===- Outliers.cpp - Elements that are far from the others
//-----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Outliers.h"
#include <algorithm>
#include <cmath>
#include <functional>

using namespace lowbit;

static double getMean(ConstMatrixView weights) {
  double sum = 0;
  for (int64_t row = 0; row < weights.getRows(); ++row)
    for (int64_t col = 0; col < weights.getCols(); ++col)
      sum += weights(row, col);
  return sum / std::max<int64_t>(weights.size(), 1);
}

SparsePositions lowbit::findOutliers(ConstMatrixView weights, int64_t count) {
  const int64_t rows = weights.getRows(), cols = weights.getCols();
  assert(count <= rows * cols && "more outliers than elements");
  SparsePositions positions;
  positions.offsets.assign(rows + 1, 0);
  if (count == 0)
    return positions;
  const double mean = getMean(weights);
  auto getDistance = [&](int64_t row, int64_t col) {
    return static_cast<float>(std::fabs(weights(row, col) - mean));
  };
  std::vector<float> distances(rows * cols);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < cols; ++col)
      distances[row * cols + col] = getDistance(row, col);
  auto last = distances.begin() + (count - 1);
  std::nth_element(distances.begin(), last, distances.end(),
                   std::greater<float>());
  const float bound = *last;
  // Of those at the bound there may be more than are wanted.
  int64_t atBound = count - std::count_if(distances.begin(), last,
                                          [&](float d) { return d > bound; });
  positions.columns.reserve(count);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t col = 0; col < cols; ++col) {
      const float distance = getDistance(row, col);
      if (distance > bound || (distance == bound && atBound-- > 0))
        positions.columns.push_back(col);
    }
    positions.offsets[row + 1] = positions.columns.size();
  }
  return positions;
}

int64_t lowbit::countOutliers(ConstMatrixView weights, double sigma) {
  const double mean = getMean(weights);
  auto getSquare = [&](int64_t row, int64_t col) {
    const double distance = weights(row, col) - mean;
    return distance * distance;
  };
  double squares = 0;
  for (int64_t row = 0; row < weights.getRows(); ++row)
    for (int64_t col = 0; col < weights.getCols(); ++col)
      squares += getSquare(row, col);
  const double bound =
      sigma * sigma * squares / std::max<int64_t>(weights.size(), 1);
  int64_t count = 0;
  for (int64_t row = 0; row < weights.getRows(); ++row)
    for (int64_t col = 0; col < weights.getCols(); ++col)
      count += getSquare(row, col) > bound;
  return count;
}
