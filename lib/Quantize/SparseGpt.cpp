//===- SparseGpt.cpp - Pruning with error feedback
//----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/SparseGpt.h"
#include "ErrorFeedback.h"
#include "lowbit/Support/OutputFile.h"

using namespace lowbit;

namespace {
/// Leaves values as they are, but for those that have to become zero.
class FloatCoder final : public ColumnCoder {
public:
  FloatCoder(FeedbackTile &tile, MatrixView result)
      : tile(tile), result(result) {}

  void code(int64_t step, ConstMatrixView values, MatrixView decoded) override {
    const int64_t column = tile.getColumn(tile.getWidth() - 1 - step);
    for (int64_t row = 0; row < values.getRows(); ++row) {
      decoded(row, 0) = values(row, 0);
      result(tile.getFirstRow() + row, column) = values(row, 0);
    }
  }

private:
  FeedbackTile &tile;
  MatrixView result;
};
} // namespace

/// With the same blocks, but all columns costing the same.
static PrunedMatrix pruneByMagnitude(ConstMatrixView weights,
                                     const PruningOptions &pruning) {
  const int64_t rows = weights.getRows(), cols = weights.getCols();
  PrunedMatrix pruned{std::vector<float>(rows * cols), 0, std::nullopt};
  MatrixView values(pruned.values.data(), rows, cols);
  SquaredNorms norms;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < cols; ++col) {
      values(row, col) = weights(row, col);
      norms.add(weights(row, col), 0);
    }
  auto clear = [&](int64_t row, int64_t col) {
    norms.add(0, values(row, col));
    values(row, col) = 0;
  };
  if (pruning.pattern)
    forEachOutside(*pruning.pattern, weights, clear);
  else
    for (int64_t begin = 0; begin < cols; begin += pruning.block) {
      ConstMatrixView block =
          weights.block(0, begin, rows, std::min(pruning.block, cols - begin));
      LeastMagnitudes least(
          getPrunedCount(pruning.sparsity, block.size()),
          [&](LeastMagnitudes::VisitMatrix visit) { visit(block); });
      least.forEachIn(
          block, [&](int64_t row, int64_t col) { clear(row, begin + col); });
    }
  pruned.weightError = norms.getRelativeError();
  return pruned;
}

llvm::Expected<PrunedMatrix> lowbit::sparseGpt(ConstMatrixView weights,
                                               const GptqFactor &factor,
                                               const PruningOptions &pruning,
                                               unsigned threads) {
  if (llvm::Error error = pruning.check())
    return std::move(error);
  if (llvm::Error error = checkWidth(weights, factor))
    return std::move(error);
  if (factor.isEmpty())
    return pruneByMagnitude(weights, pruning);
  PrunedMatrix pruned;
  pruned.values.resize(weights.size());
  MatrixView values(pruned.values.data(), weights.getRows(), weights.getCols());
  FeedbackOptions options;
  options.pruning = pruning;
  options.threads = threads;
  FeedbackSums sums = runErrorFeedback(
      weights, factor, /*groupRows=*/1, options, [&](FeedbackTile &tile) {
        return std::make_unique<FloatCoder>(tile, values);
      });
  GptqResult result;
  summarize(sums, factor, result);
  pruned.weightError = result.weightError;
  pruned.outputError = result.outputError;
  return pruned;
}
