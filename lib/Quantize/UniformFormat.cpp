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
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace lowbit;

std::optional<ElementType> lowbit::getFloatType(ZeroKind kind) {
  switch (kind) {
  case ZeroKind::None:
  case ZeroKind::Integer:
  case ZeroKind::Format:
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
  if (llvm::Error error = spec.scales.check())
    return std::move(error);
  assert((spec.zero == ZeroKind::Format) == (spec.zeroFormat != nullptr) &&
         "zero points have a format if their kind says so");
  if (spec.zeroFormat)
    if (llvm::Error error = spec.getZeroStorage().check())
      return std::move(error);
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
  if (range.lo == 0 && range.hi == 0) {
    if (spec.scales.isFormat())
      return range;
    range = {spec.hasFloatZero() ? 0.0f : -1.0f, 1};
  }
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
  if (spec.scales.isFormat())
    return scale;
  // Only 0 itself would stay 0.
  return spec.scales.round(
      std::max(scale, std::numeric_limits<float>::denorm_min()));
}

float UniformFormat::roundZero(float zero) const {
  if (!spec.hasZeroPoint())
    return 0;
  if (std::optional<ElementType> type = getFloatType(spec.zero)) {
    const float bound = getLargest(*type);
    return std::clamp(roundToType(*type, zero), -bound, bound);
  }
  if (spec.zero == ZeroKind::Format)
    return zero;
  return std::clamp<float>(std::nearbyint(zero), getMinCode(), getMaxCode());
}

UniformFormat::Parameters UniformFormat::getParameters(Range range) const {
  range = getCodedRange(spec, range);
  const int32_t minCode = getMinCode(), maxCode = getMaxCode();
  const float steps = maxCode - minCode;
  float width = range.hi - range.lo;
  // Where the width of a range is no float, half of it is.
  const int halvings = std::isinf(width);
  if (halvings)
    width = range.hi / 2 - range.lo / 2;
  float scale = std::ldexp(width / steps, halvings);
  if (spec.hasFloatZero()) {
    std::optional<ElementType> type = getFloatType(spec.zero);
    const float relative = type ? getRelativePrecision(*type) : 1 / steps;
    const float least = std::max(-range.lo, range.hi) * relative;
    if (scale < least) {
      scale = least;
      width = least * steps;
    }
  }
  if (!spec.scales.isFormat() && spec.scales.getType() == ScaleType::F8E8M0FNU)
    scale = std::ldexp(1.0f, std::ilogb(width) + halvings - std::ilogb(steps));
  scale = roundScale(scale);
  const float zero = scale == 0 ? 0 : -range.lo / scale;
  return {scale, roundZero(zero + minCode)};
}

int32_t UniformFormat::encodeValue(float value,
                                   const Parameters &parameters) const {
  const float scaled = parameters.scale == 0 ? 0 : value / parameters.scale;
  if (spec.hasFloatZero())
    return static_cast<int32_t>(std::nearbyint(std::clamp<float>(
        scaled + parameters.zero, getMinCode(), getMaxCode())));
  float steps = std::clamp<float>(scaled, getMinCode() - parameters.zero,
                                  getMaxCode() - parameters.zero);
  return static_cast<int32_t>(std::nearbyint(steps) + parameters.zero);
}

namespace {
struct UniformLevels final : ScaledLevels {
  explicit UniformLevels(const UniformFormat &format) : format(format) {}

  float getRangeEnd() const override { return format.getMaxCode(); }
  void round(llvm::ArrayRef<float> values,
             llvm::MutableArrayRef<float> levels) const override {
    const float lo = format.getMinCode(), hi = format.getMaxCode();
    // Adding this to a small number leaves no fraction, and rounds ties to
    // even.
    constexpr float noFraction = 0x1.8p23f;
    for (auto [value, level] : llvm::zip_equal(values, levels))
      level = (std::clamp(value, lo, hi) + noFraction) - noFraction;
  }
  float roundScale(float scale) const override {
    return format.roundScale(scale);
  }

  const UniformFormat format;
};
} // namespace

std::unique_ptr<ScaledLevels> UniformFormat::getScaledLevels() const {
  if (!isOneGroup() || !spec.isSigned || spec.hasZeroPoint() ||
      !spec.scales.isPlain())
    return nullptr;
  return std::make_unique<UniformLevels>(*this);
}

std::string UniformFormat::describe() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << (spec.isSigned ? 's' : 'u') << spec.bits;
  os << ' ' << describeGroup() << ' ' << spec.scales.describe();
  if (std::optional<ElementType> type = getFloatType(spec.zero))
    os << " zero " << getScaleTypeName(*type);
  else if (spec.zeroFormat)
    os << " zero " << spec.getZeroStorage().describe();
  if (spec.narrowRange)
    os << " narrow";
  return text;
}

