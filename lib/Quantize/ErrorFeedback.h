//===- ErrorFeedback.h - Column by column with error feedback ---*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What GPTQ, SpQR and SparseGPT share: columns are decided on one after the
// other, and the columns still open absorb the error made so far in the way
// that changes the layer's output least. What a column becomes is for a
// `ColumnCoder` to say; which elements have to become zero, for the options.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_ERRORFEEDBACK_H
#define LOWBIT_LIB_QUANTIZE_ERRORFEEDBACK_H

#include "EigenTypes.h"
#include "RowTiles.h"
#include "lowbit/Quantize/Gptq.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <memory>

namespace lowbit {

/// Decides what the columns of some rows become. Steps count columns in the
/// order of coding.
class ColumnCoder {
public:
  virtual ~ColumnCoder();

  /// `prepare` is called every so many steps; 0 for never.
  virtual int64_t getPeriod() const { return 0; }
  /// Shows the columns from `step` on, as many as a period has or are left: the
  /// values that they would take if nothing more were rounded, in the order of
  /// coding.
  virtual void prepare(int64_t step, ConstMatrixView values) {}
  /// Decides on the column of a step, and tells what it becomes.
  virtual void code(int64_t step, ConstMatrixView values,
                    MatrixView decoded) = 0;
};

/// Sums over the values of one tile.
struct FeedbackSums {
  /// Of the weights and of their errors.
  SquaredNorms weights;
  /// Of WG and (W - Ŵ)G: outputs and their errors for the damped Hessian.
  SquaredNorms outputs;

  FeedbackSums &operator+=(const FeedbackSums &other) {
    weights += other.weights;
    outputs += other.outputs;
    return *this;
  }
};

/// What a walk over all columns is told.
struct FeedbackOptions {
  /// Columns between two updates of the columns that follow them.
  int64_t blockSize = 128;
  /// Elements that are zero stay so.
  bool keepZeros = false;
  /// Elements that become zero.
  std::optional<PruningOptions> pruning;
  unsigned threads = 0;
};

/// The state of one tile of rows.
///
/// Everything is kept column by column in *reverse* order of coding ("place" c
/// = width - 1 - step), in which the factor G is lower triangular. When the
/// places from `end` on are coded, D holds w - ŵ there, and
///     S = D[:, end:] G[end:, :]
/// is what the places below `end` have to absorb: place c is coded from
/// w_c + S_c / G_cc. S is formed for a block of columns at a time by a matrix
/// product, inside the block by one per sub-block, and inside that by a rank-1
/// update per column.
class FeedbackTile {
public:
  FeedbackTile(ConstMatrixView weights, const GptqFactor &factor,
               const FeedbackOptions &options, int64_t firstRow, int64_t rows);

  int64_t getFirstRow() const { return firstRow; }
  int64_t getRows() const { return rows; }
  int64_t getWidth() const { return width; }
  /// The original column of a place.
  int64_t getColumn(int64_t place) const {
    return factor.getOrder()[width - 1 - place];
  }
  float getWeight(int64_t row, int64_t place) const;
  const Eigen::Map<const Eigen::MatrixXf> &getFactor() const { return g; }
  /// By place: the weights of those not yet coded, the errors w - ŵ of the
  /// others.
  Eigen::MatrixXf &getErrors() { return d; }
  /// D G of the places that are coded.
  Eigen::MatrixXf &getOutputErrors() { return outputErrors; }

  /// The values of the columns from `step` on if nothing more were rounded,
  /// with zeros for elements that have to become zero; in reverse order of
  /// coding. All columns before `step` must be coded.
  Eigen::MatrixXf predict(int64_t step, int64_t count) const;
  /// What it costs to set each of these values to zero: w² / U_kk², where U =
  /// G⁻¹. In the order of coding.
  Eigen::MatrixXf getCosts(int64_t step, int64_t count) const;
  bool isZero(int64_t row, int64_t place) const {
    return !zeros.empty() && zeros[place * rows + row];
  }
  /// An element that has to become zero, of a column that is still open.
  void setZero(int64_t row, int64_t step) {
    zeros[(width - 1 - step) * rows + row] = 1;
  }

  /// Codes the columns of the steps from `begin` to `end`; all before `begin`
  /// must be coded.
  void code(int64_t begin, int64_t end, ColumnCoder &coder);

  FeedbackSums getSums() const;

private:
  void load();
  double getOutputNorm() const;
  int64_t getBlockBegin(int64_t end, int64_t limit, int64_t period) const;
  int64_t getSubBlockBegin(int64_t end, int64_t period) const;
  ConstMatrixView getBelow(int64_t firstRow, int64_t endRow, int64_t firstCol,
                           int64_t endCol) const;
  void codeBlock(int64_t begin, int64_t end, ColumnCoder &coder);
  Eigen::MatrixXf absorb(int64_t end, int64_t first, int64_t last) const;
  void addUnabsorbed(int64_t begin, int64_t end,
                     Eigen::MatrixXf &absorbed) const;
  void clearZeros(int64_t begin, Eigen::MatrixXf &values) const;
  Eigen::MatrixXf weigh(const Eigen::MatrixXf &values, int64_t begin) const;
  void applyPattern(int64_t begin, const Eigen::MatrixXf &values);

  ConstMatrixView weights;
  const GptqFactor &factor;
  const FeedbackOptions &options;
  const int64_t firstRow, rows, width;
  const Eigen::Map<const Eigen::MatrixXf> g;
  Eigen::MatrixXf d, outputErrors;
  /// By place and row, whether an element has to become zero; empty if none
  /// has.
  std::vector<uint8_t> zeros;
  FeedbackSums sums;
};

/// Walks all columns of all rows. `makeCoder` makes the coder of a tile, and
/// `finish` gets both when all columns are coded; calls for different tiles run
/// in parallel. Results do not depend on the number of threads.
FeedbackSums runErrorFeedback(
    ConstMatrixView weights, const GptqFactor &factor, int64_t groupRows,
    const FeedbackOptions &options,
    llvm::function_ref<std::unique_ptr<ColumnCoder>(FeedbackTile &)> makeCoder,
    llvm::function_ref<void(FeedbackTile &, ColumnCoder &)> finish =
        [](FeedbackTile &, ColumnCoder &) {});

/// An error if the factor is of another layer.
llvm::Error checkWidth(ConstMatrixView weights, const GptqFactor &factor);
/// An error if the method cannot code `weights` so.
llvm::Error checkErrorFeedback(llvm::StringRef method,
                               const BlockFormat &format,
                               ConstMatrixView weights,
                               const GptqFactor &factor);

/// The columns in `order`, in `buffer`; an empty order is their own.
ConstMatrixView reorderColumns(ConstMatrixView weights,
                               llvm::ArrayRef<int64_t> order,
                               std::vector<float> &buffer);

/// Writes what the sums say into a result. The damping, which is no property of
/// the inputs, is taken out of the output error.
void summarize(FeedbackSums sums, const GptqFactor &factor, GptqResult &result);

} // namespace lowbit

#endif // LOWBIT_LIB_QUANTIZE_ERRORFEEDBACK_H
