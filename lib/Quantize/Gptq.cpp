//===- Gptq.cpp - Rounding with error feedback ----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Gptq.h"
#include "ErrorFeedback.h"
#include "MatrixProduct.h"
#include "Parallel.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace lowbit;

using FactorMap = Eigen::Map<const Eigen::MatrixXf>;

namespace {

/// What all tiles need to refine the columns that share scales.
struct Group {
  /// In the order of coding.
  llvm::SmallVector<int64_t> places;
  /// Their rows and columns of the damped Hessian.
  Eigen::MatrixXf hessian;
};

/// Rounds columns to the codes of an encoder.
class GptqCoder final : public ColumnCoder {
public:
  GptqCoder(MatrixEncoder &encoder, FeedbackTile &tile,
            const GptqFactor &factor, const GptqOptions &options)
      : encoder(encoder), tile(tile), factor(factor), options(options),
        groupCols(encoder.getGroupCols()) {
    if (options.staticGroups)
      fitStaticGroups();
  }

  int64_t getPeriod() const override {
    return options.staticGroups ? 0 : groupCols;
  }
  void prepare(int64_t step, ConstMatrixView values) override;
  void code(int64_t step, ConstMatrixView values, MatrixView decoded) override;
  void refineGroup(const Group &group);

private:
  int64_t getStoredColumn(int64_t place) const;
  void fitStaticGroups();

  MatrixEncoder &encoder;
  FeedbackTile &tile;
  const GptqFactor &factor;
  const GptqOptions &options;
  const int64_t groupCols;
};

} // namespace

static bool isStoredInCodingOrder(const GptqOptions &options) {
  return options.actOrder && !options.staticGroups;
}

/// The stored column, which decides about the group, of a place.
static int64_t getStoredColumn(const GptqFactor &factor,
                               const GptqOptions &options, int64_t place) {
  const int64_t step = factor.getWidth() - 1 - place;
  return isStoredInCodingOrder(options) ? step : factor.getOrder()[step];
}

int64_t GptqCoder::getStoredColumn(int64_t place) const {
  return ::getStoredColumn(factor, options, place);
}

/// Rows of G as columns, without what is zero in all of them.
static Eigen::MatrixXf gatherRows(const FactorMap &g,
                                  llvm::ArrayRef<int64_t> places) {
  const int64_t height = *llvm::max_element(places) + 1;
  Eigen::MatrixXf rows(height, places.size());
  for (auto [i, place] : llvm::enumerate(places)) {
    // The upper triangle holds them as columns.
    rows.col(i).head(place + 1) = g.col(place).head(place + 1);
    rows.col(i).tail(height - place - 1).setZero();
  }
  return rows;
}

static std::vector<Group> findGroups(const GptqFactor &factor,
                                     const GptqOptions &options,
                                     int64_t groupCols) {
  const int64_t width = factor.getWidth();
  std::vector<Group> groups(llvm::divideCeil(width, groupCols));
  for (int64_t place = width - 1; place >= 0; --place)
    groups[getStoredColumn(factor, options, place) / groupCols]
        .places.push_back(place);
  const FactorMap g(factor.getFactor(), width, width);
  parallelFor(groups.size(), options.threads, [&](int64_t index) {
    Group &group = groups[index];
    const Eigen::MatrixXf rows = gatherRows(g, group.places);
    const int64_t height = rows.rows(), count = rows.cols();
    group.hessian = Eigen::MatrixXf::Zero(count, count);
    addProduct(ConstMatrixView(rows.data(), count, height, height, 1),
               ConstMatrixView(rows.data(), height, count, 1, height),
               getView(group.hessian));
  });
  return groups;
}

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