llvm::SmallVector<ComponentSpec, 3>
UniformFormat::getComponents(int64_t rows, int64_t cols) const {
  const int64_t rowGroups = getNumRowGroups(rows);
  const int64_t colGroups = getNumColGroups(cols);
  llvm::SmallVector<ComponentSpec, 3> specs =
      spec.scales.getComponents(rowGroups, colGroups);
  specs.insert(
      specs.begin(),
      {"codes", ElementType::I8, {rows, getPackedBytes(cols, spec.bits)}});
  if (spec.zeroFormat)
    llvm::append_range(
        specs, spec.getZeroStorage().getComponents(rowGroups, colGroups));
  else if (std::optional<ElementType> type = getFloatType(spec.zero))
    specs.push_back({"zeros", *type, {rowGroups, colGroups}});
  else if (spec.hasZeroPoint())
    specs.push_back({"zeros",
                     ElementType::I8,
                     {rowGroups, getPackedBytes(colGroups, spec.bits)}});
  return specs;
}

/// An error if a group may need a scale that is too large for its type.
static llvm::Error checkScales(const UniformFormat &format,
                               ConstMatrixView weights) {
  const UniformFormat::Spec &spec = format.getSpec();
  Range range{0, 0};
  for (int64_t row = 0; row < weights.getRows(); ++row)
    for (int64_t col = 0; col < weights.getCols(); ++col) {
      range.lo = std::min(range.lo, weights(row, col));
      range.hi = std::max(range.hi, weights(row, col));
    }
  // No group needs a larger scale than the matrix as a whole.
  Range coded = getCodedRange(spec, range);
  double scale = (static_cast<double>(coded.hi) - coded.lo) /
                 (format.getMaxCode() - format.getMinCode());
  const ScaleType type = spec.scales.getType();
  if (scale <= getLargest(type))
    return llvm::Error::success();
  std::string message;
  llvm::raw_string_ostream os(message);
  os << "weights between " << llvm::format("%g", range.lo) << " and "
     << llvm::format("%g", range.hi) << " need scales up to "
     << llvm::format("%g", scale) << ", but " << getName(type) << " ends at "
     << llvm::format("%g", getLargest(type))
     << "; a wider scale type is needed";
  return makeError(message);
}

/// The parameters that groups have if nothing is clipped: what formats of
/// scales and zero points find their own parameters from.
static void findParameters(const UniformFormat &format, ConstMatrixView weights,
                           MatrixView scales, MatrixView zeros) {
  const int64_t groupRows = format.getGroupRows(weights.getRows());
  const int64_t groupCols = format.getGroupCols(weights.getCols());
  llvm::SmallVector<float, 256> members;
  for (int64_t rowGroup = 0; rowGroup < scales.getRows(); ++rowGroup)
    for (int64_t colGroup = 0; colGroup < scales.getCols(); ++colGroup) {
      const int64_t lastRow =
          std::min(weights.getRows(), (rowGroup + 1) * groupRows);
      const int64_t lastCol =
          std::min(weights.getCols(), (colGroup + 1) * groupCols);
      members.clear();
      for (int64_t row = rowGroup * groupRows; row < lastRow; ++row)
        for (int64_t col = colGroup * groupCols; col < lastCol; ++col)
          members.push_back(weights(row, col));
      const UniformFormat::Parameters parameters =
          format.getParameters(format.getRange(members));
      scales(rowGroup, colGroup) = parameters.scale;
      zeros(rowGroup, colGroup) = parameters.zero;
    }
}

