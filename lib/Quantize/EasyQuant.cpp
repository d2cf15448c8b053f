//===- EasyQuant.cpp - Outliers apart, scales by least squares
//--------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/EasyQuant.h"
#include "GroupSolver.h"
#include "lowbit/Quantize/Outliers.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <numeric>

using namespace lowbit;

llvm::Error EasyQuantOptions::check() const {
  if (!(sigma >= 0))
    return makeError("sigma is " + std::to_string(sigma) +
                     ", but must not be negative");
  if (!(fraction >= 0 && fraction <= 1))
    return makeError("fraction is " + std::to_string(fraction) +
                     ", but must lie in [0, 1]");
  if (iterations < 0)
    return makeError("iterations is " + llvm::Twine(iterations) +
                     ", but must not be negative");
  return llvm::Error::success();
}

namespace {
/// Fits the scales of a column group of some rows. Rows that share parameters
/// are a unit: they have one error, and one factor for their scales.
class EasyQuantGroup {
public:
  EasyQuantGroup(MatrixEncoder &encoder, const RowsOfGroup &group);

  void run(int64_t iterations);

private:
  /// One number for each unit.
  using Vector = std::vector<double>;

  /// Codes the group with the scales as they are.
  void encode();
  /// What follows from `decoded`: errors and factors for the scales.
  void measure(Vector &errors, Vector &factors) const;
  void rescale(const Vector &factors);

  MatrixEncoder &encoder;
  const RowsOfGroup &group;
  const int64_t rows, cols, units;
  /// Without outliers.
  std::vector<float> normal, decodedBuffer;
  MatrixView decoded;
  std::vector<int64_t> storedCols;
};
} // namespace

EasyQuantGroup::EasyQuantGroup(MatrixEncoder &encoder, const RowsOfGroup &group)
    : encoder(encoder), group(group), rows(group.values.getRows()),
      cols(group.values.getCols()),
      units(llvm::divideCeil(rows, encoder.getGroupRows())),
      normal(group.values.getData(), group.values.getData() + rows * cols),
      decodedBuffer(rows * cols),
      decoded(decodedBuffer.data(), rows, cols, 1, rows), storedCols(cols) {
  encoder.clearOutliers(group.firstRow, group.firstCol,
                        MatrixView(normal.data(), rows, cols, 1, rows));
  std::iota(storedCols.begin(), storedCols.end(), group.firstCol);
}

void EasyQuantGroup::encode() {
  encoder.encode(group.firstRow, group.firstCol, group.values, decoded);
  encoder.clearOutliers(group.firstRow, group.firstCol, decoded);
}

void EasyQuantGroup::measure(Vector &errors, Vector &factors) const {
  Vector products(rows), squares(rows), rowErrors(rows);
  for (int64_t col = 0; col < cols; ++col) {
    const float *value = &normal[col * rows];
    const float *result = &decodedBuffer[col * rows];
    for (int64_t row = 0; row < rows; ++row) {
      const double w = value[row], d = result[row];
      products[row] += w * d;
      squares[row] += d * d;
      rowErrors[row] += (w - d) * (w - d);
    }
  }
  for (int64_t unit = 0; unit < units; ++unit) {
    const int64_t begin = unit * encoder.getGroupRows();
    const int64_t end = std::min(begin + encoder.getGroupRows(), rows);
    auto sum = [&](const Vector &of) {
      return std::accumulate(of.begin() + begin, of.begin() + end, 0.0);
    };
    const double product = sum(products), square = sum(squares);
    errors[unit] = sum(rowErrors);
    factors[unit] = product > 0 && square > 0 ? product / square : 1;
  }
}

void EasyQuantGroup::rescale(const Vector &factors) {
  std::vector<float> rowFactors(rows);
  for (int64_t row = 0; row < rows; ++row)
    rowFactors[row] = static_cast<float>(factors[row / encoder.getGroupRows()]);
  encoder.rescale(group.firstRow, storedCols, rowFactors, decoded);
}

void EasyQuantGroup::run(int64_t iterations) {
  encoder.fit(group.firstRow, group.group, group.values);
  encode();
  Vector errors(units), factors(units), nextErrors(units), nextFactors(units);
  measure(errors, factors);
  std::vector<uint8_t> isDone(units);
  // What the scales were multiplied by in each iteration.
  std::vector<Vector> history;
  bool someAreWorse = false;
  while (static_cast<int64_t>(history.size()) < iterations) {
    history.push_back(factors);
    rescale(factors);
    encode();
    measure(nextErrors, nextFactors);
    bool goesOn = false;
    for (int64_t unit = 0; unit < units; ++unit) {
      if (!isDone[unit] && nextErrors[unit] < errors[unit]) {
        errors[unit] = nextErrors[unit];
        factors[unit] = nextFactors[unit];
        goesOn = true;
        continue;
      }
      // Scales that are quantized, or types of few bits, can make it worse.
      if (!isDone[unit] && nextErrors[unit] > errors[unit]) {
        history.back()[unit] = 1;
        someAreWorse = true;
      }
      isDone[unit] = true;
      factors[unit] = 1;
    }
    if (!goesOn)
      break;
  }
  if (someAreWorse) {
    encoder.fit(group.firstRow, group.group, group.values);
    encode();
    for (const Vector &step : history)
      rescale(step);
  }
  encoder.encode(group.firstRow, group.firstCol, group.values, group.decoded);
}

llvm::Expected<SolverResult>
lowbit::easyQuant(const BlockFormat &format, ConstMatrixView weights,
                  const RangeSearch &search, const EasyQuantOptions &options) {
  if (llvm::Error error = options.check())
    return std::move(error);
  const auto limit = static_cast<int64_t>(options.fraction *
                                          static_cast<double>(weights.size()));
  const std::shared_ptr<const BlockFormat> storage = format.withOutliers(
      std::min(countOutliers(weights, options.sigma), limit));
  if (!storage)
    return makeError("EasyQuant stores outliers apart, for which the format " +
                     format.describe() + " has no place");
  llvm::Expected<std::unique_ptr<MatrixEncoder>> encoder =
      storage->createEncoder(weights, search);
  if (!encoder)
    return encoder.takeError();
  if (!(*encoder)->hasScales())
    return makeError("EasyQuant fits the scales of groups, which the format " +
                     format.describe() + " does not have");
  return solveByGroups(
      **encoder, weights, options.threads, [&](const RowsOfGroup &group) {
        EasyQuantGroup(**encoder, group).run(options.iterations);
      });
}
