//===- UniformEncoder.cpp - Codes one matrix uniformly --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "UniformEncoder.h"
#include "ExactFit.h"
#include "VectorMath.h"
#include "lowbit/Quantize/BitPacking.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>
#include <numeric>

using namespace lowbit;

/// Rows for which all parameters that are stored together are known.
static int64_t countRowsTogether(const UniformFormat &format, int64_t rows,
                                 const ScaleEncoder &scales,
                                 const ScaleEncoder *zeros) {
  const int64_t groups =
      zeros ? std::lcm(scales.getGroupRows(), zeros->getGroupRows())
            : scales.getGroupRows();
  return format.getGroupRows(rows) * groups;
}

UniformEncoder::UniformEncoder(const UniformFormat &format,
                               std::unique_ptr<ScaleEncoder> scaleEncoder,
                               std::unique_ptr<ScaleEncoder> zeroEncoder,
                               int64_t rows, int64_t cols,
                               const RangeSearch &search)
    : MatrixEncoder(
          rows, cols,
          countRowsTogether(format, rows, *scaleEncoder, zeroEncoder.get()),
          format.getGroupCols(cols)),
      format(format), scaleEncoder(std::move(scaleEncoder)),
      zeroEncoder(std::move(zeroEncoder)), search(search), codes(rows * cols),
      scales(format.getNumColGroups(cols) * rows),
      zeros(format.getNumColGroups(cols) * rows) {}

void UniformEncoder::keep(int64_t firstRow, int64_t group, int64_t rows,
                          const GroupParameters &parameters) {
  const int64_t first = group * getRows() + firstRow;
  const int64_t shared = getSharedRows();
  for (int64_t row = 0; row < rows; ++row) {
    scales[first + row] = parameters.scales[row / shared];
    zeros[first + row] = parameters.zeros[row / shared];
  }
}

void UniformEncoder::fit(int64_t firstRow, int64_t group,
                         ConstMatrixView values, llvm::ArrayRef<float>) {
  assert(firstRow % getGroupRows() == 0 && "row groups must not be cut");
  const int64_t rows = values.getRows(), cols = values.getCols();
  const int64_t shared = getSharedRows();
  llvm::SmallVector<float, 256> members;
  GroupParameters found;
  for (int64_t begin = 0; begin < rows; begin += shared) {
    const int64_t end = std::min(begin + shared, rows);
    members.clear();
    for (int64_t row = begin; row < end; ++row)
      for (int64_t col = 0; col < cols; ++col)
        members.push_back(values(row, col));
    Range range = search.search(
        format.getRange(members), members,
        [&](Range candidate, llvm::ArrayRef<float> from,
            llvm::MutableArrayRef<float> to) {
          UniformFormat::Parameters parameters =
              format.getParameters(candidate);
          for (auto [value, result] : llvm::zip_equal(from, to))
            result = format.decodeValue(format.encodeValue(value, parameters),
                                        parameters);
        });
    UniformFormat::Parameters parameters = format.getParameters(range);
    found.scales.push_back(parameters.scale);
    found.zeros.push_back(parameters.zero);
  }
  scaleEncoder->fit(firstRow / shared, group, found.scales);
  if (zeroEncoder)
    zeroEncoder->fit(firstRow / shared, group, found.zeros);
  keep(firstRow, group, rows, found);
}

void UniformEncoder::fitExactly(int64_t firstRow, int64_t group,
                                ConstMatrixView values) {
  assert(firstRow % getGroupRows() == 0 && "row groups must not be cut");
  const int64_t rows = values.getRows(), shared = getSharedRows();
  GroupParameters found;
  for (int64_t begin = 0; begin < rows; begin += shared) {
    const auto members = collect(values, begin, std::min(shared, rows - begin));
    const UniformFormat::Parameters parameters =
        format.findExact(members).value_or(
            format.getParameters(format.getRange(members)));
    found.scales.push_back(parameters.scale);
    found.zeros.push_back(parameters.zero);
  }
  scaleEncoder->fitExactly(firstRow / shared, group, found.scales);
  if (zeroEncoder)
    zeroEncoder->fitExactly(firstRow / shared, group, found.zeros);
  keep(firstRow, group, rows, found);
}

