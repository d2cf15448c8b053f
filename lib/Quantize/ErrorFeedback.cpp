//===- ErrorFeedback.cpp - Column by column with error feedback -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every row of the weights is coded on its own, so the unit of work is a tile
// of rows, which passes through all columns without waiting for other tiles.
// Only where a part of all weights is pruned do tiles wait for each other, once
// for each block of columns that the part is taken of.
//
//===----------------------------------------------------------------------===//

#include "ErrorFeedback.h"
#include "MatrixProduct.h"
#include "Parallel.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace lowbit;

ColumnCoder::~ColumnCoder() = default;

//===----------------------------------------------------------------------===//
// FeedbackTile
//===----------------------------------------------------------------------===//

FeedbackTile::FeedbackTile(ConstMatrixView weights, const GptqFactor &factor,
                           const FeedbackOptions &options, int64_t firstRow,
                           int64_t rows)
    : weights(weights), factor(factor), options(options), firstRow(firstRow),
      rows(rows), width(weights.getCols()), g(factor.getFactor(), width, width),
      d(rows, width), outputErrors(rows, width) {
  load();
  sums.weights.value = d.cast<double>().squaredNorm();
  sums.outputs.value = getOutputNorm();
}

float FeedbackTile::getWeight(int64_t row, int64_t place) const {
  const int64_t column = getColumn(place);
  return factor.isDead(column) ? 0.0f : weights(firstRow + row, column);
}

void FeedbackTile::load() {
  for (int64_t place = 0; place < width; ++place)
    for (int64_t row = 0; row < rows; ++row)
      d(row, place) = getWeight(row, place);
  if (options.keepZeros || options.pruning)
    zeros.resize(rows * width);
  if (options.keepZeros)
    for (int64_t i = 0, e = rows * width; i < e; ++i)
      zeros[i] = d.data()[i] == 0;
}

/// Rows and columns of G below the diagonal (columns end where the rows begin,
/// or before), as the upper triangle holds them: row by row.
ConstMatrixView FeedbackTile::getBelow(int64_t firstRow, int64_t endRow,
                                       int64_t firstCol, int64_t endCol) const {
  return ConstMatrixView(factor.getFactor() + firstRow * width + firstCol,
                         endRow - firstRow, endCol - firstCol, width, 1);
}

/// ||WG||², block by block because G is triangular.
double FeedbackTile::getOutputNorm() const {
  double norm = 0;
  for (int64_t begin = 0; begin < width; begin += options.blockSize) {
    const int64_t count = std::min(options.blockSize, width - begin);
    const int64_t end = begin + count;
    Eigen::MatrixXf product =
        d.middleCols(begin, count) *
        g.block(begin, begin, count, count).triangularView<Eigen::Lower>();
    addProduct(getColumns(d, end, width), getBelow(end, width, begin, end),
               getView(product));
    norm += product.cast<double>().squaredNorm();
  }
  return norm;
}

/// What the places [first, last) absorb of those from `end` on.
Eigen::MatrixXf FeedbackTile::absorb(int64_t end, int64_t first,
                                     int64_t last) const {
  Eigen::MatrixXf absorbed = Eigen::MatrixXf::Zero(rows, last - first);
  addProduct(getColumns(d, end, width), getBelow(end, width, first, last),
             getView(absorbed));
  return absorbed;
}

/// Turns what the places [begin, end), which come next, have absorbed into the
/// values that they would take if nothing more were rounded: w + S G⁻¹.
void FeedbackTile::addUnabsorbed(int64_t begin, int64_t end,
                                 Eigen::MatrixXf &absorbed) const {
  const int64_t count = end - begin;
  g.block(begin, begin, count, count)
      .triangularView<Eigen::Lower>()
      .solveInPlace<Eigen::OnTheRight>(absorbed);
  absorbed += d.middleCols(begin, count);
}

void FeedbackTile::clearZeros(int64_t begin, Eigen::MatrixXf &values) const {
  if (zeros.empty())
    return;
  const uint8_t *zero = &zeros[begin * rows];
  for (int64_t i = 0, e = values.size(); i < e; ++i)
    if (zero[i])
      values.data()[i] = 0;
}

Eigen::MatrixXf FeedbackTile::predict(int64_t step, int64_t count) const {
  const int64_t end = width - step, begin = end - count;
  Eigen::MatrixXf values = absorb(end, begin, end);
  addUnabsorbed(begin, end, values);
  clearZeros(begin, values);
  return values;
}

/// `values` of the places from `begin` on, in the order of coding, squared and
/// divided by U_kk².
Eigen::MatrixXf FeedbackTile::weigh(const Eigen::MatrixXf &values,
                                    int64_t begin) const {
  const int64_t count = values.cols();
  Eigen::MatrixXf costs(rows, count);
  for (int64_t i = 0; i < count; ++i) {
    const float diagonal = g(begin + i, begin + i);
    costs.col(count - 1 - i) = (values.col(i) * diagonal).array().square();
  }
  return costs;
}

