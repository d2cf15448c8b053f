//===- SparseOutliersFormat.cpp - Codes and a few exact elements
//------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/SparseOutliersFormat.h"
#include "SparseOutliersEncoder.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <limits>

using namespace lowbit;

/// Columns that 16 bits can name.
static constexpr int64_t maxShortColumns = 65536;

llvm::Expected<SparseOutliersFormat>
SparseOutliersFormat::get(const Spec &spec) {
  if (!isScaleType(spec.valueType))
    return makeError("outliers are stored as f16, bf16 or f32, not as " +
                     getName(spec.valueType));
  if (spec.count < 0 || spec.count > std::numeric_limits<int32_t>::max())
    return makeError("the number of outliers is " + llvm::Twine(spec.count) +
                     ", but must be 0 to 2147483647");
  return SparseOutliersFormat(spec);
}

ElementType SparseOutliersFormat::getColumnType(int64_t cols) {
  return cols <= maxShortColumns ? ElementType::I16 : ElementType::I32;
}

std::string SparseOutliersFormat::describe() const {
  return spec.dense->describe() + " + " + std::to_string(spec.count) +
         " outliers " + getScaleTypeName(spec.valueType).str();
}

llvm::SmallVector<ComponentSpec, 3>
SparseOutliersFormat::getComponents(int64_t rows, int64_t cols) const {
  llvm::SmallVector<ComponentSpec, 3> components =
      spec.dense->getComponents(rows, cols);
  components.push_back({"outlier_offsets", ElementType::I32, {rows + 1}});
  components.push_back({"outlier_columns", getColumnType(cols), {spec.count}});
  components.push_back({"outlier_values", spec.valueType, {spec.count}});
  return components;
}

std::shared_ptr<const BlockFormat>
SparseOutliersFormat::withOutliers(int64_t count) const {
  Spec other = spec;
  other.count = count;
  return std::make_shared<SparseOutliersFormat>(SparseOutliersFormat(other));
}

/// An error if an outlier is too large for the type of the values.
static llvm::Error checkOutliers(ConstMatrixView weights,
                                 const SparsePositions &positions,
                                 ElementType type) {
  for (int64_t row = 0; row < weights.getRows(); ++row)
    for (int32_t i = positions.offsets[row]; i < positions.offsets[row + 1];
         ++i) {
      const float value = weights(row, positions.columns[i]);
      if (std::isfinite(roundToType(type, value)))
        continue;
      std::string message;
      llvm::raw_string_ostream os(message);
      os << "the outlier in row " << row << ", column " << positions.columns[i]
         << " is " << llvm::format("%g", value) << ", but "
         << getScaleTypeName(type) << " ends at "
         << llvm::format("%g", getLargest(type)) << "; a wider type is needed";
      return makeError(message);
    }
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<MatrixEncoder>>
SparseOutliersFormat::createEncoder(ConstMatrixView weights,
                                    const RangeSearch &search) const {
  const int64_t rows = weights.getRows(), cols = weights.getCols();
  if (llvm::Error error = checkFinite(weights))
    return std::move(error);
  if (spec.count > rows * cols)
    return makeError("there are " + llvm::Twine(spec.count) +
                     " outliers, but the matrix has " +
                     llvm::Twine(rows * cols) + " elements");
  SparsePositions positions = findOutliers(weights, spec.count);
  if (llvm::Error error = checkOutliers(weights, positions, spec.valueType))
    return std::move(error);
  std::vector<float> values(rows * cols);
  MatrixView normal(values.data(), rows, cols);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < cols; ++col)
      normal(row, col) = weights(row, col);
  for (int64_t row = 0; row < rows; ++row)
    for (int32_t i = positions.offsets[row]; i < positions.offsets[row + 1];
         ++i)
      normal(row, positions.columns[i]) = 0;
  llvm::Expected<std::unique_ptr<MatrixEncoder>> dense =
      spec.dense->createEncoder(normal, search);
  if (!dense)
    return dense.takeError();
  return std::make_unique<SparseOutliersEncoder>(*this, std::move(*dense),
                                                 positions);
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

namespace {
/// The sparse part as it is stored.
class SparseReader {
public:
  SparseReader(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
               ElementType columnType)
      : offsets(components[0].data()), columns(components[1].data()),
        columnType(columnType) {}

  int64_t getOffset(int64_t row) const {
    return static_cast<int32_t>(
        llvm::support::endian::read32le(offsets + row * sizeof(int32_t)));
  }
  int64_t getColumn(int64_t i) const {
    if (columnType == ElementType::I16)
      return llvm::support::endian::read16le(columns + i * sizeof(int16_t));
    return llvm::support::endian::read32le(columns + i * sizeof(int32_t));
  }

private:
  const uint8_t *offsets;
  const uint8_t *columns;
  ElementType columnType;
};
} // namespace

llvm::Error SparseOutliersFormat::verifyContents(
    llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components, int64_t rows,
    int64_t cols) const {
  auto dense = components.drop_back(numSparseComponents);
  if (llvm::Error error = spec.dense->verifyContents(dense, rows, cols))
    return error;
  const SparseReader reader(components.take_back(numSparseComponents),
                            getColumnType(cols));
  if (reader.getOffset(0) != 0)
    return makeError("the first of 'outlier_offsets' is " +
                     llvm::Twine(reader.getOffset(0)) + ", but must be 0");
  for (int64_t row = 0; row < rows; ++row)
    if (reader.getOffset(row + 1) < reader.getOffset(row))
      return makeError("'outlier_offsets' fall from " +
                       llvm::Twine(reader.getOffset(row)) + " to " +
                       llvm::Twine(reader.getOffset(row + 1)) + " in row " +
                       llvm::Twine(row));
  if (reader.getOffset(rows) != spec.count)
    return makeError("the last of 'outlier_offsets' is " +
                     llvm::Twine(reader.getOffset(rows)) + ", but there are " +
                     llvm::Twine(spec.count) + " outliers");
  for (int64_t row = 0; row < rows; ++row) {
    int64_t previous = -1;
    for (int64_t i = reader.getOffset(row); i < reader.getOffset(row + 1);
         ++i) {
      const int64_t col = reader.getColumn(i);
      if (col >= cols)
        return makeError("'outlier_columns' names column " + llvm::Twine(col) +
                         " in row " + llvm::Twine(row) + ", but there are " +
                         llvm::Twine(cols) + " columns");
      if (col <= previous)
        return makeError("'outlier_columns' must ascend in a row, but column " +
                         llvm::Twine(col) + " follows " +
                         llvm::Twine(previous) + " in row " + llvm::Twine(row));
      previous = col;
    }
  }
  return llvm::Error::success();
}

llvm::Error
SparseOutliersFormat::decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                             MatrixView decoded) const {
  const int64_t rows = decoded.getRows(), cols = decoded.getCols();
  if (llvm::Error error = checkComponentSizes(components, rows, cols))
    return error;
  if (llvm::Error error = verifyContents(components, rows, cols))
    return error;
  if (llvm::Error error = spec.dense->decode(
          components.drop_back(numSparseComponents), decoded))
    return error;
  const SparseReader reader(components.take_back(numSparseComponents),
                            getColumnType(cols));
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = reader.getOffset(row); i < reader.getOffset(row + 1); ++i)
      decoded(row, reader.getColumn(i)) +=
          loadFloat(spec.valueType,
                    components.back().data() + i * getByteSize(spec.valueType));
  return llvm::Error::success();
}
