//===- Hessian.cpp - Second moments of a layer's inputs -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Hessian.h"
#include "EigenTypes.h"
#include "Parallel.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace lowbit;

HessianAccumulator::HessianAccumulator(int64_t width, unsigned threads)
    : width(width), threads(threads), sum(width * width) {}

void HessianAccumulator::update(ConstMatrixView inputs, int64_t sequences) {
  assert(inputs.getCols() == width && "the inputs must have the layer's width");
  assert(inputs.getColStride() == 1 && "the inputs must be row-major");
  this->sequences += sequences;
  // One task per square tile of the lower triangle.
  constexpr int64_t tile = 256;
  const int64_t tiles = llvm::divideCeil(width, tile);
  RowMajorMap x(inputs.getData(), inputs.getRows(), width,
                Eigen::OuterStride<>(inputs.getRowStride()));
  ColMajorMap h(sum.data(), width, width, Eigen::OuterStride<>(width));
  parallelFor(tiles * (tiles + 1) / 2, threads, [&](int64_t task) {
    int64_t i = 0;
    while ((i + 1) * (i + 2) / 2 <= task)
      ++i;
    const int64_t row = i * tile, col = (task - i * (i + 1) / 2) * tile;
    const int64_t rows = std::min(tile, width - row);
    const int64_t cols = std::min(tile, width - col);
    h.block(row, col, rows, cols).noalias() +=
        x.middleCols(row, rows).transpose() * x.middleCols(col, cols);
  });
}

void HessianAccumulator::merge(const HessianAccumulator &other) {
  assert(other.width == width && "only equal widths can be merged");
  sequences += other.sequences;
  for (size_t i = 0, e = sum.size(); i != e; ++i)
    sum[i] += other.sum[i];
}

Hessian HessianAccumulator::finish() && {
  Hessian hessian{width, std::move(sum)};
  const float factor = sequences == 0 ? 0.0f : 2.0f / sequences;
  ColMajorMap h(hessian.values.data(), width, width,
                Eigen::OuterStride<>(width));
  for (int64_t col = 0; col < width; ++col)
    for (int64_t row = col; row < width; ++row) {
      h(row, col) *= factor;
      h(col, row) = h(row, col);
    }
  return hessian;
}
