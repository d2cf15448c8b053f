//===- NOfMEncoder.cpp - Codes some elements of every block ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NOfMEncoder.h"
#include "lowbit/Quantize/BitPacking.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <numeric>

using namespace lowbit;

//===----------------------------------------------------------------------===//
// KeptElements
//===----------------------------------------------------------------------===//

KeptElements::KeptElements(const SparsityPattern &pattern,
                           ConstMatrixView weights)
    : pattern(pattern), storedCols(getEndStored(weights.getCols())),
      indices(weights.getRows() * storedCols) {
  const int64_t cols = weights.getCols();
  std::vector<uint8_t> isOutside(weights.getRows() * cols);
  forEachOutside(pattern, weights, [&](int64_t row, int64_t col) {
    isOutside[row * cols + col] = 1;
  });
  for (int64_t row = 0; row < weights.getRows(); ++row)
    for (int64_t stored = 0; stored < storedCols; stored += pattern.kept) {
      const int64_t begin = stored / pattern.kept * pattern.block;
      uint8_t *out = &indices[row * storedCols + stored];
      uint8_t *end = out + pattern.kept;
      // Places behind the end of the row count as kept, if they are needed.
      for (int64_t i = 0; i < pattern.block && out != end; ++i)
        if (begin + i >= cols || !isOutside[row * cols + begin + i])
          *out++ = i;
    }
}

int64_t KeptElements::getEndStored(int64_t col) const {
  return llvm::divideCeil(col, pattern.block) * pattern.kept;
}

MatrixView KeptElements::gather(int64_t firstRow, int64_t firstCol,
                                ConstMatrixView values,
                                std::vector<float> &buffer) const {
  const int64_t rows = values.getRows(), cols = values.getCols();
  const int64_t first = getFirstStored(firstCol);
  const int64_t count = getEndStored(firstCol + cols) - first;
  buffer.assign(rows * count, 0);
  MatrixView stored(buffer.data(), rows, count, 1, rows);
  for (int64_t i = 0; i < count; ++i)
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t col = getColumn(firstRow + row, first + i) - firstCol;
      if (col >= 0 && col < cols)
        stored(row, i) = values(row, col);
    }
  return stored;
}

void KeptElements::scatter(int64_t firstRow, int64_t firstCol,
                           ConstMatrixView stored, MatrixView values) const {
  const int64_t rows = values.getRows(), cols = values.getCols();
  const int64_t first = getFirstStored(firstCol);
  for (int64_t col = 0; col < cols; ++col)
    for (int64_t row = 0; row < rows; ++row)
      values(row, col) = 0;
  for (int64_t i = 0; i < stored.getCols(); ++i)
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t col = getColumn(firstRow + row, first + i) - firstCol;
      if (col >= 0 && col < cols)
        values(row, col) = stored(row, i);
    }
}

//===----------------------------------------------------------------------===//
// NOfMEncoder
//===----------------------------------------------------------------------===//

/// How many elements of a row a group of the values covers.
static int64_t getCoveredCols(const SparsityPattern &pattern,
                              const MatrixEncoder &values, int64_t cols) {
  return std::min(values.getGroupCols() / pattern.kept * pattern.block, cols);
}

NOfMEncoder::NOfMEncoder(const NOfMFormat &format,
                         std::unique_ptr<MatrixEncoder> values,
                         KeptElements kept, int64_t cols)
    : MatrixEncoder(values->getRows(), cols, values->getGroupRows(),
                    getCoveredCols(format.getSpec().pattern, *values, cols)),
      format(format), inner(std::move(values)), kept(std::move(kept)) {}

void NOfMEncoder::fit(int64_t firstRow, int64_t group, ConstMatrixView values,
                      llvm::ArrayRef<float>) {
  std::vector<float> buffer;
  inner->fit(firstRow, group,
             kept.gather(firstRow, group * getGroupCols(), values, buffer));
}

void NOfMEncoder::fitExactly(int64_t firstRow, int64_t group,
                             ConstMatrixView values) {
  std::vector<float> buffer;
  inner->fitExactly(
      firstRow, group,
      kept.gather(firstRow, group * getGroupCols(), values, buffer));
}

