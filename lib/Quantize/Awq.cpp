//===- Awq.cpp - Scales and ranges by what activations show ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Awq.h"
#include "EigenTypes.h"
#include "GroupSolver.h"
#include "Parallel.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace lowbit;

//===----------------------------------------------------------------------===//
// Scales
//===----------------------------------------------------------------------===//

std::vector<float> lowbit::getAwqScales(llvm::ArrayRef<float> means,
                                        double alpha) {
  constexpr double smallest = 1e-4;
  std::vector<double> powers;
  for (float mean : means)
    powers.push_back(std::max(std::pow(double(mean), alpha), smallest));
  const auto [least, greatest] =
      std::minmax_element(powers.begin(), powers.end());
  const double center = std::sqrt(*least * *greatest);
  std::vector<float> scales;
  for (double power : powers)
    scales.push_back(static_cast<float>(power / center));
  return scales;
}

llvm::Expected<int64_t> lowbit::findLeastLoss(int64_t count,
                                              CandidateLoss loss) {
  // The best candidates lie in the middle more often than not, and bound what
  // is spent on the others.
  llvm::SmallVector<int64_t, 32> order;
  for (int64_t distance = 0; distance <= count; ++distance)
    for (int64_t index : {count / 2 - distance, count / 2 + distance})
      if (index >= 0 && index < count && !llvm::is_contained(order, index))
        order.push_back(index);
  int64_t best = -1;
  double least = std::numeric_limits<double>::infinity();
  for (int64_t index : order) {
    llvm::Expected<double> current = loss(index, least);
    if (!current)
      return current.takeError();
    if (*current < least || (*current == least && index < best)) {
      best = index;
      least = *current;
    }
  }
  if (best < 0)
    return makeError("what quantizing it loses is not finite");
  return best;
}

/// Visits all elements, in parallel, in about the order in which they lie in
/// memory.
template <typename Visit>
static void forEachElement(ConstMatrixView like, unsigned threads,
                           Visit visit) {
  const int64_t rows = like.getRows(), cols = like.getCols();
  if (like.getRowStride() >= like.getColStride())
    return parallelFor(rows, threads, [&](int64_t row) {
      for (int64_t col = 0; col < cols; ++col)
        visit(row, col);
    });
  parallelFor(cols, threads, [&](int64_t col) {
    for (int64_t row = 0; row < rows; ++row)
      visit(row, col);
  });
}

/// Rounds weights to the nearest codes and shows what groups decode to.
static llvm::Error
roundTrip(const BlockFormat &format, ConstMatrixView weights,
          const RangeSearch &search, unsigned threads,
          llvm::function_ref<void(const RowsOfGroup &)> use) {
  llvm::Expected<std::unique_ptr<MatrixEncoder>> encoder =
      format.createEncoder(weights, search);
  if (!encoder)
    return encoder.takeError();
  walkGroups(**encoder, weights, threads, [&](const RowsOfGroup &group) {
    (*encoder)->fit(group.firstRow, group.group, group.values);
    (*encoder)->encode(group.firstRow, group.firstCol, group.values,
                       group.decoded);
    use(group);
  });
  return llvm::Error::success();
}

