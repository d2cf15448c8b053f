//===- Gptq.cpp - Rounding with error feedback ----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Gptq.h"
#include "ErrorFeedback.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace lowbit;

namespace {

/// Rounds columns to the codes of an encoder.
class GptqCoder final : public ColumnCoder {
public:
  GptqCoder(MatrixEncoder &encoder, FeedbackTile &tile,
            const GptqOptions &options)
      : encoder(encoder), tile(tile), options(options),
        groupCols(encoder.getGroupCols()),
        storedInCodingOrder(options.actOrder && !options.staticGroups) {
    if (options.staticGroups)
      fitStaticGroups();
  }

  int64_t getPeriod() const override {
    return options.staticGroups ? 0 : groupCols;
  }
  void prepare(int64_t step, ConstMatrixView values) override;
  void code(int64_t step, ConstMatrixView values, MatrixView decoded) override;
  /// One pass of coordinate descent over all groups.
  void refine();

private:
  /// The stored column, which decides about the group, of a place.
  int64_t getStoredColumn(int64_t place) const {
    return storedInCodingOrder ? tile.getWidth() - 1 - place
                               : tile.getColumn(place);
  }
  void fitStaticGroups();
  void refineGroup(llvm::ArrayRef<int64_t> places);

  MatrixEncoder &encoder;
  FeedbackTile &tile;
  const GptqOptions &options;
  const int64_t groupCols;
  const bool storedInCodingOrder;
};

} // namespace

/// All groups, from the unmodified weights in their own order.
void GptqCoder::fitStaticGroups() {
  const int64_t width = tile.getWidth(), rows = tile.getRows();
  std::vector<int64_t> places(width);
  for (int64_t place = 0; place < width; ++place)
    places[tile.getColumn(place)] = place;
  Eigen::MatrixXf values(rows, groupCols);
  for (int64_t col = 0, group = 0; col < width; col += groupCols, ++group) {
    const int64_t count = std::min(groupCols, width - col);
    for (int64_t i = 0; i < count; ++i)
      values.col(i) = tile.getErrors().col(places[col + i]);
    encoder.fit(tile.getFirstRow(), group,
                ConstMatrixView(values.data(), rows, count, 1, rows));
  }
}

void GptqCoder::prepare(int64_t step, ConstMatrixView values) {
  encoder.fit(tile.getFirstRow(),
              getStoredColumn(tile.getWidth() - 1 - step) / groupCols, values);
}

void GptqCoder::code(int64_t step, ConstMatrixView values, MatrixView decoded) {
  encoder.encode(tile.getFirstRow(),
                 getStoredColumn(tile.getWidth() - 1 - step), values, decoded);
}

void GptqCoder::refine() {
  std::vector<llvm::SmallVector<int64_t>> groups(
      llvm::divideCeil(tile.getWidth(), groupCols));
  for (int64_t place = tile.getWidth() - 1; place >= 0; --place)
    groups[getStoredColumn(place) / groupCols].push_back(place);
  for (llvm::ArrayRef<int64_t> places : groups)
    refineGroup(places);
}

/// Fits the scale of a group to its codes, and then each of its codes, to what
/// the errors of all other columns leave to be absorbed. With P = D H, a change
/// of column c by x changes the loss by H_cc x² / 2 - P_c x: the best x is
/// P_c / H_cc.
void GptqCoder::refineGroup(llvm::ArrayRef<int64_t> places) {
  const auto &g = tile.getFactor();
  Eigen::MatrixXf &d = tile.getErrors();
  Eigen::MatrixXf &outputErrors = tile.getOutputErrors();
  const int64_t rows = tile.getRows(), firstRow = tile.getFirstRow();
  const int64_t count = places.size();
  const int64_t height = *llvm::max_element(places) + 1;
  Eigen::MatrixXf rowsOfG = Eigen::MatrixXf::Zero(height, count);
  Eigen::MatrixXf current(rows, count);
  llvm::SmallVector<int64_t> storedCols(count);
  for (auto [i, place] : llvm::enumerate(places)) {
    rowsOfG.col(i).head(place + 1) = g.col(place).head(place + 1);
    storedCols[i] = getStoredColumn(place);
    for (int64_t row = 0; row < rows; ++row)
      current(row, i) = -d(row, place) + tile.getWeight(row, place);
  }
  const Eigen::MatrixXf before = current;
  const Eigen::MatrixXf h = rowsOfG.transpose() * rowsOfG;
  Eigen::MatrixXf p = outputErrors.leftCols(height) * rowsOfG;

  Eigen::VectorXf slope = current.cwiseProduct(p).rowwise().sum();
  Eigen::VectorXf curvature = current.cwiseProduct(current * h).rowwise().sum();
  std::vector<float> factors(rows);
  for (int64_t row = 0; row < rows; ++row)
    factors[row] = curvature(row) > 0 ? 1 + slope(row) / curvature(row) : 1;
  encoder.rescale(firstRow, storedCols, factors,
                  MatrixView(current.data(), rows, count, 1, rows));
  p.noalias() -= (current - before) * h;

  Eigen::VectorXf values(rows), change(rows);
  for (int64_t i = 0; i < count; ++i) {
    values = current.col(i) + p.col(i) / h(i, i);
    for (int64_t row = 0; row < rows; ++row)
      if (tile.isZero(row, places[i]))
        values(row) = 0;
    change = current.col(i);
    encoder.encode(firstRow, storedCols[i],
                   ConstMatrixView(values.data(), rows, 1, 1, rows),
                   MatrixView(current.col(i).data(), rows, 1, 1, rows));
    change = current.col(i) - change;
    p.noalias() -= change * h.row(i);
  }
  const Eigen::MatrixXf changes = current - before;
  for (auto [i, place] : llvm::enumerate(places))
    d.col(place) -= changes.col(i);
  outputErrors.leftCols(height).noalias() -= changes * rowsOfG.transpose();
}

llvm::Expected<GptqResult> lowbit::gptq(const BlockFormat &format,
                                        ConstMatrixView weights,
                                        const GptqFactor &factor,
                                        const RangeSearch &search,
                                        const GptqOptions &options) {
  if (llvm::Error error = checkErrorFeedback("GPTQ", format, weights, factor))
    return std::move(error);
  GptqResult result;
  if (factor.isEmpty()) {
    llvm::Expected<SolverResult> rounded =
        roundToNearest(format, weights, search, options.threads);
    if (!rounded)
      return rounded.takeError();
    static_cast<SolverResult &>(result) = std::move(*rounded);
    return result;
  }
  if (options.actOrder && !options.staticGroups)
    result.columnOrder = factor.getOrder().vec();
  // Formats choose outliers, and what scales share, in the columns as stored.
  std::vector<float> buffer;
  llvm::Expected<std::unique_ptr<MatrixEncoder>> encoder = format.createEncoder(
      reorderColumns(weights, result.columnOrder, buffer), search);
  if (!encoder)
    return encoder.takeError();

  FeedbackSums sums = runErrorFeedback(
      weights, factor, (*encoder)->getGroupRows(),
      {options.blockSize, options.keepZeros, options.pruning, options.threads},
      [&](FeedbackTile &tile) {
        return std::make_unique<GptqCoder>(**encoder, tile, options);
      },
      [&](FeedbackTile &, ColumnCoder &coder) {
        for (int64_t i = 0; i < options.refinements; ++i)
          static_cast<GptqCoder &>(coder).refine();
      });
  result.matrix = (*encoder)->finish();
  summarize(sums, factor, result);
  return result;
}
