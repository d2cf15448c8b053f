//===- ScaleUnpacking.cpp - scales that have a format, for kernels --------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels multiply one byte for each group by a factor that groups share. A
// format of scales whose elements are such products keeps its size; a table of
// levels, or differences from a mean, are not, and become f32.
//
//===----------------------------------------------------------------------===//

#include "ScaleParameter.h"
#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Quantize/BitPacking.h"
#include "lowbit/Quantize/Codebook.h"
#include "llvm/ADT/bit.h"
#include <cstring>

using namespace mlir;
using namespace lowbit;

static bool isE4M3(ArrayRef<float> levels) {
  static const Codebook e4m3 = *Codebook::find("e4m3");
  return llvm::equal(levels, e4m3.getLevels(), [](float x, float y) {
    return llvm::bit_cast<uint32_t>(x) == llvm::bit_cast<uint32_t>(y);
  });
}

/// The type of bytes that hold what `format` multiplies by its scales; null if
/// there is none.
static Type getByteType(MLIRContext *context, const ScaledCodes &format) {
  const bool hasFloatScales = getStoredFloatType(format.scaleType).has_value();
  if (format.ownStorage || format.terms != 1 || format.areSigns ||
      format.offsetType || !hasFloatScales)
    return {};
  if (!format.levels.empty())
    return isE4M3(format.levels) ? Float8E4M3FNType::get(context) : Type();
  if (isa_and_nonnull<FloatType>(format.zeroType))
    return {};
  bool isSigned = format.isSigned || format.zeroType;
  // Differences of two codes have a bit more.
  if (format.zeroType && format.bits == 8)
    return {};
  return IntegerType::get(
      context, 8, isSigned ? IntegerType::Signed : IntegerType::Unsigned);
}

void ScaleParameter::describe(ScaledCodes &codes) const {
  QuantFormatAttrInterface format = getFormat();
  if (!format) {
    codes.scaleType = cast<TypeAttr>(scale).getValue();
    return;
  }
  codes.ownStorage = true;
  MLIRContext *context = scale.getContext();
  std::optional<ScaledCodes> stored = format.getScaledCodes();
  Type byte = stored && !hasOffset ? getByteType(context, *stored) : Type();
  if (!byte) {
    codes.scaleType = Float32Type::get(context);
    return;
  }
  codes.scaleType = byte;
  codes.factorType = stored->scaleType;
  codes.factorGroups = stored->groupCols;
}

/// Reads `rows` streams of codes; what belongs to a stream are `cols` bytes.
static std::vector<uint8_t> unpackStreams(ArrayRef<char> streams, int64_t rows,
                                          int64_t cols, unsigned bits) {
  ArrayRef<uint8_t> bytes(reinterpret_cast<const uint8_t *>(streams.data()),
                          streams.size());
  return unpackRows(bytes, rows, cols, bits);
}

std::vector<char>
ScaleParameter::expand(ArrayRef<int64_t> grid,
                       ArrayRef<ArrayRef<char>> components) const {
  std::vector<char> expanded(grid[0] * grid[1] * sizeof(float));
  SmallVector<ArrayRef<uint8_t>> bytes;
  for (ArrayRef<char> component : components)
    bytes.emplace_back(reinterpret_cast<const uint8_t *>(component.data()),
                       component.size());
  // Their sizes have been verified.
  llvm::cantFail(getStorage().decode(
      bytes, MatrixView(reinterpret_cast<float *>(expanded.data()), grid[0],
                        grid[1])));
  return expanded;
}

SmallVector<std::vector<char>>
ScaleParameter::unpack(ArrayRef<int64_t> grid,
                       ArrayRef<ArrayRef<char>> components) const {
  const int64_t rows = grid[0], cols = grid[1];
  ScaledCodes codes;
  describe(codes);
  if (!codes.ownStorage)
    return {std::vector<char>(components[0].begin(), components[0].end())};
  if (!codes.factorType)
    return {expand(grid, components)};
  SmallVector<std::vector<char>> unpacked;
  std::vector<char> &scales = unpacked.emplace_back();

  ScaledCodes stored = *getFormat().getScaledCodes();
  const int64_t groupRows = stored.groupRows ? stored.groupRows : rows;
  const int64_t groupCols =
      stored.groupCols ? std::min(stored.groupCols, cols) : cols;
  const int64_t groups = llvm::divideCeil(cols, groupCols);
  const int64_t rowGroups = llvm::divideCeil(rows, groupRows);
  std::vector<uint8_t> values =
      unpackStreams(components[0], rows, cols, stored.bits);
  std::vector<uint8_t> zeros(rowGroups * groups);
  if (stored.zeroType)
    zeros = unpackStreams(components[2], rowGroups, groups, stored.bits);
  auto decode = [&](uint8_t code) -> int32_t {
    return stored.isSigned ? signExtendCode(code, stored.bits) : code;
  };
  scales.reserve(rows * cols);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < cols; ++col)
      scales.push_back(static_cast<char>(
          decode(values[row * cols + col]) -
          decode(zeros[row / groupRows * groups + col / groupCols])));

  // One factor for each row, as if groups had one.
  const int64_t size = stored.scaleType.getIntOrFloatBitWidth() / 8;
  std::vector<char> &factors = unpacked.emplace_back();
  for (int64_t row = 0; row < rows; ++row) {
    ArrayRef<char> ofRow =
        components[1].slice(row / groupRows * groups * size, groups * size);
    factors.insert(factors.end(), ofRow.begin(), ofRow.end());
  }
  return unpacked;
}
