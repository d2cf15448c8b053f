//===- UniformEncoder.cpp - Codes one matrix uniformly --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "UniformEncoder.h"
#include "VectorMath.h"
#include "lowbit/Quantize/BitPacking.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>

using namespace lowbit;

UniformEncoder::UniformEncoder(const UniformFormat &format, int64_t rows,
                               int64_t cols, const RangeSearch &search)
    : MatrixEncoder(rows, cols, format.getGroupRows(rows),
                    format.getGroupCols(cols)),
      format(format), search(search), codes(rows * cols),
      scales(format.getNumColGroups(cols) * rows),
      zeros(format.getNumColGroups(cols) * rows) {}

void UniformEncoder::fit(int64_t firstRow, int64_t group,
                         ConstMatrixView values, llvm::ArrayRef<float>) {
  assert(firstRow % getGroupRows() == 0 && "row groups must not be cut");
  const int64_t rows = values.getRows(), cols = values.getCols();
  llvm::SmallVector<float, 256> members;
  for (int64_t begin = 0; begin < rows; begin += getGroupRows()) {
    const int64_t end = std::min(begin + getGroupRows(), rows);
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
    const int64_t first = group * getRows() + firstRow;
    std::fill(&scales[first + begin], &scales[first] + end, parameters.scale);
    std::fill(&zeros[first + begin], &zeros[first] + end, parameters.zero);
  }
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
  for (float &scale : groupScales)
    scale = format.roundScale(scale);
  for (float &zero : groupZeros)
    zero = format.roundZero(zero);
  const int64_t first = group * getRows() + firstRow;
  std::copy(groupScales.begin(), groupScales.end(), &scales[first]);
  std::copy(groupZeros.begin(), groupZeros.end(), &zeros[first]);
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
    float steps = values[row * valueStride] / scale;
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
  const int64_t rows = decoded.getRows();
  const int64_t group = storedCols.front() / getGroupCols();
  float *groupScales = &scales[group * getRows() + firstRow];
  for (int64_t begin = 0; begin < rows; begin += getGroupRows()) {
    const int64_t end = std::min(begin + getGroupRows(), rows);
    float factor = 0;
    for (int64_t row = begin; row < end; ++row)
      factor += factors[row] / (end - begin);
    const float scale = format.roundScale(groupScales[begin] * factor);
    // A scale is never negative; what would be is left alone.
    if (!(factor > 0))
      continue;
    for (int64_t row = begin; row < end; ++row) {
      groupScales[row] = scale;
      const float zero = zeros[group * getRows() + firstRow + row];
      for (auto [i, col] : llvm::enumerate(storedCols)) {
        const uint8_t code = codes[col * getRows() + firstRow + row];
        const float value =
            spec.isSigned ? signExtendCode(code, spec.bits) : code;
        decoded(row, i) = scale * (value - zero);
      }
    }
  }
}

QuantizedMatrix UniformEncoder::finish() {
  const UniformFormat::Spec &spec = format.getSpec();
  const int64_t rows = getRows(), cols = getCols();
  QuantizedMatrix result{rows, cols, {}};
  for (ComponentSpec &component : format.getComponents(rows, cols))
    result.components.push_back(
        {component, std::vector<uint8_t>(component.getByteSize())});

  packRows(codes, rows, cols, spec.bits, result.components[0].bytes);

  const int64_t colGroups = format.getNumColGroups(cols);
  const int64_t rowGroups = format.getNumRowGroups(rows);
  const int64_t scaleBytes = getByteSize(spec.scaleType);
  const int64_t zeroBytes = getPackedBytes(colGroups, spec.bits);
  const std::optional<ElementType> zeroType = getFloatType(spec.zero);
  std::vector<uint8_t> rowZeros(colGroups);
  for (int64_t rowGroup = 0; rowGroup < rowGroups; ++rowGroup) {
    const int64_t row = rowGroup * getGroupRows();
    for (int64_t group = 0; group < colGroups; ++group) {
      storeFloat(spec.scaleType, scales[group * rows + row],
                 &result.components[1]
                      .bytes[(rowGroup * colGroups + group) * scaleBytes]);
      const float zero = zeros[group * rows + row];
      if (zeroType)
        storeFloat(*zeroType, zero,
                   &result.components[2].bytes[(rowGroup * colGroups + group) *
                                               getByteSize(*zeroType)]);
      else
        rowZeros[group] = static_cast<uint8_t>(static_cast<int32_t>(zero));
    }
    if (spec.zero == ZeroKind::Integer)
      packBits(rowZeros, spec.bits,
               llvm::MutableArrayRef(result.components[2].bytes)
                   .slice(rowGroup * zeroBytes, zeroBytes));
  }
  return result;
}
