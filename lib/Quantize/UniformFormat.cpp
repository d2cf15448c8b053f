//===- UniformFormat.cpp - Integers with a scale per group ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/UniformFormat.h"
#include "UniformEncoder.h"
#include "lowbit/Quantize/BitPacking.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cmath>

using namespace lowbit;

std::optional<ElementType> lowbit::getFloatType(ZeroKind kind) {
  switch (kind) {
  case ZeroKind::None:
  case ZeroKind::Integer:
    return std::nullopt;
  case ZeroKind::F16:
    return ElementType::F16;
  case ZeroKind::BF16:
    return ElementType::BF16;
  case ZeroKind::F32:
    return ElementType::F32;
  }
  llvm_unreachable("unknown kind of zero points");
}

llvm::Expected<UniformFormat> UniformFormat::get(const Spec &spec) {
  if (spec.bits < 1 || spec.bits > 8)
    return makeError("bits is " + llvm::Twine(spec.bits) +
                     ", but a uniform format has 1 to 8 bits");
  if (spec.bits == 1 && spec.isSigned)
    return makeError("codes of 1 bit are unsigned: signed ones would be 0 and "
                     "-1, and could not hold positive values");
  if (llvm::Error error = checkGroup(spec.groupRows, spec.groupCols))
    return std::move(error);
  if (!isScaleType(spec.scaleType))
    return makeError("scales are stored as f16, bf16 or f32, not as " +
                     getName(spec.scaleType));
  if (spec.narrowRange && (!spec.isSigned || spec.hasZeroPoint()))
    return makeError("a narrow range is only for signed codes without zero "
                     "points");
  return UniformFormat(spec);
}

int32_t UniformFormat::getMinCode() const {
  if (!spec.isSigned)
    return 0;
  return -(1 << (spec.bits - 1)) + (spec.narrowRange ? 1 : 0);
}

int32_t UniformFormat::getMaxCode() const {
  return spec.isSigned ? (1 << (spec.bits - 1)) - 1 : (1 << spec.bits) - 1;
}

/// The range that the codes of the format span for values in `range`, in which
/// (hi - lo) / (max code - min code) is the scale.
static Range getCodedRange(const UniformFormat::Spec &spec, Range range) {
  if (range.lo == 0 && range.hi == 0)
    range = {spec.hasFloatZero() ? 0.0f : -1.0f, 1};
  if (spec.hasFloatZero())
    return range;
  if (spec.hasZeroPoint())
    return {std::min(range.lo, 0.0f), std::max(range.hi, 0.0f)};
  if (!spec.isSigned)
    return {0, range.hi > 0 ? range.hi : 1};
  float bound = std::max(-range.lo, range.hi);
  return {-bound, bound};
}

Range UniformFormat::getRange(llvm::ArrayRef<float> values) const {
  Range range{0, 0};
  if (spec.hasFloatZero())
    range = {values.front(), values.front()};
  for (float value : values) {
    range.lo = std::min(range.lo, value);
    range.hi = std::max(range.hi, value);
  }
  return range;
}

float UniformFormat::roundScale(float scale) const {
  return std::clamp(roundToType(spec.scaleType, scale),
                    getSmallestPositive(spec.scaleType),
                    getLargest(spec.scaleType));
}

float UniformFormat::roundZero(float zero) const {
  if (!spec.hasZeroPoint())
    return 0;
  if (std::optional<ElementType> type = getFloatType(spec.zero)) {
    const float bound = getLargest(*type);
    return std::clamp(roundToType(*type, zero), -bound, bound);
  }
  return std::clamp<float>(std::nearbyint(zero), getMinCode(), getMaxCode());
}

UniformFormat::Parameters UniformFormat::getParameters(Range range) const {
  range = getCodedRange(spec, range);
  const int32_t minCode = getMinCode(), maxCode = getMaxCode();
  float scale = (range.hi - range.lo) / (maxCode - minCode);
  if (std::optional<ElementType> type = getFloatType(spec.zero))
    scale = std::max(scale, std::max(-range.lo, range.hi) *
                                getRelativePrecision(*type));
  scale = roundScale(scale);
  return {scale, roundZero(-range.lo / scale + minCode)};
}

int32_t UniformFormat::encodeValue(float value,
                                   const Parameters &parameters) const {
  if (spec.hasFloatZero())
    return static_cast<int32_t>(std::nearbyint(
        std::clamp<float>(value / parameters.scale + parameters.zero,
                          getMinCode(), getMaxCode())));
  float steps = std::clamp<float>(value / parameters.scale,
                                  getMinCode() - parameters.zero,
                                  getMaxCode() - parameters.zero);
  return static_cast<int32_t>(std::nearbyint(steps) + parameters.zero);
}

std::string UniformFormat::describe() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << (spec.isSigned ? 's' : 'u') << spec.bits;
  os << ' ' << describeGroup() << ' ' << getScaleTypeName(spec.scaleType);
  if (std::optional<ElementType> type = getFloatType(spec.zero))
    os << " zero " << getScaleTypeName(*type);
  if (spec.narrowRange)
    os << " narrow";
  return text;
}

