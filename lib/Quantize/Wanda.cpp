//===- Wanda.cpp - Pruning by weights and activations
//-------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Wanda.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <vector>

using namespace lowbit;

/// Visits in each row the part `sparsity` with the least scores; of equal ones
/// the first.
static void forEachLeastInRows(double sparsity, ConstMatrixView scores,
                               VisitElement visit) {
  const int64_t count = getPrunedCount(sparsity, scores.getCols());
  std::vector<int64_t> order(scores.getCols());
  for (int64_t row = 0; row < scores.getRows(); ++row) {
    std::iota(order.begin(), order.end(), 0);
    std::nth_element(order.begin(), order.begin() + count, order.end(),
                     [&](int64_t a, int64_t b) {
                       const float x = scores(row, a);
                       const float y = scores(row, b);
                       return x != y ? x < y : a < b;
                     });
    for (int64_t i = 0; i < count; ++i)
      visit(row, order[i]);
  }
}

void lowbit::forEachPrunedByWanda(ConstMatrixView weights,
                                  llvm::ArrayRef<float> meanSquares,
                                  const PruningOptions &options,
                                  VisitElement visit) {
  const int64_t rows = weights.getRows(), cols = weights.getCols();
  assert(static_cast<int64_t>(meanSquares.size()) == cols &&
         "one mean square for each column");
  std::vector<float> norms(cols), values(rows * cols);
  const bool isSeen =
      llvm::any_of(meanSquares, [](float value) { return value > 0; });
  for (int64_t col = 0; col < cols; ++col)
    norms[col] = isSeen ? std::sqrt(meanSquares[col]) : 1;
  MatrixView scores(values.data(), rows, cols);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < cols; ++col)
      scores(row, col) = std::fabs(weights(row, col)) * norms[col];
  if (options.pattern)
    forEachOutside(*options.pattern, scores, visit);
  else
    forEachLeastInRows(options.sparsity, scores, visit);
}
