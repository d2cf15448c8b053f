//===- SparseOutliersEncoder.cpp - Codes what is not an outlier -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseOutliersEncoder.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include <algorithm>

using namespace lowbit;

SparseOutliersEncoder::SparseOutliersEncoder(
    const SparseOutliersFormat &format, std::unique_ptr<MatrixEncoder> dense,
    SparsePositions positions)
    : MatrixEncoder(dense->getRows(), dense->getCols(), dense->getGroupRows(),
                    dense->getGroupCols()),
      format(format), dense(std::move(dense)), positions(std::move(positions)),
      denseValues(this->positions.columns.size()),
      sparseValues(this->positions.columns.size()) {}

void SparseOutliersEncoder::forEachOutlier(
    int64_t firstRow, int64_t firstCol, int64_t rows, int64_t cols,
    llvm::function_ref<void(int64_t, int64_t, int64_t)> visit) const {
  for (int64_t row = 0; row < rows; ++row) {
    const auto [begin, end] =
        positions.getRange(firstRow + row, firstCol, cols);
    for (int64_t i = begin; i < end; ++i)
      visit(i, row, positions.columns[i] - firstCol);
  }
}

void SparseOutliersEncoder::clearOutliers(int64_t firstRow, int64_t firstCol,
                                          MatrixView values) const {
  forEachOutlier(
      firstRow, firstCol, values.getRows(), values.getCols(),
      [&](int64_t, int64_t row, int64_t col) { values(row, col) = 0; });
}

ConstMatrixView
SparseOutliersEncoder::copyNormal(int64_t firstRow, int64_t firstCol,
                                  ConstMatrixView values,
                                  std::vector<float> &buffer) const {
  const int64_t rows = values.getRows(), cols = values.getCols();
  buffer.resize(rows * cols);
  // Column-major: formats are fastest along columns.
  MatrixView normal(buffer.data(), rows, cols, 1, rows);
  for (int64_t col = 0; col < cols; ++col)
    for (int64_t row = 0; row < rows; ++row)
      normal(row, col) = values(row, col);
  clearOutliers(firstRow, firstCol, normal);
  return normal;
}

void SparseOutliersEncoder::fit(int64_t firstRow, int64_t group,
                                ConstMatrixView values,
                                llvm::ArrayRef<float> importance) {
  std::vector<float> buffer;
  dense->fit(firstRow, group,
             copyNormal(firstRow, group * getGroupCols(), values, buffer),
             importance);
}

void SparseOutliersEncoder::fitExactly(int64_t firstRow, int64_t group,
                                       ConstMatrixView values) {
  std::vector<float> buffer;
  dense->fitExactly(
      firstRow, group,
      copyNormal(firstRow, group * getGroupCols(), values, buffer));
}

void SparseOutliersEncoder::encode(int64_t firstRow, int64_t firstCol,
                                   ConstMatrixView values, MatrixView decoded) {
  const int64_t rows = values.getRows(), cols = values.getCols();
  const ElementType type = format.getSpec().valueType;
  const float largest = getLargest(type);
  // `decoded` may be the memory of `values`.
  std::vector<float> buffer, outliers;
  ConstMatrixView normal = copyNormal(firstRow, firstCol, values, buffer);
  forEachOutlier(firstRow, firstCol, rows, cols,
                 [&](int64_t, int64_t row, int64_t col) {
                   outliers.push_back(values(row, col));
                 });
  dense->encode(firstRow, firstCol, normal, decoded);
  const float *outlier = outliers.data();
  forEachOutlier(firstRow, firstCol, rows, cols,
                 [&](int64_t i, int64_t row, int64_t col) {
                   float &result = decoded(row, col);
                   denseValues[i] = result;
                   sparseValues[i] = roundToType(
                       type, std::clamp(*outlier++ - result, -largest, largest));
                   result += sparseValues[i];
                 });
}

void SparseOutliersEncoder::rescale(int64_t firstRow,
                                    llvm::ArrayRef<int64_t> storedCols,
                                    llvm::ArrayRef<float> factors,
                                    MatrixView decoded) {
  const auto [least, greatest] =
      std::minmax_element(storedCols.begin(), storedCols.end());
  const int64_t firstCol = *least, cols = *greatest - *least + 1;
  std::vector<int64_t> places(cols, -1);
  for (auto [place, col] : llvm::enumerate(storedCols))
    places[col - firstCol] = place;
  auto forEach = [&](llvm::function_ref<void(int64_t, float &)> visit) {
    forEachOutlier(firstRow, firstCol, decoded.getRows(), cols,
                   [&](int64_t i, int64_t row, int64_t col) {
                     if (places[col] >= 0)
                       visit(i, decoded(row, places[col]));
                   });
  };
  forEach([&](int64_t i, float &value) { value = denseValues[i]; });
  dense->rescale(firstRow, storedCols, factors, decoded);
  forEach([&](int64_t i, float &value) {
    denseValues[i] = value;
    value += sparseValues[i];
  });
}

QuantizedMatrix SparseOutliersEncoder::finish() {
  QuantizedMatrix result = dense->finish();
  const ElementType type = format.getSpec().valueType;
  const ElementType columnType = SparseOutliersFormat::getColumnType(getCols());
  auto specs = format.getComponents(getRows(), getCols());
  auto add = [&](auto &&values, auto store) {
    const ComponentSpec &spec = specs[result.components.size()];
    std::vector<uint8_t> bytes(spec.getByteSize());
    const int64_t size = getByteSize(spec.type);
    for (auto [i, value] : llvm::enumerate(values))
      store(value, bytes.data() + i * size);
    result.components.push_back({spec, std::move(bytes)});
  };
  add(positions.offsets, [](int32_t offset, uint8_t *out) {
    llvm::support::endian::write32le(out, offset);
  });
  add(positions.columns, [&](int32_t col, uint8_t *out) {
    if (columnType == ElementType::I16)
      llvm::support::endian::write16le(out, col);
    else
      llvm::support::endian::write32le(out, col);
  });
  add(sparseValues,
      [&](float value, uint8_t *out) { storeFloat(type, value, out); });
  return result;
}
