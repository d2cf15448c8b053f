//===- SparseOutliersEncoder.cpp - Codes what is not an outlier
//-------------===//
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

static constexpr auto isBefore = [](const auto &outlier, int64_t column) {
  return outlier.column < column;
};

/// Calls `visit(outlier, row, col)` for the outliers in columns from `firstCol`
/// on, with their places in a block that begins there.
template <typename Rows, typename Visitor>
static void forEachOutlier(Rows &outliers, int64_t firstRow, int64_t firstCol,
                           int64_t rows, int64_t cols, Visitor visit) {
  for (int64_t row = 0; row < rows; ++row) {
    auto &all = outliers[firstRow + row];
    for (auto it = llvm::lower_bound(all, firstCol, isBefore);
         it != all.end() && it->column < firstCol + cols; ++it)
      visit(*it, row, it->column - firstCol);
  }
}

SparseOutliersEncoder::SparseOutliersEncoder(
    const SparseOutliersFormat &format, std::unique_ptr<MatrixEncoder> dense,
    const SparsePositions &positions)
    : MatrixEncoder(dense->getRows(), dense->getCols(), dense->getGroupRows(),
                    dense->getGroupCols()),
      format(format), dense(std::move(dense)), outliers(getRows()) {
  for (int64_t row = 0; !positions.columns.empty() && row < getRows(); ++row)
    for (int32_t i = positions.offsets[row]; i < positions.offsets[row + 1];
         ++i)
      outliers[row].push_back({positions.columns[i], 0, 0});
}

void SparseOutliersEncoder::clearOutliers(int64_t firstRow, int64_t firstCol,
                                          MatrixView values) const {
  forEachOutlier(
      outliers, firstRow, firstCol, values.getRows(), values.getCols(),
      [&](const Outlier &, int64_t row, int64_t col) { values(row, col) = 0; });
}

float SparseOutliersEncoder::getDifference(float value, float dense) const {
  const ElementType type = format.getSpec().valueType;
  const float largest = getLargest(type);
  return roundToType(type, std::clamp(value - dense, -largest, largest));
}

void SparseOutliersEncoder::store(int64_t firstRow, int64_t col,
                                  llvm::ArrayRef<int64_t> rows,
                                  ConstMatrixView values, MatrixView decoded) {
  for (int64_t row : rows) {
    float &result = decoded(row, 0);
    const Outlier outlier{static_cast<int32_t>(col), result,
                          getDifference(values(row, 0), result)};
    std::vector<Outlier> &all = outliers[firstRow + row];
    auto place = llvm::lower_bound(all, col, isBefore);
    assert((place == all.end() || place->column != col) &&
           "the element is stored apart already");
    all.insert(place, outlier);
    result += outlier.sparse;
  }
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
  // `decoded` may be the memory of `values`.
  std::vector<float> buffer, wanted;
  ConstMatrixView normal = copyNormal(firstRow, firstCol, values, buffer);
  forEachOutlier(outliers, firstRow, firstCol, rows, cols,
                 [&](Outlier &, int64_t row, int64_t col) {
                   wanted.push_back(values(row, col));
                 });
  dense->encode(firstRow, firstCol, normal, decoded);
  const float *value = wanted.data();
  forEachOutlier(outliers, firstRow, firstCol, rows, cols,
                 [&](Outlier &outlier, int64_t row, int64_t col) {
                   float &result = decoded(row, col);
                   outlier.dense = result;
                   outlier.sparse = getDifference(*value++, result);
                   result += outlier.sparse;
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
  auto forEach = [&](llvm::function_ref<void(Outlier &, float &)> visit) {
    forEachOutlier(outliers, firstRow, firstCol, decoded.getRows(), cols,
                   [&](Outlier &outlier, int64_t row, int64_t col) {
                     if (places[col] >= 0)
                       visit(outlier, decoded(row, places[col]));
                   });
  };
  forEach([&](Outlier &outlier, float &value) { value = outlier.dense; });
  dense->rescale(firstRow, storedCols, factors, decoded);
  forEach([&](Outlier &outlier, float &value) {
    outlier.dense = value;
    value += outlier.sparse;
  });
}

QuantizedMatrix SparseOutliersEncoder::finish() {
  QuantizedMatrix result = dense->finish();
  const ElementType type = format.getSpec().valueType;
  const ElementType columnType = SparseOutliersFormat::getColumnType(getCols());
  std::vector<int32_t> offsets = {0};
  for (const std::vector<Outlier> &row : outliers)
    offsets.push_back(offsets.back() + static_cast<int32_t>(row.size()));
  auto specs =
      format.withOutliers(offsets.back())->getComponents(getRows(), getCols());
  auto add = [&](auto store) {
    const ComponentSpec &spec = specs[result.components.size()];
    std::vector<uint8_t> bytes(spec.getByteSize());
    store(bytes.data(), getByteSize(spec.type));
    result.components.push_back({spec, std::move(bytes)});
  };
  auto addEach = [&](auto store) {
    add([&](uint8_t *out, int64_t size) {
      for (const std::vector<Outlier> &row : outliers)
        for (const Outlier &outlier : row) {
          store(outlier, out);
          out += size;
        }
    });
  };
  add([&](uint8_t *out, int64_t size) {
    for (auto [i, offset] : llvm::enumerate(offsets))
      llvm::support::endian::write32le(out + i * size, offset);
  });
  addEach([&](const Outlier &outlier, uint8_t *out) {
    if (columnType == ElementType::I16)
      llvm::support::endian::write16le(out, outlier.column);
    else
      llvm::support::endian::write32le(out, outlier.column);
  });
  addEach([&](const Outlier &outlier, uint8_t *out) {
    storeFloat(type, outlier.sparse, out);
  });
  return result;
}