llvm::SmallVector<ComponentSpec, 3>
UniformFormat::getComponents(int64_t rows, int64_t cols) const {
  const int64_t rowGroups = getNumRowGroups(rows);
  const int64_t colGroups = getNumColGroups(cols);
  llvm::SmallVector<ComponentSpec, 3> specs;
  specs.push_back(
      {"codes", ElementType::I8, {rows, getPackedBytes(cols, spec.bits)}});
  specs.push_back({"scales", spec.scaleType, {rowGroups, colGroups}});
  if (std::optional<ElementType> type = getFloatType(spec.zero))
    specs.push_back({"zeros", *type, {rowGroups, colGroups}});
  else if (spec.hasZeroPoint())
    specs.push_back({"zeros",
                     ElementType::I8,
                     {rowGroups, getPackedBytes(colGroups, spec.bits)}});
  return specs;
}

llvm::Expected<std::unique_ptr<MatrixEncoder>>
UniformFormat::createEncoder(ConstMatrixView weights,
                             const RangeSearch &search) const {
  if (llvm::Error error = checkFinite(weights))
    return std::move(error);
  Range range{0, 0};
  for (int64_t row = 0; row < weights.getRows(); ++row)
    for (int64_t col = 0; col < weights.getCols(); ++col) {
      range.lo = std::min(range.lo, weights(row, col));
      range.hi = std::max(range.hi, weights(row, col));
    }
  // No group needs a larger scale than the matrix as a whole.
  Range coded = getCodedRange(spec, range);
  double scale = (static_cast<double>(coded.hi) - coded.lo) /
                 (getMaxCode() - getMinCode());
  if (scale > getLargest(spec.scaleType)) {
    std::string message;
    llvm::raw_string_ostream os(message);
    os << "weights between " << llvm::format("%g", range.lo) << " and "
       << llvm::format("%g", range.hi) << " need scales up to "
       << llvm::format("%g", scale) << ", but "
       << getScaleTypeName(spec.scaleType) << " ends at "
       << llvm::format("%g", getLargest(spec.scaleType))
       << "; a wider scale type is needed";
    return makeError(message);
  }
  return std::make_unique<UniformEncoder>(*this, weights.getRows(),
                                          weights.getCols(), search);
}

UniformFormat::Parameters UniformFormat::loadParameters(
    llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components, int64_t rowGroup,
    int64_t colGroup, int64_t colGroups) const {
  auto load = [&](ElementType type, llvm::ArrayRef<uint8_t> bytes) {
    return loadFloat(type, bytes.data() + (rowGroup * colGroups + colGroup) *
                                              getByteSize(type));
  };
  const float scale = load(spec.scaleType, components[1]);
  if (!spec.hasZeroPoint())
    return {scale, 0};
  if (std::optional<ElementType> type = getFloatType(spec.zero))
    return {scale, load(*type, components[2])};
  // A code spans two bytes at most.
  const int64_t rowBytes = getPackedBytes(colGroups, spec.bits);
  llvm::ArrayRef<uint8_t> row =
      components[2].slice(rowGroup * rowBytes, rowBytes);
  const int64_t bit = colGroup * spec.bits;
  uint32_t word = row[bit / 8];
  if (bit / 8 + 1 < rowBytes)
    word |= row[bit / 8 + 1] << 8;
  const uint8_t code = (word >> bit % 8) & ((1 << spec.bits) - 1);
  return {scale, static_cast<float>(
                     spec.isSigned ? signExtendCode(code, spec.bits) : code)};
}

llvm::Error
UniformFormat::decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                      MatrixView decoded) const {
  const int64_t rows = decoded.getRows(), cols = decoded.getCols();
  if (llvm::Error error = checkComponentSizes(components, rows, cols))
    return error;
  if (rows == 0 || cols == 0)
    return llvm::Error::success();

  const int64_t groupRows = getGroupRows(rows), groupCols = getGroupCols(cols);
  const int64_t colGroups = getNumColGroups(cols);
  const int64_t codeBytes = getPackedBytes(cols, spec.bits);
  std::vector<uint8_t> codes(cols);
  auto toInt = [&](uint8_t code) -> int32_t {
    return spec.isSigned ? signExtendCode(code, spec.bits) : code;
  };
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t rowGroup = row / groupRows;
    unpackBits(components[0].slice(row * codeBytes, codeBytes), spec.bits,
               codes);
    for (int64_t group = 0; group < colGroups; ++group) {
      const Parameters parameters =
          loadParameters(components, rowGroup, group, colGroups);
      const int64_t end = std::min(cols, (group + 1) * groupCols);
      for (int64_t col = group * groupCols; col < end; ++col)
        decoded(row, col) = decodeValue(toInt(codes[col]), parameters);
    }
  }
  return llvm::Error::success();
}
