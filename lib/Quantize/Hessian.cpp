//===- Hessian.cpp - Second moments of a layer's inputs -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Hessian.h"
#include "MatrixProduct.h"
#include "Parallel.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace lowbit;

/// The largest tiles.
static constexpr int64_t maxTile = 256;

HessianAccumulator::HessianAccumulator(int64_t width, unsigned threads)
    : width(width), threads(threads), tile(std::min(width, maxTile)) {
  const int64_t tiles = llvm::divideCeil(width, tile);
  sum.resize(tiles * (tiles + 1) / 2 * tile * tile);
}

void HessianAccumulator::forEachTile(
    llvm::function_ref<void(int64_t row, int64_t col, int64_t offset)> visit)
    const {
  const int64_t tiles = llvm::divideCeil(width, tile);
  // One task per tile of the lower triangle.
  parallelFor(tiles * (tiles + 1) / 2, threads, [&](int64_t task) {
    int64_t i = 0;
    while ((i + 1) * (i + 2) / 2 <= task)
      ++i;
    visit(i * tile, (task - i * (i + 1) / 2) * tile, task * tile * tile);
  });
}

void HessianAccumulator::update(ConstMatrixView inputs, int64_t sequences) {
  assert(inputs.getCols() == width && "the inputs must have the layer's width");
  this->sequences += sequences;
  const int64_t tokens = inputs.getRows();
  forEachTile([&](int64_t row, int64_t col, int64_t offset) {
    const int64_t rows = std::min(tile, width - row);
    const int64_t cols = std::min(tile, width - col);
    const ConstMatrixView x = inputs.block(0, row, tokens, rows);
    const ConstMatrixView transposed(x.getData(), rows, tokens,
                                     x.getColStride(), x.getRowStride());
    addProduct(transposed, inputs.block(0, col, tokens, cols),
               MatrixView(sum.data() + offset, rows, cols, 1, tile));
  });
}

void HessianAccumulator::merge(const HessianAccumulator &other) {
  assert(other.width == width && "only equal widths can be merged");
  sequences += other.sequences;
  forEachTile([&](int64_t, int64_t, int64_t offset) {
    for (int64_t i = offset, e = offset + tile * tile; i != e; ++i)
      sum[i] += other.sum[i];
  });
}

llvm::SmallVector<llvm::MutableArrayRef<char>> HessianAccumulator::getState() {
  return {{reinterpret_cast<char *>(&sequences), sizeof(sequences)},
          {reinterpret_cast<char *>(sum.data()), sum.size() * sizeof(float)}};
}

Hessian HessianAccumulator::finish() && {
  Hessian hessian{width, std::vector<float>(width * width)};
  const float factor = sequences == 0 ? 0.0f : 2.0f / sequences;
  forEachTile([&](int64_t row, int64_t col, int64_t offset) {
    const int64_t rows = std::min(tile, width - row);
    const int64_t cols = std::min(tile, width - col);
    for (int64_t j = 0; j < cols; ++j)
      for (int64_t i = row == col ? j : 0; i < rows; ++i) {
        const float value = sum[offset + j * tile + i] * factor;
        hessian.values[(col + j) * width + row + i] = value;
        hessian.values[(row + i) * width + col + j] = value;
      }
  });
  return hessian;
}