/// Fits the scale of a group to its codes, and then each of its codes, to what
/// the errors of all other columns leave to be absorbed. With P = D H, a change
/// of column c by x changes the loss by H_cc x² / 2 - P_c x: the best x is
/// P_c / H_cc.
void GptqCoder::refineGroup(const Group &group) {
  Eigen::MatrixXf &d = tile.getErrors();
  Eigen::MatrixXf &outputErrors = tile.getOutputErrors();
  const int64_t rows = tile.getRows(), firstRow = tile.getFirstRow();
  const int64_t count = group.places.size();
  const Eigen::MatrixXf rowsOfG = gatherRows(tile.getFactor(), group.places);
  const int64_t height = rowsOfG.rows();
  Eigen::MatrixXf current(rows, count);
  llvm::SmallVector<int64_t> storedCols(count);
  for (auto [i, place] : llvm::enumerate(group.places)) {
    storedCols[i] = getStoredColumn(place);
    for (int64_t row = 0; row < rows; ++row)
      current(row, i) = -d(row, place) + tile.getWeight(row, place);
  }
  const Eigen::MatrixXf before = current;
  const Eigen::MatrixXf &h = group.hessian;
  Eigen::MatrixXf p = Eigen::MatrixXf::Zero(rows, count);
  addProduct(getColumns(outputErrors, 0, height),
             ConstMatrixView(rowsOfG.data(), height, count, 1, height),
             getView(p));

  Eigen::MatrixXf product = Eigen::MatrixXf::Zero(rows, count);
  addProduct(getView(current), getColumns(h, 0, count), getView(product));
  Eigen::VectorXf slope = current.cwiseProduct(p).rowwise().sum();
  Eigen::VectorXf curvature = current.cwiseProduct(product).rowwise().sum();
  std::vector<float> factors(rows);
  for (int64_t row = 0; row < rows; ++row)
    factors[row] = curvature(row) > 0 ? 1 + slope(row) / curvature(row) : 1;
  encoder.rescale(firstRow, storedCols, factors,
                  MatrixView(current.data(), rows, count, 1, rows));
  Eigen::MatrixXf changes = current - before;
  addProduct(getView(changes), getColumns(h, 0, count), getView(p),
             Sign::Minus);

  Eigen::VectorXf values(rows), change(rows);
  for (int64_t i = 0; i < count; ++i) {
    values = current.col(i) + p.col(i) / h(i, i);
    for (int64_t row = 0; row < rows; ++row)
      if (tile.isZero(row, group.places[i]))
        values(row) = 0;
    change = current.col(i);
    encoder.encode(firstRow, storedCols[i],
                   ConstMatrixView(values.data(), rows, 1, 1, rows),
                   MatrixView(current.col(i).data(), rows, 1, 1, rows));
    change = current.col(i) - change;
    const int64_t rest = count - i - 1;
    p.rightCols(rest).noalias() -= change * h.col(i).tail(rest).transpose();
  }
  changes = current - before;
  for (auto [i, place] : llvm::enumerate(group.places))
    d.col(place) -= changes.col(i);
  addProduct(getView(changes),
             ConstMatrixView(rowsOfG.data(), count, height, height, 1),
             MatrixView(outputErrors.data(), rows, height, 1, rows),
             Sign::Minus);
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
  if (isStoredInCodingOrder(options))
    result.columnOrder = factor.getOrder().vec();
  // Formats choose outliers, and what scales share, in the columns as stored.
  std::vector<float> buffer;
  llvm::Expected<std::unique_ptr<MatrixEncoder>> encoder = format.createEncoder(
      reorderColumns(weights, result.columnOrder, buffer), search);
  if (!encoder)
    return encoder.takeError();

  std::vector<Group> groups;
  if (options.refinements > 0)
    groups = findGroups(factor, options, (*encoder)->getGroupCols());
  FeedbackSums sums = runErrorFeedback(
      weights, factor, (*encoder)->getGroupRows(),
      {options.blockSize, options.keepZeros, options.pruning, options.threads},
      [&](FeedbackTile &tile) {
        return std::make_unique<GptqCoder>(**encoder, tile, factor, options);
      },
      [&](FeedbackTile &, ColumnCoder &coder) {
        // Passes of coordinate descent.
        for (int64_t i = 0; i < options.refinements; ++i)
          for (const Group &group : groups)
            static_cast<GptqCoder &>(coder).refineGroup(group);
      });
  result.matrix = (*encoder)->finish();
  summarize(sums, factor, result);
  return result;
}