llvm::Expected<std::unique_ptr<MatrixEncoder>>
UniformFormat::createEncoder(ConstMatrixView weights,
                             const RangeSearch &search) const {
  if (llvm::Error error = checkFinite(weights))
    return std::move(error);
  if (!spec.scales.isFormat())
    if (llvm::Error error = checkScales(*this, weights))
      return std::move(error);
  const int64_t rows = weights.getRows(), cols = weights.getCols();
  const int64_t rowGroups = getNumRowGroups(rows);
  const int64_t colGroups = getNumColGroups(cols);
  std::vector<float> scaleValues(rowGroups * colGroups);
  std::vector<float> zeroValues(rowGroups * colGroups);
  const MatrixView scales(scaleValues.data(), rowGroups, colGroups);
  const MatrixView zeros(zeroValues.data(), rowGroups, colGroups);
  if (spec.scales.isFormat() || spec.zeroFormat)
    findParameters(*this, weights, scales, zeros);
  llvm::Expected<std::unique_ptr<ScaleEncoder>> scaleEncoder =
      spec.scales.createEncoder(scales);
  if (!scaleEncoder)
    return scaleEncoder.takeError();
  std::unique_ptr<ScaleEncoder> zeroEncoder;
  if (spec.zeroFormat) {
    llvm::Expected<std::unique_ptr<ScaleEncoder>> encoder =
        spec.getZeroStorage().createEncoder(zeros);
    if (!encoder)
      return encoder.takeError();
    zeroEncoder = std::move(*encoder);
  }
  return std::make_unique<UniformEncoder>(*this, std::move(*scaleEncoder),
                                          std::move(zeroEncoder), rows, cols,
                                          search);
}

llvm::Error UniformFormat::decodeParameters(
    llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components, MatrixView scales,
    MatrixView zeros) const {
  const int64_t rowGroups = scales.getRows(), colGroups = scales.getCols();
  const size_t numScales =
      spec.scales.getComponents(rowGroups, colGroups).size();
  if (llvm::Error error =
          spec.scales.decode(components.slice(1, numScales), scales))
    return error;
  components = components.drop_front(1 + numScales);
  if (spec.zeroFormat)
    return spec.getZeroStorage().decode(components, zeros);
  std::vector<uint8_t> codes(colGroups);
  const int64_t rowBytes = getPackedBytes(colGroups, spec.bits);
  for (int64_t row = 0; row < rowGroups; ++row) {
    if (spec.zero == ZeroKind::Integer)
      unpackBits(components[0].slice(row * rowBytes, rowBytes), spec.bits,
                 codes);
    for (int64_t col = 0; col < colGroups; ++col)
      if (std::optional<ElementType> type = getFloatType(spec.zero))
        zeros(row, col) =
            loadFloat(*type, components[0].data() +
                                 (row * colGroups + col) * getByteSize(*type));
      else if (spec.isSigned)
        zeros(row, col) = signExtendCode(codes[col], spec.bits);
      else
        zeros(row, col) = codes[col];
  }
  return llvm::Error::success();
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
  const int64_t rowGroups = getNumRowGroups(rows);
  const int64_t colGroups = getNumColGroups(cols);
  const int64_t codeBytes = getPackedBytes(cols, spec.bits);
  std::vector<float> scaleValues(rowGroups * colGroups);
  std::vector<float> zeroValues(rowGroups * colGroups);
  const MatrixView scales(scaleValues.data(), rowGroups, colGroups);
  const MatrixView zeros(zeroValues.data(), rowGroups, colGroups);
  if (llvm::Error error = decodeParameters(components, scales, zeros))
    return error;
  std::vector<uint8_t> codes(cols);
  auto toInt = [&](uint8_t code) -> int32_t {
    return spec.isSigned ? signExtendCode(code, spec.bits) : code;
  };
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t rowGroup = row / groupRows;
    unpackBits(components[0].slice(row * codeBytes, codeBytes), spec.bits,
               codes);
    for (int64_t group = 0; group < colGroups; ++group) {
      const Parameters parameters{scales(rowGroup, group),
                                  zeros(rowGroup, group)};
      const int64_t end = std::min(cols, (group + 1) * groupCols);
      for (int64_t col = group * groupCols; col < end; ++col)
        decoded(row, col) = decodeValue(toInt(codes[col]), parameters);
    }
  }
  return llvm::Error::success();
}