void NOfMEncoder::encode(int64_t firstRow, int64_t firstCol,
                         ConstMatrixView values, MatrixView decoded) {
  const int64_t block = format.getSpec().pattern.block;
  const int64_t end = firstCol + values.getCols();
  if (firstCol % block != 0 || (end % block != 0 && end != getCols()))
    return encodeSingly(firstRow, firstCol, values, decoded);
  std::vector<float> from, to;
  ConstMatrixView stored = kept.gather(firstRow, firstCol, values, from);
  to.resize(from.size());
  MatrixView result(to.data(), stored.getRows(), stored.getCols(), 1,
                    stored.getRows());
  inner->encode(firstRow, kept.getFirstStored(firstCol), stored, result);
  kept.scatter(firstRow, firstCol, result, decoded);
}

void NOfMEncoder::encodeSingly(int64_t firstRow, int64_t firstCol,
                               ConstMatrixView values, MatrixView decoded) {
  const int64_t cols = values.getCols();
  for (int64_t row = 0; row < values.getRows(); ++row) {
    const std::vector<float> from = [&] {
      std::vector<float> copy(cols);
      for (int64_t col = 0; col < cols; ++col)
        copy[col] = values(row, col);
      return copy;
    }();
    for (int64_t col = 0; col < cols; ++col)
      decoded(row, col) = 0;
    for (int64_t i = kept.getFirstStored(firstCol),
                 e = kept.getEndStored(firstCol + cols);
         i < e; ++i) {
      const int64_t col = kept.getColumn(firstRow + row, i) - firstCol;
      if (col >= 0 && col < cols)
        inner->encode(firstRow + row, i, ConstMatrixView(&from[col], 1, 1),
                      decoded.block(row, col, 1, 1));
    }
  }
}

void NOfMEncoder::rescale(int64_t firstRow, llvm::ArrayRef<int64_t> storedCols,
                          llvm::ArrayRef<float> factors, MatrixView decoded) {
  const int64_t rows = decoded.getRows();
  const auto [least, greatest] =
      std::minmax_element(storedCols.begin(), storedCols.end());
  const int64_t firstCol = *least, cols = *greatest - *least + 1;
  assert(cols == static_cast<int64_t>(storedCols.size()) &&
         "the columns of a group");
  // Here columns are in order.
  std::vector<float> ordered(rows * cols), buffer;
  MatrixView values(ordered.data(), rows, cols, 1, rows);
  for (auto [place, col] : llvm::enumerate(storedCols))
    for (int64_t row = 0; row < rows; ++row)
      values(row, col - firstCol) = decoded(row, place);
  MatrixView stored = kept.gather(firstRow, firstCol, values, buffer);
  std::vector<int64_t> columns(stored.getCols());
  std::iota(columns.begin(), columns.end(), kept.getFirstStored(firstCol));
  inner->rescale(firstRow, columns, factors, stored);
  kept.scatter(firstRow, firstCol, stored, values);
  for (auto [place, col] : llvm::enumerate(storedCols))
    for (int64_t row = 0; row < rows; ++row)
      decoded(row, place) = values(row, col - firstCol);
}

QuantizedMatrix NOfMEncoder::finish() {
  QuantizedMatrix result = inner->finish();
  result.cols = getCols();
  const ComponentSpec spec = format.getComponents(getRows(), getCols()).back();
  std::vector<uint8_t> bytes(spec.getByteSize());
  const int64_t storedCols = format.getStoredCols(getCols());
  const int64_t rowBytes = spec.shape.back();
  std::vector<uint8_t> indices(storedCols);
  for (int64_t row = 0; row < getRows(); ++row) {
    for (int64_t i = 0; i < storedCols; ++i)
      indices[i] = kept.getIndex(row, i);
    packBits(indices, format.getIndexBits(),
             llvm::MutableArrayRef(bytes).slice(row * rowBytes, rowBytes));
  }
  result.components.push_back({spec, std::move(bytes)});
  return result;
}
