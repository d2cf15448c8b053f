//===- Gptq.cpp - Rounding with error feedback ----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every row of the weights is coded on its own, so the unit of work is a tile
// of rows, which passes through all columns without waiting for other tiles.
//
// Inside a tile everything is kept column by column in *reverse* order of
// coding
// ("place" c = width - 1 - step), in which the factor G is lower triangular.
// When the places from `end` on are coded, D holds w - ŵ there, and
//     S = D[:, end:] G[end:, :]
// is what the places below `end` have to absorb: place c is coded from
// w_c + S_c / G_cc. S is formed for a block of columns at a time by a matrix
// product, and inside the block by a rank-1 update per column.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Gptq.h"
#include "EigenTypes.h"
#include "Parallel.h"
#include "RowTiles.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace lowbit;

namespace {

using FactorMap = Eigen::Map<const Eigen::MatrixXf>;

/// Sums over the values of one tile.
struct TileSums {
  /// Of the weights and of their errors.
  SquaredNorms weights;
  /// Of WG and (W - Ŵ)G: outputs and their errors for the damped Hessian.
  SquaredNorms outputs;

  TileSums &operator+=(const TileSums &other) {
    weights += other.weights;
    outputs += other.outputs;
    return *this;
  }
};

/// Codes one tile of rows.
class TileSolver {
public:
  TileSolver(MatrixEncoder &encoder, ConstMatrixView weights,
             const GptqFactor &factor, const GptqOptions &options,
             int64_t firstRow, int64_t rows)
      : encoder(encoder), weights(weights), factor(factor), options(options),
        firstRow(firstRow), rows(rows), width(weights.getCols()),
        groupCols(encoder.getGroupCols()),
        storedInCodingOrder(options.actOrder && !options.staticGroups),
        g(factor.getFactor(), width, width), d(rows, width),
        outputErrors(rows, width) {}

  TileSums solve();

private:
  int64_t getColumn(int64_t place) const {
    return factor.getOrder()[width - 1 - place];
  }
  /// The stored column, which decides about the group, of a place.
  int64_t getStoredColumn(int64_t place) const {
    return storedInCodingOrder ? width - 1 - place : getColumn(place);
  }

  void load();
  void fitStaticGroups();
  void fitGroup(int64_t begin, int64_t end, const Eigen::MatrixXf &absorbed);
  int64_t getBlockBegin(int64_t end) const;
  void codeBlock(int64_t begin, int64_t end);
  double getOutputNorm() const;
  void refine();
  void refineGroup(llvm::ArrayRef<int64_t> places);

  MatrixEncoder &encoder;
  ConstMatrixView weights;
  const GptqFactor &factor;
  const GptqOptions &options;
  const int64_t firstRow, rows, width, groupCols;
  const bool storedInCodingOrder;
  const FactorMap g;
  /// The weights of the places not yet coded, the errors w - ŵ of the others.
  Eigen::MatrixXf d;
  /// D G of the places that are coded.
  Eigen::MatrixXf outputErrors;
  TileSums sums;
};

} // namespace

void TileSolver::load() {
  for (int64_t place = 0; place < width; ++place) {
    const int64_t column = getColumn(place);
    if (factor.isDead(column)) {
      d.col(place).setZero();
      continue;
    }
    for (int64_t row = 0; row < rows; ++row)
      d(row, place) = weights(firstRow + row, column);
  }
}

/// ||WG||², block by block because G is triangular.
double TileSolver::getOutputNorm() const {
  double norm = 0;
  for (int64_t begin = 0; begin < width; begin += options.blockSize) {
    const int64_t count = std::min(options.blockSize, width - begin);
    const int64_t below = width - begin - count;
    Eigen::MatrixXf product =
        d.middleCols(begin, count) *
        g.block(begin, begin, count, count).triangularView<Eigen::Lower>();
    product.noalias() +=
        d.rightCols(below) * g.block(begin + count, begin, below, count);
    norm += product.cast<double>().squaredNorm();
  }
  return norm;
}