void UniformEncoder::getParameters(
    int64_t firstRow, int64_t group, llvm::MutableArrayRef<float> groupScales,
    llvm::MutableArrayRef<float> groupZeros) const {
  const int64_t first = group * getRows() + firstRow;
  std::copy_n(&scales[first], groupScales.size(), groupScales.begin());
  std::copy_n(&zeros[first], groupZeros.size(), groupZeros.begin());
}

void UniformEncoder::setParameters(int64_t firstRow, int64_t group,
                                   llvm::MutableArrayRef<float> groupScales,
                                   llvm::MutableArrayRef<float> groupZeros) {
  const int64_t first = group * getRows() + firstRow;
  const int64_t shared = getSharedRows(), rows = groupScales.size();
  GroupParameters wanted;
  bool changesScales = false;
  for (int64_t row = 0; row < rows; row += shared) {
    changesScales |= groupScales[row] != scales[first + row];
    wanted.scales.push_back(format.roundScale(groupScales[row]));
    wanted.zeros.push_back(format.roundZero(groupZeros[row]));
  }
  // Scales that are kept must not be quantized a second time.
  if (changesScales)
    scaleEncoder->fit(firstRow / shared, group, wanted.scales);
  if (zeroEncoder)
    zeroEncoder->fit(firstRow / shared, group, wanted.zeros);
  keep(firstRow, group, rows, wanted);
  getParameters(firstRow, group, groupScales, groupZeros);
}

/// The loop over the rows of one column. The strides are template arguments
/// where they are 1, so that the dense case vectorizes.
template <bool hasFloatZero, typename Stride>
static void encodeColumn(int64_t rows, const float *values, Stride valueStride,
                         float *decoded, Stride decodedStride,
                         const float *scales, const float *zeros, float minCode,
                         float maxCode, uint8_t mask, uint8_t *codes) {
  for (int64_t row = 0; row < rows; ++row) {
    const float scale = scales[row], zero = zeros[row];
    // Scales that a format stores can be 0.
    float steps = scale == 0 ? 0 : values[row * valueStride] / scale;
    // The bounds are integers, so clamping before rounding gives the same.
    if constexpr (hasFloatZero) {
      float code = std::min(std::max(steps + zero, minCode), maxCode);
      code = roundHalfEven(code);
      codes[row] = static_cast<uint8_t>(static_cast<int32_t>(code)) & mask;
      decoded[row * decodedStride] = scale * (code - zero);
    } else {
      steps = std::max(steps, minCode - zero);
      steps = std::min(steps, maxCode - zero);
      steps = roundHalfEven(steps);
      codes[row] =
          static_cast<uint8_t>(static_cast<int32_t>(steps + zero)) & mask;
      decoded[row * decodedStride] = scale * steps;
    }
  }
}

void UniformEncoder::encode(int64_t firstRow, int64_t firstCol,
                            ConstMatrixView values, MatrixView decoded) {
  const float minCode = format.getMinCode(), maxCode = format.getMaxCode();
  const uint8_t mask = (1 << format.getSpec().bits) - 1;
  const bool dense = values.getRowStride() == 1 && decoded.getRowStride() == 1;
  for (int64_t i = 0, e = values.getCols(); i < e; ++i) {
    const int64_t col = firstCol + i;
    const int64_t first = (col / getGroupCols()) * getRows() + firstRow;
    const float *from = values.getData() + i * values.getColStride();
    float *to = decoded.getData() + i * decoded.getColStride();
    uint8_t *code = &codes[col * getRows() + firstRow];
    auto encode = [&](auto hasFloatZero) {
      std::integral_constant<int, 1> one;
      if (dense)
        encodeColumn<hasFloatZero>(values.getRows(), from, one, to, one,
                                   &scales[first], &zeros[first], minCode,
                                   maxCode, mask, code);
      else
        encodeColumn<hasFloatZero>(values.getRows(), from,
                                   values.getRowStride(), to,
                                   decoded.getRowStride(), &scales[first],
                                   &zeros[first], minCode, maxCode, mask, code);
    };
    if (format.getSpec().hasFloatZero())
      encode(std::true_type());
    else
      encode(std::false_type());
  }
}

