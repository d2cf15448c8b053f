//===- Spqr.cpp - Error feedback, with outliers apart
//-------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Spqr.h"
#include "ErrorFeedback.h"
#include "SparseOutliersEncoder.h"
#include "lowbit/Support/OutputFile.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace lowbit;

llvm::Error SpqrOptions::check() const {
  if (!(threshold >= 0))
    return makeError("threshold is " + std::to_string(threshold) +
                     ", but must be a number from 0 on");
  if (blockSize < 1)
    return makeError("block-size is " + llvm::Twine(blockSize) +
                     ", but must be at least 1");
  return llvm::Error::success();
}

namespace {
class SpqrCoder final : public ColumnCoder {
public:
  /// `affine` is null if groups are fitted to all of their weights.
  SpqrCoder(SparseOutliersEncoder &encoder, FeedbackTile &tile,
            const AffineParameters *affine, double bound,
            bool storedInCodingOrder)
      : encoder(encoder), tile(tile), affine(affine),
        bound(static_cast<float>(bound)),
        storedInCodingOrder(storedInCodingOrder) {}

  int64_t getPeriod() const override { return encoder.getGroupCols(); }
  void prepare(int64_t step, ConstMatrixView values) override;
  void code(int64_t step, ConstMatrixView values, MatrixView decoded) override;

private:
  int64_t getStoredColumn(int64_t step) const {
    return storedInCodingOrder ? step
                               : tile.getColumn(tile.getWidth() - 1 - step);
  }
  /// 1 / U_kk.
  float getDiagonal(int64_t step) const {
    const int64_t place = tile.getWidth() - 1 - step;
    return tile.getFactor()(place, place);
  }
  Eigen::VectorXf getErrors(const Eigen::MatrixXf &values,
                            const Eigen::VectorXf &weights, int64_t left) const;
  Eigen::MatrixXf getGains(int64_t step, const Eigen::MatrixXf &values) const;
  void replaceOutliers(int64_t step, Eigen::MatrixXf &values) const;

  SparseOutliersEncoder &encoder;
  FeedbackTile &tile;
  const AffineParameters *affine;
  const float bound;
  const bool storedInCodingOrder;
};
} // namespace

/// The sums of squared errors of groups, one in each row, whose codes span the
/// values of the group, with parameters that are not rounded. Errors of a
/// column count `weights`² times; `left`, one of the columns or -1, is not
/// there.
Eigen::VectorXf SpqrCoder::getErrors(const Eigen::MatrixXf &values,
                                     const Eigen::VectorXf &weights,
                                     int64_t left) const {
  const auto [least, greatest] = affine->getCodeRange();
  const float steps = greatest - least;
  Eigen::VectorXf errors(values.rows());
  for (int64_t row = 0; row < values.rows(); ++row) {
    Range range{std::numeric_limits<float>::infinity(),
                -std::numeric_limits<float>::infinity()};
    for (int64_t col = 0; col < values.cols(); ++col)
      if (col != left) {
        range.lo = std::min(range.lo, values(row, col));
        range.hi = std::max(range.hi, values(row, col));
      }
    if (!affine->hasZeros()) {
      range.hi = std::max(-range.lo, range.hi);
      range.lo = least < 0 ? -range.hi : 0;
    }
    // Equal values are exact.
    const float scale = (range.hi - range.lo) / steps;
    float sum = 0;
    if (scale > 0) {
      float zero = least - range.lo / scale;
      if (!affine->hasZeros())
        zero = 0;
      for (int64_t col = 0; col < values.cols(); ++col) {
        if (col == left)
          continue;
        const float code = std::nearbyint(
            std::clamp(values(row, col) / scale + zero, least, greatest));
        const float error =
            (values(row, col) - scale * (code - zero)) * weights(col);
        sum += error * error;
      }
    }
    errors(row) = sum;
  }
  return errors;
}

/// How much leaving a weight out of its group lowers the sum of the errors of
/// the others.
Eigen::MatrixXf SpqrCoder::getGains(int64_t step,
                                    const Eigen::MatrixXf &values) const {
  const int64_t cols = values.cols();
  Eigen::VectorXf diagonals(cols);
  for (int64_t col = 0; col < cols; ++col)
    diagonals(col) = getDiagonal(step + col);
  const Eigen::VectorXf base = getErrors(values, diagonals, -1);
  Eigen::MatrixXf gains(values.rows(), cols);
  for (int64_t col = 0; col < cols; ++col)
    gains.col(col) = base - getErrors(values, diagonals, col);
  return gains;
}

/// Puts the mean of the others in the place of likely outliers.
void SpqrCoder::replaceOutliers(int64_t step, Eigen::MatrixXf &values) const {
  const Eigen::MatrixXf gains = getGains(step, values);
  for (int64_t row = 0; row < values.rows(); ++row) {
    float sum = 0;
    int64_t count = 0;
    for (int64_t col = 0; col < values.cols(); ++col)
      if (!(gains(row, col) > bound)) {
        sum += values(row, col);
        ++count;
      }
    const float mean = sum / static_cast<float>(std::max<int64_t>(count, 1));
    for (int64_t col = 0; col < values.cols(); ++col)
      if (gains(row, col) > bound)
        values(row, col) = mean;
  }
}