/// All groups, from the unmodified weights in their own order.
void TileSolver::fitStaticGroups() {
  std::vector<int64_t> places(width);
  for (int64_t place = 0; place < width; ++place)
    places[getColumn(place)] = place;
  Eigen::MatrixXf values(rows, groupCols);
  for (int64_t col = 0, group = 0; col < width; col += groupCols, ++group) {
    const int64_t count = std::min(groupCols, width - col);
    for (int64_t i = 0; i < count; ++i)
      values.col(i) = d.col(places[col + i]);
    encoder.fit(firstRow, group,
                ConstMatrixView(values.data(), rows, count, 1, rows));
  }
}

/// Fits the group of the places [begin, end), which is coded next, to the
/// values that its columns would take if nothing more were rounded: w + S G⁻¹.
void TileSolver::fitGroup(int64_t begin, int64_t end,
                          const Eigen::MatrixXf &absorbed) {
  const int64_t count = end - begin;
  Eigen::MatrixXf values = absorbed;
  g.block(begin, begin, count, count)
      .triangularView<Eigen::Lower>()
      .solveInPlace<Eigen::OnTheRight>(values);
  values += d.middleCols(begin, count);
  // In the order of storage, which is the reverse of the order of places.
  encoder.fit(firstRow, getStoredColumn(end - 1) / groupCols,
              ConstMatrixView(values.data() + (count - 1) * rows, rows, count,
                              1, -rows));
}

/// Where the block that ends at `end` begins. A block holds its groups whole,
/// or begins and ends within one: the fit of a group needs all that its columns
/// have absorbed.
int64_t TileSolver::getBlockBegin(int64_t end) const {
  const int64_t begin = std::max<int64_t>(end - options.blockSize, 0);
  if (options.staticGroups || begin == 0)
    return begin;
  const int64_t firstStep = width - end, endStep = width - begin;
  const int64_t lastGroupStep = endStep / groupCols * groupCols;
  return lastGroupStep > firstStep ? width - lastGroupStep : begin;
}

void TileSolver::codeBlock(int64_t begin, int64_t end) {
  const int64_t coded = width - end;
  auto absorb = [&](int64_t first, int64_t last) -> Eigen::MatrixXf {
    return d.rightCols(coded) * g.block(end, first, coded, last - first);
  };
  Eigen::MatrixXf s = absorb(begin, end);
  Eigen::VectorXf values(rows), decoded(rows);
  for (int64_t place = end - 1; place >= begin; --place) {
    const int64_t i = place - begin, step = width - 1 - place;
    if (!options.staticGroups && step % groupCols == 0) {
      const int64_t groupBegin = std::max<int64_t>(place + 1 - groupCols, 0);
      if (groupBegin >= begin)
        fitGroup(groupBegin, place + 1,
                 s.middleCols(groupBegin - begin, place + 1 - groupBegin));
      else
        fitGroup(groupBegin, place + 1, absorb(groupBegin, place + 1));
    }
    const float diagonal = g(place, place);
    values = d.col(place) + s.col(i) / diagonal;
    encoder.encode(firstRow, getStoredColumn(place),
                   ConstMatrixView(values.data(), rows, 1, 1, rows),
                   MatrixView(decoded.data(), rows, 1, 1, rows));
    outputErrors.col(place) = (values - decoded) * diagonal;
    d.col(place) -= decoded;
    s.leftCols(i).noalias() += d.col(place) * g.row(place).segment(begin, i);
  }
}

/// One pass of coordinate descent over all groups.
void TileSolver::refine() {
  std::vector<llvm::SmallVector<int64_t>> groups(
      llvm::divideCeil(width, groupCols));
  for (int64_t place = width - 1; place >= 0; --place)
    groups[getStoredColumn(place) / groupCols].push_back(place);
  for (llvm::ArrayRef<int64_t> places : groups)
    refineGroup(places);
}