void UniformEncoder::rescale(int64_t firstRow,
                             llvm::ArrayRef<int64_t> storedCols,
                             llvm::ArrayRef<float> factors,
                             MatrixView decoded) {
  const UniformFormat::Spec &spec = format.getSpec();
  const int64_t rows = decoded.getRows(), shared = getSharedRows();
  const int64_t group = storedCols.front() / getGroupCols();
  const int64_t first = group * getRows() + firstRow;
  GroupParameters changed;
  for (int64_t begin = 0; begin < rows; begin += shared) {
    const int64_t end = std::min(begin + shared, rows);
    float factor = 0;
    for (int64_t row = begin; row < end; ++row)
      factor += factors[row] / (end - begin);
    // A scale does not change its sign; one that would is left alone.
    const float scale = scales[first + begin];
    changed.scales.push_back(factor > 0 ? format.roundScale(scale * factor)
                                        : scale);
    changed.zeros.push_back(zeros[first + begin]);
  }
  scaleEncoder->update(firstRow / shared, group, changed.scales);
  keep(firstRow, group, rows, changed);
  for (int64_t row = 0; row < rows; ++row)
    for (auto [i, col] : llvm::enumerate(storedCols)) {
      const uint8_t code = codes[col * getRows() + firstRow + row];
      const float value =
          spec.isSigned ? signExtendCode(code, spec.bits) : code;
      decoded(row, i) = scales[first + row] * (value - zeros[first + row]);
    }
}

/// Zero points as they are stored, from those of each row: [column
/// groups][rows].
static std::vector<uint8_t> storeZeros(const UniformFormat &format,
                                       const ComponentSpec &component,
                                       int64_t rows, int64_t colGroups,
                                       llvm::ArrayRef<float> zeros) {
  const UniformFormat::Spec &spec = format.getSpec();
  std::vector<uint8_t> bytes(component.getByteSize());
  std::vector<uint8_t> codes(colGroups);
  const int64_t rowBytes = getPackedBytes(colGroups, spec.bits);
  for (int64_t rowGroup = 0, e = format.getNumRowGroups(rows); rowGroup < e;
       ++rowGroup) {
    const int64_t row = rowGroup * format.getGroupRows(rows);
    for (int64_t group = 0; group < colGroups; ++group) {
      const float zero = zeros[group * rows + row];
      if (std::optional<ElementType> type = getFloatType(spec.zero))
        storeFloat(*type, zero,
                   &bytes[(rowGroup * colGroups + group) * getByteSize(*type)]);
      else
        codes[group] = static_cast<uint8_t>(static_cast<int32_t>(zero));
    }
    if (spec.zero == ZeroKind::Integer)
      packBits(
          codes, spec.bits,
          llvm::MutableArrayRef(bytes).slice(rowGroup * rowBytes, rowBytes));
  }
  return bytes;
}

QuantizedMatrix UniformEncoder::finish() {
  const UniformFormat::Spec &spec = format.getSpec();
  const int64_t rows = getRows(), cols = getCols();
  QuantizedMatrix result{rows, cols, {}};
  const auto components = format.getComponents(rows, cols);
  result.components.push_back(
      {components.front(),
       std::vector<uint8_t>(components.front().getByteSize())});
  packRows(codes, rows, cols, spec.bits, result.components[0].bytes);
  llvm::append_range(result.components, scaleEncoder->finish());
  if (zeroEncoder)
    llvm::append_range(result.components, zeroEncoder->finish());
  else if (spec.hasZeroPoint())
    result.components.push_back(
        {components.back(), storeZeros(format, components.back(), rows,
                                       format.getNumColGroups(cols), zeros)});
  return result;
}
