//===- Hessian.h - Second moments of a layer's inputs -----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_HESSIAN_H
#define LOWBIT_QUANTIZE_HESSIAN_H

#include "lowbit/Quantize/MatrixView.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <vector>

namespace lowbit {

/// H = 2/N sum XᵀX over N sequences: the Hessian, for each row of the weights
/// alike, of a linear layer's squared output error.
struct Hessian {
  int64_t width = 0;
  /// [width, width], symmetric.
  std::vector<float> values;
};

/// Accumulates XᵀX over batches of inputs. Sums are formed in an order that
/// does not depend on the number of threads.
class HessianAccumulator {
public:
  /// `threads` = 0 takes all processors.
  explicit HessianAccumulator(int64_t width, unsigned threads = 0);

  /// Adds `inputs` [tokens, width], which hold `sequences` sequences.
  void update(ConstMatrixView inputs, int64_t sequences);
  /// Adds what another accumulator of the same width saw.
  void merge(const HessianAccumulator &other);
  /// All that was seen, as bytes: what another process copies into the state of
  /// an accumulator of the same width.
  llvm::SmallVector<llvm::MutableArrayRef<char>> getState();

  int64_t getWidth() const { return width; }
  int64_t getNumSequences() const { return sequences; }
  /// The Hessian of everything seen; all zero when nothing was. The accumulator
  /// must not be used afterwards.
  Hessian finish() &&;

private:
  /// Visits the tiles of the lower triangle, in parallel: where they begin in
  /// the matrix and in `sum`.
  void forEachTile(
      llvm::function_ref<void(int64_t row, int64_t col, int64_t offset)> visit)
      const;

  int64_t width;
  unsigned threads;
  /// Rows and columns of a tile.
  int64_t tile;
  int64_t sequences = 0;
  /// The sum of XᵀX: tile by tile, as it takes half the memory of the matrix.
  std::vector<float> sum;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_HESSIAN_H
