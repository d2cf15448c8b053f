//===- OvpSearch.cpp - The scales of outlier-victim pairs -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All loops are along rows, whose scales are independent of each other, so that
// they vectorize and a row's scale does not depend on the rows beside it.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/OvpFormat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <limits>
#include <vector>

using namespace lowbit;

//===----------------------------------------------------------------------===//
// Rounding
//===----------------------------------------------------------------------===//

template <bool isFlint, bool keepsLeft>
static void roundPairsTo(const OvpGrid &grid, int64_t count, const float *left,
                         const float *right, float *leftLevels,
                         float *rightLevels) {
  for (int64_t i = 0; i < count; ++i) {
    const float l = std::fabs(left[i]), r = std::fabs(right[i]);
    const float lLevel = grid.roundMagnitude<isFlint>(l);
    const float rLevel = grid.roundMagnitude<isFlint>(r);
    const bool isLeftOutlier = grid.isOutlier(lLevel);
    const bool isRightOutlier = grid.isOutlier(rLevel);
    const bool isLeftFirst = keepsLeft || l >= r;
    const bool isRightVictim = isLeftOutlier & (!isRightOutlier | isLeftFirst);
    const bool isLeftVictim = isRightOutlier & !isRightVictim;
    leftLevels[i] = std::copysign(isLeftVictim ? 0.0f : lLevel, left[i]);
    rightLevels[i] = std::copysign(isRightVictim ? 0.0f : rLevel, right[i]);
  }
}

void OvpFormat::roundPairs(int64_t count, const float *left, const float *right,
                           float *leftLevels, float *rightLevels) const {
  // A copy, which no store of a level changes.
  const OvpGrid local = grid;
  auto round = [&](auto isFlint, auto keepsLeft) {
    roundPairsTo<isFlint, keepsLeft>(local, count, left, right, leftLevels,
                                     rightLevels);
  };
  auto roundIn = [&](auto isFlint) {
    if (spec.keepsLeft)
      round(isFlint, std::true_type());
    else
      round(isFlint, std::false_type());
  };
  if (grid.isFlint())
    roundIn(std::true_type());
  else
    roundIn(std::false_type());
}

//===----------------------------------------------------------------------===//
// Search
//===----------------------------------------------------------------------===//

/// Sums numbers of rows over groups of rows, in order.
static llvm::SmallVector<double> sumGroups(llvm::ArrayRef<double> rows,
                                           int64_t groupRows) {
  llvm::SmallVector<double> sums(llvm::divideCeil(rows.size(), groupRows));
  for (auto [row, value] : llvm::enumerate(rows))
    sums[row / groupRows] += value;
  return sums;
}

/// What the candidates of each group of rows are multiples of:
/// max(|mean + 3 sigma|, |mean - 3 sigma|) / the largest normal level.
static llvm::SmallVector<double>
getBaseScales(ConstMatrixView values, int64_t groupRows, float largestNormal) {
  const int64_t rows = values.getRows(), cols = values.getCols();
  auto getCount = [&](int64_t group) {
    return std::min(groupRows, rows - group * groupRows) * cols;
  };
  std::vector<double> sums(rows);
  for (int64_t col = 0; col < cols; ++col)
    for (int64_t row = 0; row < rows; ++row)
      sums[row] += values(row, col);
  llvm::SmallVector<double> means = sumGroups(sums, groupRows);
  for (auto [group, mean] : llvm::enumerate(means))
    mean /= getCount(group);

  std::fill(sums.begin(), sums.end(), 0);
  for (int64_t col = 0; col < cols; ++col)
    for (int64_t row = 0; row < rows; ++row) {
      const double difference = values(row, col) - means[row / groupRows];
      sums[row] += difference * difference;
    }
  llvm::SmallVector<double> scales = sumGroups(sums, groupRows);
  for (auto [group, scale] : llvm::enumerate(scales)) {
    const double sigma = std::sqrt(
        scale / static_cast<double>(std::max<int64_t>(getCount(group) - 1, 1)));
    scale = (std::fabs(means[group]) + 3 * sigma) / largestNormal;
  }
  return scales;
}

