//===- GroupSolver.cpp - Solvers that take group by group -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GroupSolver.h"
#include "Parallel.h"
#include "RowTiles.h"
#include <algorithm>

using namespace lowbit;

int64_t lowbit::getNumTiles(const MatrixEncoder &encoder) {
  return RowTiles(encoder.getRows(), encoder.getGroupRows()).getCount();
}

void lowbit::walkGroups(const MatrixEncoder &encoder, ConstMatrixView weights,
                        unsigned threads,
                        llvm::function_ref<void(const RowsOfGroup &)> visit) {
  const int64_t cols = weights.getCols();
  const int64_t groupCols = encoder.getGroupCols();
  RowTiles tiles(weights.getRows(), encoder.getGroupRows());
  parallelFor(tiles.getCount(), threads, [&](int64_t index) {
    const auto [firstRow, rows] = tiles.get(index);
    std::vector<float> buffer(rows * groupCols),
        decodedBuffer(rows * groupCols);
    for (int64_t col = 0, group = 0; col < cols; col += groupCols, ++group) {
      const int64_t count = std::min(groupCols, cols - col);
      MatrixView values(buffer.data(), rows, count, 1, rows);
      MatrixView decoded(decodedBuffer.data(), rows, count, 1, rows);
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t i = 0; i < count; ++i)
          values(row, i) = weights(firstRow + row, col + i);
      visit({index, firstRow, group, col, values, decoded});
    }
  });
}

SolverResult
lowbit::solveByGroups(MatrixEncoder &encoder, ConstMatrixView weights,
                      unsigned threads,
                      llvm::function_ref<void(const RowsOfGroup &)> solve) {
  std::vector<SquaredNorms> norms(getNumTiles(encoder));
  walkGroups(encoder, weights, threads, [&](const RowsOfGroup &group) {
    solve(group);
    const float *values = group.values.getData();
    const float *decoded = group.decoded.getData();
    for (int64_t i = 0, e = group.values.size(); i < e; ++i)
      norms[group.tile].add(values[i], values[i] - decoded[i]);
  });

  SolverResult result;
  result.matrix = encoder.finish();
  SquaredNorms total;
  for (const SquaredNorms &norm : norms)
    total += norm;
  result.weightError = total.getRelativeError();
  return result;
}
