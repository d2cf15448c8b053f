//===- OvpEncoder.cpp - Codes one matrix in pairs -------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OvpEncoder.h"
#include "ExactFit.h"
#include "lowbit/Quantize/BitPacking.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

using namespace lowbit;

OvpEncoder::OvpEncoder(const OvpFormat &format,
                       std::unique_ptr<ScaleEncoder> scaleEncoder, int64_t rows,
                       int64_t cols)
    : MatrixEncoder(rows, cols,
                    format.getGroupRows(rows) * scaleEncoder->getGroupRows(),
                    format.getGroupCols(cols)),
      format(format), scaleEncoder(std::move(scaleEncoder)),
      codes(rows * OvpFormat::getPaddedCols(cols)),
      scales(format.getNumColGroups(cols) * rows) {}

void OvpEncoder::fit(int64_t firstRow, int64_t group, ConstMatrixView values,
                     llvm::ArrayRef<float> importance) {
  assert(firstRow % getGroupRows() == 0 && "row groups must not be cut");
  llvm::SmallVector<float> stored = format.searchScales(values, importance);
  scaleEncoder->fit(firstRow / getScaleRows(), group, stored);
  setScales(firstRow, group, values.getRows(), stored);
}

void OvpEncoder::setScales(int64_t firstRow, int64_t group, int64_t rows,
                           llvm::ArrayRef<float> stored) {
  float *first = &scales[group * getRows() + firstRow];
  for (int64_t row = 0; row < rows; ++row)
    first[row] = stored[row / getScaleRows()];
}

/// The magnitudes of the codes, normal ones first.
static llvm::SmallVector<float> getMagnitudes(const OvpGrid &grid) {
  llvm::SmallVector<float> magnitudes;
  for (uint8_t neighbour : {uint8_t(0), grid.getIdentifier()})
    for (int code = 1; code < grid.getIdentifier(); ++code)
      magnitudes.push_back(grid.decode(code, neighbour));
  return magnitudes;
}

bool OvpEncoder::isExact(ConstMatrixView values, float scale) const {
  for (int64_t row = 0; row < values.getRows(); ++row)
    for (int64_t col = 0; col < values.getCols(); col += 2) {
      const bool isPair = col + 1 < values.getCols();
      const float left = values(row, col);
      const float right = isPair ? values(row, col + 1) : 0;
      const float leftSteps = OvpFormat::divide(left, scale);
      const float rightSteps = OvpFormat::divide(right, scale);
      float leftLevel, rightLevel;
      format.roundPairs(1, &leftSteps, &rightSteps, &leftLevel, &rightLevel);
      if (scale * leftLevel != left || scale * rightLevel != right)
        return false;
    }
  return true;
}

void OvpEncoder::fitExactly(int64_t firstRow, int64_t group,
                            ConstMatrixView values) {
  assert(firstRow % getGroupRows() == 0 && "row groups must not be cut");
  const int64_t rows = values.getRows(), cols = values.getCols();
  llvm::SmallVector<float> found = format.searchScales(values, {});
  const llvm::SmallVector<float> magnitudes = getMagnitudes(format.getGrid());
  for (int64_t begin = 0; begin < rows; begin += getScaleRows()) {
    const int64_t count = std::min(getScaleRows(), rows - begin);
    const ConstMatrixView members = values.block(begin, 0, count, cols);
    if (std::optional<float> scale = findExactScale(
            std::fabs(getGreatest(collect(values, begin, count))), magnitudes,
            /*anySign=*/false,
            [&](float scale) { return format.getSpec().scales.round(scale); },
            [&](float scale) { return isExact(members, scale); }))
      found[begin / getScaleRows()] = *scale;
  }
  scaleEncoder->fitExactly(firstRow / getScaleRows(), group, found);
  setScales(firstRow, group, rows, found);
}

void OvpEncoder::encode(int64_t firstRow, int64_t firstCol,
                        ConstMatrixView values, MatrixView decoded) {
  const int64_t rows = values.getRows(), cols = values.getCols();
  assert(firstCol % 2 == 0 && (cols % 2 == 0 || firstCol + cols == getCols()) &&
         "pairs must not be cut");
  const OvpGrid &grid = format.getGrid();
  // Of the two columns of a pair.
  std::vector<float> normalized[2], levels[2];
  for (int side = 0; side < 2; ++side) {
    normalized[side].resize(rows);
    levels[side].resize(rows);
  }
  for (int64_t i = 0; i < cols; i += 2) {
    const int64_t col = firstCol + i;
    const float *scale = &scales[col / getGroupCols() * getRows() + firstRow];
    const int sides = std::min<int64_t>(cols - i, 2);
    for (int side = 0; side < 2; ++side)
      for (int64_t row = 0; row < rows; ++row)
        normalized[side][row] =
            side < sides ? OvpFormat::divide(values(row, i + side), scale[row])
                         : 0;
    format.roundPairs(rows, normalized[0].data(), normalized[1].data(),
                      levels[0].data(), levels[1].data());
    for (int side = 0; side < 2; ++side) {
      uint8_t *code = getCodes(col + side, firstRow);
      for (int64_t row = 0; row < rows; ++row)
        code[row] = grid.isOutlier(levels[1 - side][row])
                        ? grid.getIdentifier()
                        : grid.encode(levels[side][row]);
    }
    for (int side = 0; side < sides; ++side)
      for (int64_t row = 0; row < rows; ++row)
        decoded(row, i + side) = scale[row] * levels[side][row];
  }
}

QuantizedMatrix OvpEncoder::finish() {
  const int64_t rows = getRows(), cols = getCols();
  QuantizedMatrix result{rows, cols, {}};
  ComponentSpec spec = format.getComponents(rows, cols).front();
  result.components.push_back({spec, std::vector<uint8_t>(spec.getByteSize())});
  llvm::append_range(result.components, scaleEncoder->finish());
  packRows(codes, rows, OvpFormat::getPaddedCols(cols),
           format.getGrid().getBits(), result.components[0].bytes);
  return result;
}