Eigen::MatrixXf FeedbackTile::getCosts(int64_t step, int64_t count) const {
  return weigh(predict(step, count), width - step - count);
}

/// Chooses what becomes zero in one block of the pattern.
void FeedbackTile::applyPattern(int64_t begin, const Eigen::MatrixXf &values) {
  const Eigen::MatrixXf costs = weigh(values, begin);
  const int64_t step = width - begin - values.cols();
  forEachOutside(*options.pruning->pattern,
                 ConstMatrixView(costs.data(), rows, costs.cols(), 1, rows),
                 [&](int64_t row, int64_t col) { setZero(row, step + col); });
}

/// Where the block that ends at `end` begins. A block holds its periods whole,
/// or begins and ends within one, so that what it shows is at hand.
int64_t FeedbackTile::getBlockBegin(int64_t end, int64_t limit,
                                    int64_t period) const {
  const int64_t begin = std::max(end - options.blockSize, limit);
  if (period == 0 || begin == limit)
    return begin;
  const int64_t firstStep = width - end, endStep = width - begin;
  const int64_t lastPeriod = endStep / period * period;
  return lastPeriod > firstStep ? width - lastPeriod : begin;
}

/// Where the sub-block that ends at `end` begins: what its columns leave to be
/// absorbed reaches the others of the block at once. No period begins inside.
int64_t FeedbackTile::getSubBlockBegin(int64_t end, int64_t period) const {
  constexpr int64_t size = 16;
  if (period == 0)
    return end - size;
  const int64_t periodEnd = llvm::alignTo(width - end + 1, period);
  return std::max(end - size, width - periodEnd);
}

void FeedbackTile::codeBlock(int64_t begin, int64_t end, ColumnCoder &coder) {
  Eigen::MatrixXf s = absorb(end, begin, end);
  /// The columns of a period that begins at `place`.
  auto look = [&](int64_t place, int64_t period) {
    const int64_t first = std::max<int64_t>(place + 1 - period, 0);
    Eigen::MatrixXf values =
        first >= begin
            ? Eigen::MatrixXf(s.middleCols(first - begin, place + 1 - first))
            : absorb(place + 1, first, place + 1);
    addUnabsorbed(first, place + 1, values);
    clearZeros(first, values);
    return values;
  };
  const int64_t period = coder.getPeriod();
  const int64_t patternPeriod = options.pruning && options.pruning->pattern
                                    ? options.pruning->pattern->block
                                    : 0;
  Eigen::VectorXf values(rows), wanted(rows), decoded(rows);
  for (int64_t subEnd = end; subEnd > begin;) {
    const int64_t subBegin =
        std::max({getSubBlockBegin(subEnd, period),
                  getSubBlockBegin(subEnd, patternPeriod), begin});
    for (int64_t place = subEnd - 1; place >= subBegin; --place) {
      const int64_t step = width - 1 - place;
      if (patternPeriod && step % patternPeriod == 0) {
        const Eigen::MatrixXf next = look(place, patternPeriod);
        applyPattern(place + 1 - next.cols(), next);
      }
      if (period && step % period == 0) {
        const Eigen::MatrixXf next = look(place, period);
        const int64_t count = next.cols();
        coder.prepare(step, ConstMatrixView(next.data() + (count - 1) * rows,
                                            rows, count, 1, -rows));
      }
      const float diagonal = g(place, place);
      values = d.col(place) + s.col(place - begin) / diagonal;
      wanted = values;
      if (!zeros.empty())
        for (int64_t row = 0; row < rows; ++row)
          if (isZero(row, place))
            wanted(row) = 0;
      coder.code(step, ConstMatrixView(wanted.data(), rows, 1, 1, rows),
                 MatrixView(decoded.data(), rows, 1, 1, rows));
      outputErrors.col(place) = (values - decoded) * diagonal;
      d.col(place) -= decoded;
      const int64_t rest = place - subBegin;
      s.middleCols(subBegin - begin, rest).noalias() +=
          d.col(place) * g.col(place).segment(subBegin, rest).transpose();
    }
    addProduct(getColumns(d, subBegin, subEnd),
               getBelow(subBegin, subEnd, begin, subBegin),
               MatrixView(s.data(), rows, subBegin - begin, 1, rows));
    subEnd = subBegin;
  }
}

void FeedbackTile::code(int64_t firstStep, int64_t endStep,
                        ColumnCoder &coder) {
  const int64_t limit = width - endStep;
  for (int64_t end = width - firstStep; end > limit;) {
    const int64_t begin = getBlockBegin(end, limit, coder.getPeriod());
    codeBlock(begin, end, coder);
    end = begin;
  }
}

FeedbackSums FeedbackTile::getSums() const {
  FeedbackSums result = sums;
  result.outputs.error = outputErrors.cast<double>().squaredNorm();
  result.weights.error = d.cast<double>().squaredNorm();
  return result;
}