/// Fits the scale of a group to its codes, and then each of its codes, to what
/// the errors of all other columns leave to be absorbed. With P = D H, a change
/// of column c by x changes the loss by H_cc x² / 2 - P_c x: the best x is
/// P_c / H_cc.
void TileSolver::refineGroup(llvm::ArrayRef<int64_t> places) {
  const int64_t count = places.size();
  const int64_t height = *llvm::max_element(places) + 1;
  Eigen::MatrixXf rowsOfG = Eigen::MatrixXf::Zero(height, count);
  Eigen::MatrixXf current(rows, count);
  llvm::SmallVector<int64_t> storedCols(count);
  for (auto [i, place] : llvm::enumerate(places)) {
    rowsOfG.col(i).head(place + 1) = g.col(place).head(place + 1);
    storedCols[i] = getStoredColumn(place);
    const int64_t column = getColumn(place);
    for (int64_t row = 0; row < rows; ++row)
      current(row, i) =
          -d(row, place) +
          (factor.isDead(column) ? 0.0f : weights(firstRow + row, column));
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

TileSums TileSolver::solve() {
  load();
  sums.weights.value = d.cast<double>().squaredNorm();
  sums.outputs.value = getOutputNorm();
  if (options.staticGroups)
    fitStaticGroups();
  for (int64_t end = width; end > 0;) {
    const int64_t begin = getBlockBegin(end);
    codeBlock(begin, end);
    end = begin;
  }
  for (int64_t i = 0; i < options.refinements; ++i)
    refine();
  sums.outputs.error = outputErrors.cast<double>().squaredNorm();
  sums.weights.error = d.cast<double>().squaredNorm();
  return sums;
}

/// The columns in `order`, in `buffer`; an empty order is their own.
static ConstMatrixView reorderColumns(ConstMatrixView weights,
                                      llvm::ArrayRef<int64_t> order,
                                      std::vector<float> &buffer) {
  if (order.empty())
    return weights;
  buffer.resize(weights.size());
  MatrixView ordered(buffer.data(), weights.getRows(), weights.getCols());
  for (int64_t row = 0; row < weights.getRows(); ++row)
    for (auto [col, original] : llvm::enumerate(order))
      ordered(row, col) = weights(row, original);
  return ordered;
}

llvm::Expected<GptqResult> lowbit::gptq(const BlockFormat &format,
                                        ConstMatrixView weights,
                                        const GptqFactor &factor,
                                        const RangeSearch &search,
                                        const GptqOptions &options) {
  if (weights.getCols() != factor.getWidth())
    return makeError("the weights have " + llvm::Twine(weights.getCols()) +
                     " input channels, but the Hessian is of " +
                     llvm::Twine(factor.getWidth()));
  if (format.getUnitCols() != 1)
    return makeError("GPTQ codes one column after the other, but the format " +
                     format.describe() + " codes " +
                     llvm::Twine(format.getUnitCols()) + " together");
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

  RowTiles tiles(weights.getRows(), (*encoder)->getGroupRows());
  std::vector<TileSums> tileSums(tiles.getCount());
  parallelFor(tiles.getCount(), options.threads, [&](int64_t index) {
    const auto [firstRow, rows] = tiles.get(index);
    tileSums[index] =
        TileSolver(**encoder, weights, factor, options, firstRow, rows).solve();
  });
  TileSums total;
  for (const TileSums &sums : tileSums)
    total += sums;

  result.matrix = (*encoder)->finish();
  result.loss = total.outputs.error / 2;
  result.weightError = total.weights.getRelativeError();
  // Without the damping, which is no property of the inputs.
  total.outputs.value -= factor.getDiagonalShift() * total.weights.value;
  total.outputs.error -= factor.getDiagonalShift() * total.weights.error;
  result.outputError = total.outputs.getRelativeError();
  return result;
}
