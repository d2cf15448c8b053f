//===- Conversion.cpp - Exactly the same values in another format ---------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Conversion.h"
#include "GroupSolver.h"
#include "lowbit/Quantize/BcqFormat.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/FormatVariadic.h"
#include <climits>
#include <cmath>
#include <numeric>

using namespace lowbit;

namespace {
/// Values of a group are scale * (code - zero) with whole numbers in brackets.
struct Grid {
  float scale, zero;
};
} // namespace

/// The greatest number of which all values are multiples, and the zero point
/// with which the least of them has the least code, or 0 its own. Nothing if
/// there are only zeros, or values too far apart to be multiples by any code.
static std::optional<Grid> findGrid(ConstMatrixView values, float minCode) {
  // Every float is an odd number times a power of two.
  int unit = INT_MAX;
  auto visit = [&](llvm::function_ref<void(float)> use) {
    for (int64_t col = 0; col < values.getCols(); ++col)
      for (int64_t row = 0; row < values.getRows(); ++row)
        if (values(row, col) != 0)
          use(values(row, col));
  };
  constexpr int mantissaBits = 24;
  visit([&](float value) {
    int exponent;
    const auto mantissa = static_cast<uint32_t>(
        std::ldexp(std::fabs(std::frexp(value, &exponent)), mantissaBits));
    unit = std::min(unit,
                    exponent - mantissaBits + llvm::countr_zero(mantissa));
  });
  if (unit == INT_MAX)
    return std::nullopt;
  constexpr double limit = 1ull << 53;
  uint64_t divisor = 0;
  double least = 0;
  bool isClose = true;
  visit([&](float value) {
    const double count = std::ldexp(std::fabs(double(value)), -unit);
    isClose &= count < limit;
    if (isClose)
      divisor = std::gcd(divisor, static_cast<uint64_t>(count));
    least = std::min(least, double(value));
  });
  if (!isClose)
    return std::nullopt;
  const double scale = std::ldexp(static_cast<double>(divisor), unit);
  return Grid{static_cast<float>(scale),
              static_cast<float>(minCode - least / scale)};
}

/// That of the uniform group that all these values are of, for codes that begin
/// with `minCode`. Nothing if they are of several groups.
static std::optional<Grid>
getGrid(const UniformFormat &format, int64_t totalRows, int64_t totalCols,
        llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components, int64_t firstRow,
        int64_t rows, int64_t firstCol, int64_t cols, float minCode) {
  const int64_t groupRows = format.getGroupRows(totalRows);
  const int64_t groupCols = format.getGroupCols(totalCols);
  if (firstRow / groupRows != (firstRow + rows - 1) / groupRows ||
      firstCol / groupCols != (firstCol + cols - 1) / groupCols)
    return std::nullopt;
  const int64_t rowGroups = format.getNumRowGroups(totalRows);
  const int64_t colGroups = format.getNumColGroups(totalCols);
  std::vector<float> scales(rowGroups * colGroups), zeros(scales.size());
  llvm::cantFail(format.decodeParameters(
      components, MatrixView(scales.data(), rowGroups, colGroups),
      MatrixView(zeros.data(), rowGroups, colGroups)));
  const int64_t index =
      firstRow / groupRows * colGroups + firstCol / groupCols;
  const UniformFormat::Parameters parameters{scales[index], zeros[index]};
  return Grid{parameters.scale,
              parameters.zero + minCode - format.getMinCode()};
}

/// Codes the values with the scales that make them exact, where the format lets
/// these be chosen.
static llvm::Expected<QuantizedMatrix>
code(const BlockFormat &from, ConstMatrixView values,
     llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components, const BlockFormat &to,
     unsigned threads) {
  const auto *uniform = dynamic_cast<const UniformFormat *>(&from);
  const auto *signs = dynamic_cast<const BcqFormat *>(&to);
  if (uniform && signs)
    return convertToBcq(*uniform, values.getRows(), values.getCols(),
                        components, *signs);
  const MinMaxSearch search;
  llvm::Expected<std::unique_ptr<MatrixEncoder>> encoder =
      to.createEncoder(values, search);
  if (!encoder)
    return encoder.takeError();
  AffineParameters *affine = (*encoder)->getAffineParameters();
  const int64_t shared = affine ? affine->getSharedRows() : 1;
  auto solve = [&](const RowsOfGroup &g) {
    const int64_t rows = g.values.getRows(), cols = g.values.getCols();
    (*encoder)->fit(g.firstRow, g.group, g.values);
    if (affine) {
      std::vector<float> scales(rows), zeros(rows);
      affine->getParameters(g.firstRow, g.group, scales, zeros);
      const float minCode = affine->getCodeRange().first;
      for (int64_t row = 0; row < rows; row += shared) {
        const int64_t count = std::min(shared, rows - row);
        std::optional<Grid> grid;
        if (uniform)
          grid = getGrid(*uniform, values.getRows(), values.getCols(),
                         components, g.firstRow + row, count, g.firstCol, cols,
                         minCode);
        if (!grid)
          grid = findGrid(g.values.block(row, 0, count, cols), minCode);
        if (!grid)
          continue;
        std::fill_n(scales.begin() + row, count, grid->scale);
        std::fill_n(zeros.begin() + row, count, grid->zero);
      }
      affine->setParameters(g.firstRow, g.group, scales, zeros);
    }
    (*encoder)->encode(g.firstRow, g.firstCol, g.values, g.decoded);
  };
  return solveByGroups(**encoder, values, threads, solve).matrix;
}

llvm::Expected<QuantizedMatrix>
lowbit::convertExactly(const BlockFormat &from, int64_t rows, int64_t cols,
                       llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                       const BlockFormat &to, unsigned threads) {
  std::vector<float> expected(rows * cols), actual(rows * cols);
  const MatrixView values(expected.data(), rows, cols);
  if (llvm::Error error = from.decode(components, values))
    return std::move(error);
  llvm::Expected<QuantizedMatrix> result =
      code(from, values, components, to, threads);
  if (!result)
    return result.takeError();
  if (llvm::Error error =
          to.decode(*result, MatrixView(actual.data(), rows, cols)))
    return std::move(error);
  const auto [wrong, nearest] =
      std::mismatch(expected.begin(), expected.end(), actual.begin());
  if (wrong == expected.end())
    return std::move(*result);
  const int64_t at = wrong - expected.begin();
  return makeError(
      llvm::formatv("the weight in row {0}, column {1} is {2:e8}, which {3} "
                    "would make {4:e8}",
                    at / cols, at % cols, *wrong, to.describe(), *nearest)
          .str());
}