//===----------------------------------------------------------------------===//
// All tiles
//===----------------------------------------------------------------------===//

namespace {
struct CodedTile {
  std::unique_ptr<FeedbackTile> tile;
  std::unique_ptr<ColumnCoder> coder;
  Eigen::MatrixXf costs;
};
} // namespace

/// Chooses the cheapest part of a block of columns, of all rows together.
static void chooseZeros(llvm::MutableArrayRef<CodedTile> tiles, double sparsity,
                        int64_t step) {
  int64_t elements = 0;
  for (const CodedTile &coded : tiles)
    elements += coded.costs.size();
  auto view = [](const CodedTile &coded) {
    return ConstMatrixView(coded.costs.data(), coded.costs.rows(),
                           coded.costs.cols(), 1, coded.costs.rows());
  };
  LeastMagnitudes least(getPrunedCount(sparsity, elements),
                        [&](LeastMagnitudes::VisitMatrix visit) {
                          for (const CodedTile &coded : tiles)
                            visit(view(coded));
                        });
  for (CodedTile &coded : tiles)
    least.forEachIn(view(coded), [&](int64_t row, int64_t col) {
      coded.tile->setZero(row, step + col);
    });
}

FeedbackSums lowbit::runErrorFeedback(
    ConstMatrixView weights, const GptqFactor &factor, int64_t groupRows,
    const FeedbackOptions &options,
    llvm::function_ref<std::unique_ptr<ColumnCoder>(FeedbackTile &)> makeCoder,
    llvm::function_ref<void(FeedbackTile &, ColumnCoder &)> finish) {
  const RowTiles cut(weights.getRows(), groupRows);
  const int64_t width = weights.getCols();
  std::vector<FeedbackSums> sums(cut.getCount());
  auto start = [&](int64_t index) {
    const auto [firstRow, rows] = cut.get(index);
    CodedTile coded;
    coded.tile = std::make_unique<FeedbackTile>(weights, factor, options,
                                                firstRow, rows);
    coded.coder = makeCoder(*coded.tile);
    return coded;
  };
  auto end = [&](int64_t index, CodedTile &coded) {
    finish(*coded.tile, *coded.coder);
    sums[index] = coded.tile->getSums();
    coded = {};
  };
  if (!options.pruning || options.pruning->pattern) {
    parallelFor(cut.getCount(), options.threads, [&](int64_t index) {
      CodedTile coded = start(index);
      coded.tile->code(0, width, *coded.coder);
      end(index, coded);
    });
  } else {
    std::vector<CodedTile> tiles(cut.getCount());
    auto forEach = [&](llvm::function_ref<void(int64_t)> task) {
      parallelFor(cut.getCount(), options.threads, task);
    };
    forEach([&](int64_t index) { tiles[index] = start(index); });
    const int64_t block = options.pruning->block;
    for (int64_t step = 0; step < width; step += block) {
      const int64_t count = std::min(block, width - step);
      forEach([&](int64_t index) {
        tiles[index].costs = tiles[index].tile->getCosts(step, count);
      });
      chooseZeros(tiles, options.pruning->sparsity, step);
      forEach([&](int64_t index) {
        tiles[index].tile->code(step, step + count, *tiles[index].coder);
      });
    }
    forEach([&](int64_t index) { end(index, tiles[index]); });
  }
  FeedbackSums total;
  for (const FeedbackSums &tile : sums)
    total += tile;
  return total;
}

llvm::Error lowbit::checkWidth(ConstMatrixView weights,
                               const GptqFactor &factor) {
  if (weights.getCols() == factor.getWidth())
    return llvm::Error::success();
  return makeError("the weights have " + llvm::Twine(weights.getCols()) +
                   " input channels, but the Hessian is of " +
                   llvm::Twine(factor.getWidth()));
}

llvm::Error lowbit::checkErrorFeedback(llvm::StringRef method,
                                       const BlockFormat &format,
                                       ConstMatrixView weights,
                                       const GptqFactor &factor) {
  if (llvm::Error error = checkWidth(weights, factor))
    return error;
  if (format.getUnitCols() != 1)
    return makeError(method +
                     " codes one column after the other, but the format " +
                     format.describe() + " codes " +
                     llvm::Twine(format.getUnitCols()) + " together");
  return llvm::Error::success();
}

ConstMatrixView lowbit::reorderColumns(ConstMatrixView weights,
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

void lowbit::summarize(FeedbackSums sums, const GptqFactor &factor,
                       GptqResult &result) {
  result.loss = sums.outputs.error / 2;
  result.weightError = sums.weights.getRelativeError();
  sums.outputs.value -= factor.getDiagonalShift() * sums.weights.value;
  sums.outputs.error -= factor.getDiagonalShift() * sums.weights.error;
  result.outputError = sums.outputs.getRelativeError();
}