llvm::Error lowbit::roundScaled(const BlockFormat &format,
                                ConstMatrixView weights,
                                llvm::ArrayRef<float> scales,
                                const RangeSearch &search, MatrixView decoded,
                                unsigned threads) {
  assert(int64_t(scales.size()) == weights.getCols() &&
         decoded.getRows() == weights.getRows() &&
         decoded.getCols() == weights.getCols() &&
         "a scale for each column, and room for all");
  forEachElement(weights, threads, [&](int64_t row, int64_t col) {
    decoded(row, col) = weights(row, col) * scales[col];
  });
  return roundTrip(
      format, decoded, search, threads, [&](const RowsOfGroup &group) {
        for (int64_t i = 0; i < group.decoded.getCols(); ++i) {
          const int64_t col = group.firstCol + i;
          for (int64_t row = 0; row < group.decoded.getRows(); ++row)
            decoded(group.firstRow + row, col) =
                group.decoded(row, i) / scales[col];
        }
      });
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

void ClipLimits::clamp(MatrixView weights) const {
  forEachElement(weights, /*threads=*/1, [&](int64_t row, int64_t col) {
    weights(row, col) = clamp(row, col, weights(row, col));
  });
}

/// The greatest magnitude of each group.
static ClipLimits getRanges(ConstMatrixView weights, int64_t groupCols) {
  const int64_t groups = llvm::divideCeil(weights.getCols(), groupCols);
  ClipLimits ranges{groupCols, groups,
                    std::vector<float>(weights.getRows() * groups)};
  forEachElement(weights, /*threads=*/1, [&](int64_t row, int64_t col) {
    float &range = ranges.values[row * groups + col / groupCols];
    range = std::max(range, std::abs(weights(row, col)));
  });
  return ranges;
}

/// Adds to `errors`, by row, what rounding changes in the outputs of a group.
static void addErrors(const RowsOfGroup &group, ConstMatrixView weights,
                      const Hessian &hessian,
                      llvm::MutableArrayRef<double> errors) {
  const int64_t rows = group.decoded.getRows(), cols = group.decoded.getCols();
  ColMajorMatrix difference(rows, cols);
  for (int64_t i = 0; i < cols; ++i)
    for (int64_t row = 0; row < rows; ++row)
      difference(row, i) = group.decoded(row, i) -
                           weights(group.firstRow + row, group.firstCol + i);
  Eigen::Map<const Eigen::MatrixXf> h(hessian.values.data(), hessian.width,
                                      hessian.width);
  const ColMajorMatrix product =
      difference * h.block(group.firstCol, group.firstCol, cols, cols);
  const Eigen::VectorXd sums =
      difference.cwiseProduct(product).cast<double>().rowwise().sum();
  for (int64_t row = 0; row < rows; ++row)
    errors[row] += sums[row];
}

llvm::Expected<ClipLimits> lowbit::searchClipLimits(const BlockFormat &format,
                                                    ConstMatrixView weights,
                                                    const Hessian &hessian,
                                                    const RangeSearch &search,
                                                    unsigned threads) {
  constexpr int points = 10, steps = 20;
  const int64_t rows = weights.getRows(), cols = weights.getCols();
  assert(hessian.width == cols && "a Hessian of the inputs");
  llvm::Expected<std::unique_ptr<MatrixEncoder>> encoder =
      format.createEncoder(weights, search);
  if (!encoder)
    return encoder.takeError();
  const int64_t groupRows = std::max<int64_t>((*encoder)->getGroupRows(), 1);
  const int64_t groupCols =
      std::max<int64_t>(std::min((*encoder)->getGroupCols(), cols), 1);
  encoder->reset();

  const ClipLimits ranges = getRanges(weights, groupCols);
  const int64_t groups = ranges.groups;
  ClipLimits best = ranges, current = ranges;
  std::vector<double> least(rows * groups,
                            std::numeric_limits<double>::infinity());
  // Laid out as the weights are, which are dense.
  std::vector<float> values(rows * cols);
  const bool isTransposed = weights.getRowStride() < weights.getColStride();
  MatrixView clamped(values.data(), rows, cols, isTransposed ? 1 : cols,
                     isTransposed ? rows : 1);
  for (int point = 0; point < points; ++point) {
    for (auto [limit, range] : llvm::zip_equal(current.values, ranges.values))
      limit = static_cast<float>(range * (1 - point / double(steps)));
    forEachElement(weights, threads, [&](int64_t row, int64_t col) {
      clamped(row, col) = current.clamp(row, col, weights(row, col));
    });
    // Tiles do not cut rows that share parameters.
    llvm::Error error = roundTrip(
        format, clamped, search, threads, [&](const RowsOfGroup &group) {
          std::vector<double> errors(group.decoded.getRows());
          addErrors(group, weights, hessian, errors);
          const int64_t count = errors.size();
          for (int64_t begin = 0; begin < count; begin += groupRows) {
            const int64_t end = std::min(begin + groupRows, count);
            const double sum = std::accumulate(errors.begin() + begin,
                                               errors.begin() + end, 0.0);
            for (int64_t row = begin; row < end; ++row) {
              const int64_t place =
                  (group.firstRow + row) * groups + group.group;
              if (sum < least[place]) {
                least[place] = sum;
                best.values[place] = current.values[place];
              }
            }
          }
        });
    if (error)
      return std::move(error);
  }
  return best;
}
