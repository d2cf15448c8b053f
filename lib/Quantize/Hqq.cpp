//===- Hqq.cpp - Half-quadratic quantization ------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Hqq.h"
#include "GroupSolver.h"
#include "VectorMath.h"
#include "lowbit/Support/OutputFile.h"
#include <cmath>
#include <limits>
#include <numeric>

using namespace lowbit;

llvm::Error HqqOptions::check() const {
  if (!(p > 0 && p <= 1))
    return makeError("p is " + std::to_string(p) + ", but must lie in (0, 1]");
  if (!(beta > 0))
    return makeError("beta is " + std::to_string(beta) +
                     ", but must be positive");
  if (!(kappa >= 1))
    return makeError("kappa is " + std::to_string(kappa) +
                     ", but must be at least 1");
  if (iterations < 0)
    return makeError("iterations is " + llvm::Twine(iterations) +
                     ", but must not be negative");
  return llvm::Error::success();
}

/// Errors below it count as it: 0 has no logarithm.
static constexpr float smallestError = 1e-30f;

namespace {
/// Solves a column group of some rows. All vectors have an element for each
/// row; rows that share parameters hold the same ones.
class HqqGroup {
public:
  HqqGroup(MatrixEncoder &encoder, AffineParameters &parameters,
           const HqqOptions &options, const RowsOfGroup &group);

  void run();

private:
  using Vector = std::vector<float>;

  /// Gives every row the sum over the rows that share its parameters.
  void sumSharedRows(Vector &sums) const;
  /// Codes by `zeros`, then the errors and the next zero points.
  void iterate(float beta, const Vector &zeros, Vector &errors,
               Vector &next) const;
  Vector findZeros() const;
  /// Encodes with these zero points, rounded to those that can be stored, and
  /// returns the errors.
  Vector encode(Vector &zeros);

  MatrixEncoder &encoder;
  AffineParameters &parameters;
  const HqqOptions &options;
  const RowsOfGroup &group;
  const int64_t rows, cols;
  const float exponent;
  /// Those of round-to-nearest.
  Vector scales, nearestZeros;
};
} // namespace

HqqGroup::HqqGroup(MatrixEncoder &encoder, AffineParameters &parameters,
                   const HqqOptions &options, const RowsOfGroup &group)
    : encoder(encoder), parameters(parameters), options(options), group(group),
      rows(group.values.getRows()), cols(group.values.getCols()),
      exponent(static_cast<float>(options.p - 1)), scales(rows),
      nearestZeros(rows) {
  encoder.fit(group.firstRow, group.group, group.values);
  parameters.getParameters(group.firstRow, group.group, scales, nearestZeros);
}

void HqqGroup::sumSharedRows(Vector &sums) const {
  const int64_t shared = encoder.getGroupRows();
  if (shared == 1)
    return;
  for (int64_t begin = 0; begin < rows; begin += shared) {
    auto first = sums.begin() + begin;
    auto end = sums.begin() + std::min(begin + shared, rows);
    std::fill(first, end, std::accumulate(first, end, 0.0f));
  }
}

void HqqGroup::iterate(float beta, const Vector &zeros, Vector &errors,
                       Vector &next) const {
  const float minCode = parameters.getCodeRange().first;
  const float maxCode = parameters.getCodeRange().second;
  const float inverseBeta = 1 / beta;
  Vector inverses(rows);
  for (int64_t row = 0; row < rows; ++row)
    inverses[row] = 1 / scales[row];
  std::fill(errors.begin(), errors.end(), 0.0f);
  std::fill(next.begin(), next.end(), 0.0f);
  // None of them overlap, which the vectorizer has to be told.
  const float *__restrict scale = scales.data();
  const float *__restrict inverse = inverses.data();
  const float *__restrict zero = zeros.data();
  float *__restrict errorSum = errors.data();
  float *__restrict nextSum = next.data();
  for (int64_t col = 0; col < cols; ++col) {
    const float *__restrict value = &group.values(0, col);
    for (int64_t row = 0; row < rows; ++row) {
      const float scaled = value[row] * inverse[row];
      float code = std::max(scaled + zero[row], minCode);
      code = roundHalfEven(std::min(code, maxCode));
      const float error = value[row] - (code - zero[row]) * scale[row];
      const float size = std::max(std::fabs(error), smallestError);
      const float power = powOfPositive(size, exponent);
      errorSum[row] += size * power;
      // What is left of the error when the outlier is taken out, in steps.
      const float outlier = std::max(size - power * inverseBeta, 0.0f);
      nextSum[row] +=
          code - scaled + std::copysign(outlier, error) * inverse[row];
    }
  }
  sumSharedRows(errors);
  sumSharedRows(next);
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t shared = encoder.getGroupRows();
    const int64_t count = std::min(shared, rows - row / shared * shared);
    next[row] /= static_cast<float>(cols * count);
  }
}

HqqGroup::Vector HqqGroup::findZeros() const {
  Vector zeros = nearestZeros, best = zeros, next(rows), errors(rows);
  Vector leastErrors(rows, std::numeric_limits<float>::infinity());
  // The reference does so at 4 bits only.
  const auto [minCode, maxCode] = parameters.getCodeRange();
  if (maxCode - minCode == 15)
    for (float &zero : zeros)
      zero = roundHalfEven(zero);
  float beta = static_cast<float>(options.beta);
  for (int64_t i = 0; i <= options.iterations; ++i) {
    iterate(beta, zeros, errors, next);
    for (int64_t row = 0; row < rows; ++row)
      if (errors[row] < leastErrors[row]) {
        leastErrors[row] = errors[row];
        best[row] = zeros[row];
      }
    std::swap(zeros, next);
    beta *= static_cast<float>(options.kappa);
  }
  return best;
}

HqqGroup::Vector HqqGroup::encode(Vector &zeros) {
  parameters.setParameters(group.firstRow, group.group, scales, zeros);
  encoder.encode(group.firstRow, group.firstCol, group.values, group.decoded);
  Vector errors(rows);
  for (int64_t col = 0; col < cols; ++col)
    for (int64_t row = 0; row < rows; ++row) {
      const float size =
          std::max(std::fabs(group.values(row, col) - group.decoded(row, col)),
                   smallestError);
      errors[row] += size * powOfPositive(size, exponent);
    }
  sumSharedRows(errors);
  return errors;
}

void HqqGroup::run() {
  Vector zeros = findZeros();
  const Vector nearestErrors = encode(nearestZeros);
  const Vector errors = encode(zeros);
  bool isBest = true;
  for (int64_t row = 0; row < rows; ++row)
    if (nearestErrors[row] <= errors[row]) {
      zeros[row] = nearestZeros[row];
      isBest = false;
    }
  if (!isBest)
    encode(zeros);
}

llvm::Expected<SolverResult> lowbit::hqq(const BlockFormat &format,
                                         ConstMatrixView weights,
                                         const RangeSearch &search,
                                         const HqqOptions &options) {
  if (llvm::Error error = options.check())
    return std::move(error);
  llvm::Expected<std::unique_ptr<MatrixEncoder>> encoder =
      format.createEncoder(weights, search);
  if (!encoder)
    return encoder.takeError();
  AffineParameters *parameters = (*encoder)->getAffineParameters();
  if (!parameters)
    return makeError(
        "HQQ chooses the zero points of groups, which the format " +
        format.describe() + " does not have");
  return solveByGroups(**encoder, weights, options.threads,
                       [&](const RowsOfGroup &group) {
                         HqqGroup(**encoder, *parameters, options, group).run();
                       });
}