void SpqrCoder::prepare(int64_t step, ConstMatrixView values) {
  const int64_t rows = values.getRows(), cols = values.getCols();
  Eigen::MatrixXf normal(rows, cols);
  for (int64_t col = 0; col < cols; ++col)
    for (int64_t row = 0; row < rows; ++row)
      normal(row, col) = values(row, col);
  if (affine)
    replaceOutliers(step, normal);
  encoder.fit(tile.getFirstRow(),
              getStoredColumn(step) / encoder.getGroupCols(),
              ConstMatrixView(normal.data(), rows, cols, 1, rows),
              /*importance=*/{});
}

void SpqrCoder::code(int64_t step, ConstMatrixView values, MatrixView decoded) {
  const int64_t rows = values.getRows(), col = getStoredColumn(step);
  const float diagonal = getDiagonal(step);
  encoder.encode(tile.getFirstRow(), col, values, decoded);
  llvm::SmallVector<int64_t> outliers;
  for (int64_t row = 0; row < rows; ++row) {
    const float error = (values(row, 0) - decoded(row, 0)) * diagonal;
    if (error * error > bound)
      outliers.push_back(row);
  }
  if (outliers.empty())
    return;
  // Where an outlier is, the codes stand for zero.
  std::vector<float> normal(rows);
  for (int64_t row = 0; row < rows; ++row)
    normal[row] = values(row, 0);
  for (int64_t row : outliers)
    normal[row] = 0;
  encoder.encode(tile.getFirstRow(), col,
                 ConstMatrixView(normal.data(), rows, 1, 1, rows), decoded);
  encoder.store(tile.getFirstRow(), col, outliers, values, decoded);
}

/// The loss from which on a weight is an outlier.
static double getBound(ConstMatrixView weights, const GptqFactor &factor,
                       double threshold) {
  const int64_t rows = weights.getRows(), width = weights.getCols();
  // One weight says nothing about how far weights are from each other.
  if (rows < 2 || std::isinf(threshold))
    return std::numeric_limits<double>::infinity();
  double sum = 0;
  for (int64_t place = 0; place < width; ++place) {
    const int64_t column = factor.getOrder()[width - 1 - place];
    if (factor.isDead(column))
      continue;
    double mean = 0, squares = 0;
    for (int64_t row = 0; row < rows; ++row)
      mean += weights(row, column) / static_cast<double>(rows);
    for (int64_t row = 0; row < rows; ++row)
      squares += (weights(row, column) - mean) * (weights(row, column) - mean);
    const double diagonal = factor.getFactor()[place * (width + 1)];
    sum += squares / static_cast<double>(rows - 1) * diagonal * diagonal;
  }
  return threshold * sum / static_cast<double>(width);
}

llvm::Expected<GptqResult> lowbit::spqr(const SparseOutliersFormat &format,
                                        ConstMatrixView weights,
                                        const GptqFactor &factor,
                                        const RangeSearch &search,
                                        const SpqrOptions &options) {
  if (llvm::Error error = options.check())
    return std::move(error);
  if (llvm::Error error = checkErrorFeedback("SpQR", format, weights, factor))
    return std::move(error);
  const SparseOutliersFormat storage = llvm::cantFail(SparseOutliersFormat::get(
      {format.getSpec().dense, /*count=*/0, format.getSpec().valueType}));
  GptqResult result;
  if (factor.isEmpty()) {
    llvm::Expected<SolverResult> rounded =
        roundToNearest(storage, weights, search, options.threads);
    if (!rounded)
      return rounded.takeError();
    static_cast<SolverResult &>(result) = std::move(*rounded);
    return result;
  }
  if (options.actOrder)
    result.columnOrder = factor.getOrder().vec();
  std::vector<float> buffer;
  llvm::Expected<std::unique_ptr<MatrixEncoder>> dense =
      storage.getSpec().dense->createEncoder(
          reorderColumns(weights, result.columnOrder, buffer), search);
  if (!dense)
    return dense.takeError();

  const double bound = getBound(weights, factor, options.threshold);
  const AffineParameters *affine = nullptr;
  if (!options.simplified && !std::isinf(bound)) {
    affine = (*dense)->getAffineParameters();
    if (!affine || affine->getSharedRows() != 1)
      return makeError(
          "SpQR leaves single weights out of groups of one row with "
          "a scale, which the format " +
          storage.getSpec().dense->describe() +
          " does not have; with 'simplified' it leaves none out");
  }
  SparseOutliersEncoder encoder(storage, std::move(*dense));
  FeedbackOptions feedback;
  feedback.blockSize = options.blockSize;
  feedback.threads = options.threads;
  FeedbackSums sums =
      runErrorFeedback(weights, factor, encoder.getGroupRows(), feedback,
                       [&](FeedbackTile &tile) {
                         return std::make_unique<SpqrCoder>(
                             encoder, tile, affine, bound, options.actOrder);
                       });
  result.matrix = encoder.finish();
  summarize(sums, factor, result);
  return result;
}
