//===- CodebookEncoder.cpp - Codes one matrix by a table ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CodebookEncoder.h"
#include "ExactFit.h"
#include "lowbit/Quantize/BitPacking.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>

using namespace lowbit;

CodebookEncoder::CodebookEncoder(const CodebookFormat &format,
                                 std::unique_ptr<ScaleEncoder> scaleEncoder,
                                 int64_t rows, int64_t cols,
                                 const RangeSearch &search)
    : MatrixEncoder(rows, cols,
                    format.getGroupRows(rows) * scaleEncoder->getGroupRows(),
                    format.getGroupCols(cols)),
      format(format), scaleEncoder(std::move(scaleEncoder)), search(search),
      codes(rows * cols), scales(format.getNumColGroups(cols) * rows),
      inverses(scales.size()) {}

float CodebookEncoder::searchScale(float greatest,
                                   llvm::ArrayRef<float> members) const {
  auto getScale = [&](Range range) {
    return format.getScale(std::max(-range.lo, range.hi));
  };
  const Codebook &codebook = format.getSpec().codebook;
  return getScale(search.search(
      {-greatest, greatest}, members,
      [&](Range candidate, llvm::ArrayRef<float> from,
          llvm::MutableArrayRef<float> to) {
        const float scale = format.getSpec().scales.round(getScale(candidate));
        const float inverse = CodebookFormat::getInverse(scale);
        for (auto [value, result] : llvm::zip_equal(from, to))
          result =
              scale *
              codebook.getLevels()[format.encodeValue(value, scale, inverse)];
      }));
}

void CodebookEncoder::setScales(int64_t firstRow, int64_t group, int64_t rows,
                                llvm::ArrayRef<float> stored) {
  const int64_t first = group * getRows() + firstRow;
  for (int64_t row = 0; row < rows; ++row) {
    scales[first + row] = stored[row / getScaleRows()];
    inverses[first + row] = CodebookFormat::getInverse(scales[first + row]);
  }
}

void CodebookEncoder::fit(int64_t firstRow, int64_t group,
                          ConstMatrixView values, llvm::ArrayRef<float>) {
  assert(firstRow % getGroupRows() == 0 && "row groups must not be cut");
  const int64_t rows = values.getRows(), cols = values.getCols();
  llvm::SmallVector<float, 256> members;
  llvm::SmallVector<float> stored;
  for (int64_t begin = 0; begin < rows; begin += getScaleRows()) {
    const int64_t end = std::min(begin + getScaleRows(), rows);
    members.clear();
    float greatest = 0;
    for (int64_t row = begin; row < end; ++row)
      for (int64_t col = 0; col < cols; ++col) {
        greatest = std::max(greatest, std::fabs(values(row, col)));
        members.push_back(values(row, col));
      }
    stored.push_back(searchScale(greatest, members));
  }
  scaleEncoder->fit(firstRow / getScaleRows(), group, stored);
  setScales(firstRow, group, rows, stored);
}

std::optional<float>
CodebookEncoder::findExactScale(llvm::ArrayRef<float> members) const {
  const float greatest = getGreatest(members);
  // Zero times a level is exact, where there is no level of 0.
  if (greatest == 0)
    return 0;
  llvm::ArrayRef<float> levels = format.getSpec().codebook.getLevels();
  return lowbit::findExactScale(
      greatest, levels, /*anySign=*/false,
      [&](float scale) { return format.getSpec().scales.round(scale); },
      [&](float scale) {
        const float inverse = CodebookFormat::getInverse(scale);
        return llvm::all_of(members, [&](float value) {
          return scale * levels[format.encodeValue(value, scale, inverse)] ==
                 value;
        });
      });
}

void CodebookEncoder::fitExactly(int64_t firstRow, int64_t group,
                                 ConstMatrixView values) {
  assert(firstRow % getGroupRows() == 0 && "row groups must not be cut");
  const int64_t rows = values.getRows();
  llvm::SmallVector<float> found;
  for (int64_t begin = 0; begin < rows; begin += getScaleRows()) {
    const auto members =
        collect(values, begin, std::min(getScaleRows(), rows - begin));
    found.push_back(findExactScale(members).value_or(
        format.getScale(std::fabs(getGreatest(members)))));
  }
  scaleEncoder->fitExactly(firstRow / getScaleRows(), group, found);
  setScales(firstRow, group, rows, found);
}

void CodebookEncoder::encode(int64_t firstRow, int64_t firstCol,
                             ConstMatrixView values, MatrixView decoded) {
  llvm::ArrayRef<float> levels = format.getSpec().codebook.getLevels();
  for (int64_t i = 0, e = values.getCols(); i < e; ++i) {
    const int64_t col = firstCol + i;
    const int64_t first = (col / getGroupCols()) * getRows() + firstRow;
    uint8_t *code = &codes[col * getRows() + firstRow];
    for (int64_t row = 0; row < values.getRows(); ++row) {
      const float scale = scales[first + row];
      code[row] =
          format.encodeValue(values(row, i), scale, inverses[first + row]);
      decoded(row, i) = scale * levels[code[row]];
    }
  }
}

void CodebookEncoder::rescale(int64_t firstRow,
                              llvm::ArrayRef<int64_t> storedCols,
                              llvm::ArrayRef<float> factors,
                              MatrixView decoded) {
  const int64_t rows = decoded.getRows();
  const int64_t group = storedCols.front() / getGroupCols();
  const float *groupScales = &scales[group * getRows() + firstRow];
  llvm::SmallVector<float> stored;
  for (int64_t begin = 0; begin < rows; begin += getScaleRows()) {
    const int64_t end = std::min(begin + getScaleRows(), rows);
    float factor = 0;
    for (int64_t row = begin; row < end; ++row)
      factor += factors[row] / (end - begin);
    // A scale is never negative; what would be is left alone.
    stored.push_back(groupScales[begin] * (factor > 0 ? factor : 1));
  }
  scaleEncoder->update(firstRow / getScaleRows(), group, stored);
  setScales(firstRow, group, rows, stored);
  llvm::ArrayRef<float> levels = format.getSpec().codebook.getLevels();
  for (auto [i, col] : llvm::enumerate(storedCols))
    for (int64_t row = 0; row < rows; ++row)
      decoded(row, i) =
          groupScales[row] * levels[codes[col * getRows() + firstRow + row]];
}

QuantizedMatrix CodebookEncoder::finish() {
  const int64_t rows = getRows(), cols = getCols();
  const unsigned bits = format.getSpec().codebook.getBits();
  QuantizedMatrix result{rows, cols, {}};
  ComponentSpec spec = format.getComponents(rows, cols).front();
  result.components.push_back({spec, std::vector<uint8_t>(spec.getByteSize())});
  llvm::append_range(result.components, scaleEncoder->finish());

  packRows(codes, rows, cols, bits, result.components[0].bytes);
  return result;
}
