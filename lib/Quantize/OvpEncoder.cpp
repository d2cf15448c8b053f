//===- OvpEncoder.cpp - Codes one matrix in pairs -------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OvpEncoder.h"
#include "lowbit/Quantize/BitPacking.h"
#include "llvm/ADT/STLExtras.h"

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
  float *first = &scales[group * getRows() + firstRow];
  for (int64_t row = 0; row < values.getRows(); ++row)
    first[row] = stored[row / getScaleRows()];
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
