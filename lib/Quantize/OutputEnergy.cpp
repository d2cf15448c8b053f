//===- OutputEnergy.cpp - Squares of what a weight makes of inputs --------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/OutputEnergy.h"
#include "EigenTypes.h"
#include "Parallel.h"
#include "RowTiles.h"
#include <numeric>

using namespace lowbit;

double lowbit::getOutputEnergy(const Hessian &hessian, ConstMatrixView matrix,
                               unsigned threads) {
  const int64_t width = hessian.width;
  assert(matrix.getCols() == width && "a column for each input channel");
  const Eigen::Map<const Eigen::MatrixXf> h(hessian.values.data(), width,
                                            width);
  const RowTiles tiles(matrix.getRows(), /*groupRows=*/1);
  std::vector<double> sums(tiles.getCount());
  parallelFor(tiles.getCount(), threads, [&](int64_t tile) {
    const auto [first, rows] = tiles.get(tile);
    Eigen::MatrixXf values(rows, width);
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t col = 0; col < width; ++col)
        values(row, col) = matrix(first + row, col);
    const Eigen::MatrixXf product = values * h;
    sums[tile] =
        product.cast<double>().cwiseProduct(values.cast<double>()).sum();
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

double lowbit::getMeanTrace(const Hessian &hessian) {
  double trace = 0;
  for (int64_t i = 0; i < hessian.width; ++i)
    trace += hessian.values[i * hessian.width + i];
  return hessian.width ? trace / static_cast<double>(hessian.width) : 0;
}