/// Neither infinite, nor 0 if it is not.
static float toFloat(double scale) {
  using Limits = std::numeric_limits<float>;
  return scale == 0 ? 0
                    : static_cast<float>(std::clamp<double>(
                          scale, Limits::denorm_min(), Limits::max()));
}

llvm::SmallVector<float>
OvpFormat::getTypicalScales(ConstMatrixView values) const {
  llvm::SmallVector<float> scales;
  for (double scale : getBaseScales(values, getGroupRows(values.getRows()),
                                    grid.getLargestNormal()))
    scales.push_back(toFloat(scale));
  return scales;
}

namespace {
/// Sums the errors of all candidates in one pass over the values.
class Candidates {
public:
  static constexpr int64_t first = 75, end = 150, step = 2;
  static constexpr int64_t count = (end - first + step - 1) / step;

  Candidates(const OvpFormat &format, ConstMatrixView values, int64_t groupRows)
      : format(format), rows(values.getRows()), groupRows(groupRows),
        scales(count * rows), errors(count * rows), left(rows), right(rows),
        leftLevels(rows), rightLevels(rows) {
    const llvm::SmallVector<double> bases =
        getBaseScales(values, groupRows, format.getGrid().getLargestNormal());
    for (int64_t i = 0; i < count; ++i)
      for (int64_t row = 0; row < rows; ++row)
        scales[i * rows + row] = format.getSpec().scales.round(
            toFloat(bases[row / groupRows] * ((first + i * step) / 100.0)));
  }

  /// Of the columns `col` and `col` + 1, which may not exist.
  void add(ConstMatrixView values, int64_t col, float leftImportance,
           float rightImportance);
  llvm::SmallVector<float> getBest() const;

private:
  const OvpFormat &format;
  const int64_t rows, groupRows;
  /// [candidates][rows].
  std::vector<float> scales;
  /// In units of the squared scale: they cannot overflow.
  std::vector<double> errors;
  std::vector<float> left, right, leftLevels, rightLevels;
};
} // namespace

void Candidates::add(ConstMatrixView values, int64_t col, float leftImportance,
                     float rightImportance) {
  const bool isWhole = col + 1 < values.getCols();
  for (int64_t i = 0; i < count; ++i) {
    const float *scale = &scales[i * rows];
    for (int64_t row = 0; row < rows; ++row) {
      left[row] = OvpFormat::divide(values(row, col), scale[row]);
      right[row] =
          isWhole ? OvpFormat::divide(values(row, col + 1), scale[row]) : 0;
    }
    format.roundPairs(rows, left.data(), right.data(), leftLevels.data(),
                      rightLevels.data());
    double *error = &errors[i * rows];
    for (int64_t row = 0; row < rows; ++row) {
      const float l = leftLevels[row] - left[row];
      const float r = rightLevels[row] - right[row];
      error[row] += leftImportance * l * l + rightImportance * r * r;
    }
  }
}

llvm::SmallVector<float> Candidates::getBest() const {
  const int64_t groups = llvm::divideCeil(rows, groupRows);
  llvm::SmallVector<float> best(groups);
  llvm::SmallVector<double> least(groups,
                                  std::numeric_limits<double>::infinity());
  for (int64_t i = 0; i < count; ++i) {
    const llvm::SmallVector<double> sums =
        sumGroups(llvm::ArrayRef(errors).slice(i * rows, rows), groupRows);
    for (int64_t group = 0; group < groups; ++group) {
      const float scale = scales[i * rows + group * groupRows];
      const double error = sums[group] * scale * scale;
      if (error < least[group]) {
        least[group] = error;
        best[group] = scale;
      }
    }
  }
  return best;
}

llvm::SmallVector<float>
OvpFormat::searchScales(ConstMatrixView values,
                        llvm::ArrayRef<float> importance) const {
  Candidates candidates(*this, values, getGroupRows(values.getRows()));
  auto getImportance = [&](int64_t col) {
    return importance.empty() || col >= values.getCols() ? 1 : importance[col];
  };
  for (int64_t col = 0; col < values.getCols(); col += 2)
    candidates.add(values, col, getImportance(col), getImportance(col + 1));
  return candidates.getBest();
}
