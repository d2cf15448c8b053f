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
  if (!(beta > 0 && std::isfinite(beta)))
    return makeError("beta is " + std::to_string(beta) +
                     ", but must be positive and finite");
  if (!(kappa >= 1 && std::isfinite(kappa)))
    return makeError("kappa is " + std::to_string(kappa) +
                     ", but must be at least 1 and finite");
  if (iterations < 0)
    return makeError("iterations is " + llvm::Twine(iterations) +
                     ", but must not be negative");
  return llvm::Error::success();
}

/// Errors below it count as it: 0 has no logarithm.
static constexpr float smallestError = 1e-30f;

namespace {
/// Zero points of all groups after each iteration. Of rows that share
/// parameters, each has its own copy.
class History {
public:
  History(const MatrixEncoder &encoder, int64_t iterations)
      : rows(encoder.getRows()),
        groups((encoder.getCols() + encoder.getGroupCols() - 1) /
               std::max<int64_t>(encoder.getGroupCols(), 1)),
        iterations(iterations), zeros((iterations + 1) * groups * rows),
        errors(getNumTiles(encoder) * (iterations + 1)) {}

  float *getZeros(int64_t iteration, const RowsOfGroup &group) {
    return &zeros[(iteration * groups + group.group) * rows + group.firstRow];
  }
  double &getError(int64_t iteration, int64_t tile) {
    return errors[tile * (iterations + 1) + iteration];
  }
  double getError(int64_t iteration) const {
    double sum = 0;
    for (size_t i = iteration; i < errors.size(); i += iterations + 1)
      sum += errors[i];
    return sum;
  }
  int64_t getBestIteration() const {
    int64_t best = 0;
    for (int64_t i = 1; i <= iterations; ++i)
      if (getError(i) < getError(best))
        best = i;
    return best;
  }

private:
  int64_t rows, groups, iterations;
  /// [iterations + 1][column groups][rows]
  std::vector<float> zeros;
  /// Sums of |w - w'|: [tiles][iterations + 1].
  std::vector<double> errors;
};

/// Finds the zero points of a column group of some rows. All vectors have an
/// element for each row; rows that share parameters hold the same ones.
class HqqGroup {
public:
  HqqGroup(MatrixEncoder &encoder, AffineParameters &parameters,
           const HqqOptions &options, const RowsOfGroup &group);

  void run(History &history);

private:
  using Vector = std::vector<float>;

  /// Codes by `zeros`: adds up errors, and finds the next zero points.
  double iterate(float beta, const float *zeros, Vector &next) const;
  /// Turns sums over the columns into means over all that share parameters.
  void average(Vector &sums) const;

  const RowsOfGroup &group;
  const HqqOptions &options;
  const int64_t rows, cols, shared;
  const float minCode, maxCode;
  /// Those of round-to-nearest.
  Vector scales, zeros;
};
} // namespace

HqqGroup::HqqGroup(MatrixEncoder &encoder, AffineParameters &parameters,
                   const HqqOptions &options, const RowsOfGroup &group)
    : group(group), options(options), rows(group.values.getRows()),
      cols(group.values.getCols()), shared(parameters.getSharedRows()),
      minCode(parameters.getCodeRange().first),
      maxCode(parameters.getCodeRange().second), scales(rows), zeros(rows) {
  encoder.fit(group.firstRow, group.group, group.values);
  parameters.getParameters(group.firstRow, group.group, scales, zeros);
}

void HqqGroup::average(Vector &sums) const {
  for (int64_t begin = 0; begin < rows; begin += shared) {
    const int64_t count = std::min(shared, rows - begin);
    auto first = sums.begin() + begin;
    const float sum = std::accumulate(first, first + count, 0.0f);
    std::fill_n(first, count, sum / static_cast<float>(cols * count));
  }
}

double HqqGroup::iterate(float beta, const float *zeros, Vector &next) const {
  const float exponent = static_cast<float>(options.p - 1);
  const float inverseBeta = 1 / beta;
  const float lo = minCode, hi = maxCode;
  Vector inverses(rows), errors(rows);
  for (int64_t row = 0; row < rows; ++row)
    inverses[row] = scales[row] == 0 ? 0 : 1 / scales[row];
  std::fill(next.begin(), next.end(), 0.0f);
  // None of them overlap, which the vectorizer has to be told.
  const float *__restrict scale = scales.data();
  const float *__restrict inverse = inverses.data();
  const float *__restrict zero = zeros;
  float *__restrict errorSum = errors.data();
  float *__restrict nextSum = next.data();
  for (int64_t col = 0; col < cols; ++col) {
    const float *__restrict value = &group.values(0, col);
    for (int64_t row = 0; row < rows; ++row) {
      const float scaled = value[row] * inverse[row];
      float code = std::max(scaled + zero[row], lo);
      code = roundHalfEven(std::min(code, hi));
      const float error = value[row] - (code - zero[row]) * scale[row];
      const float size = std::max(std::fabs(error), smallestError);
      errorSum[row] += size;
      // What is left of the error when the outlier is taken out, in steps.
      const float outlier =
          std::max(size - powOfPositive(size, exponent) * inverseBeta, 0.0f);
      nextSum[row] +=
          code - scaled + std::copysign(outlier, error) * inverse[row];
    }
  }
  average(next);
  return std::accumulate(errors.begin(), errors.end(), 0.0);
}

void HqqGroup::run(History &history) {
  // The reference does so at 4 bits only.
  if (maxCode - minCode == 15)
    for (float &zero : zeros)
      zero = roundHalfEven(zero);
  Vector next(rows);
  float beta = static_cast<float>(options.beta);
  for (int64_t i = 0; i <= options.iterations; ++i) {
    float *known = history.getZeros(i, group);
    std::copy(zeros.begin(), zeros.end(), known);
    history.getError(i, group.tile) += iterate(beta, known, next);
    std::swap(zeros, next);
    beta *= static_cast<float>(options.kappa);
  }
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
  if (!parameters || !parameters->hasZeros())
    return makeError(
        "HQQ chooses the zero points of groups, which the format " +
        format.describe() + " does not have");
  History history(**encoder, options.iterations);
  walkGroups(**encoder, weights, options.threads,
             [&](const RowsOfGroup &group) {
               HqqGroup(**encoder, *parameters, options, group).run(history);
             });

  auto encode = [&](int64_t iteration, const RowsOfGroup &group) {
    const int64_t rows = group.values.getRows();
    const float *wanted = history.getZeros(iteration, group);
    std::vector<float> scales(rows), zeros(rows);
    parameters->getParameters(group.firstRow, group.group, scales, zeros);
    std::copy_n(wanted, rows, zeros.begin());
    parameters->setParameters(group.firstRow, group.group, scales, zeros);
    (*encoder)->encode(group.firstRow, group.firstCol, group.values,
                       group.decoded);
  };
  int64_t best = history.getBestIteration();
  // Zero points that are rounded to integers may lose what was won.
  std::vector<double> errors(getNumTiles(**encoder));
  walkGroups(**encoder, weights, options.threads,
             [&](const RowsOfGroup &group) {
               encode(best, group);
               const float *values = group.values.getData();
               const float *decoded = group.decoded.getData();
               for (int64_t i = 0, e = group.values.size(); i < e; ++i)
                 errors[group.tile] += std::fabs(values[i] - decoded[i]);
             });
  if (std::accumulate(errors.begin(), errors.end(), 0.0) > history.getError(0))
    best = 0;
  return solveByGroups(**encoder, weights, options.threads,
                       [&](const RowsOfGroup &group) { encode(best, group); });
}
