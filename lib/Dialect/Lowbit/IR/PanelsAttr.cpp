//===- PanelsAttr.cpp - weights in panels of sixteen rows -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Dialect/Lowbit/IR/PanelsGeometry.h"
#include "lowbit/Quantize/BitPacking.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cstring>

using namespace mlir;
using namespace lowbit;

PanelsGeometry::PanelsGeometry(int64_t rows, int64_t cols, unsigned bits,
                               int64_t groupCols) {
  panels = llvm::divideCeil(rows, rowsPerPanel);
  codeWidth = bits <= 2 ? 2 : bits <= 4 ? 4 : 8;
  columnsPerChunk = 32 / codeWidth;
  groupColumns = std::min(groupCols, cols);
  groups = llvm::divideCeil(cols, groupColumns);
  lastGroupColumns = cols - (groups - 1) * groupColumns;
  chunksPerGroup = llvm::divideCeil(groupColumns, columnsPerChunk);
  chunksInLastGroup = llvm::divideCeil(lastGroupColumns, columnsPerChunk);
}

static PanelsGeometry getGeometry(UniformAttr format, ArrayRef<int64_t> shape) {
  return PanelsGeometry(shape[0], shape[1], format.getBits(),
                        format.getGroupCols(shape));
}

LogicalResult PanelsAttr::verifyLayout(
    QuantFormatAttrInterface format, ArrayRef<int64_t> shape,
    llvm::function_ref<InFlightDiagnostic()> emitError) const {
  if (!isa<UniformAttr>(format))
    return emitError() << "the panels layout is for #lowbit.uniform, got "
                       << format;
  if (shape.size() != 2 || ShapedType::isDynamicShape(shape))
    return emitError() << "the panels layout needs a matrix of static shape";
  return success();
}

SmallVector<FormatComponent>
PanelsAttr::getPackedComponents(QuantFormatAttrInterface format,
                                ArrayRef<int64_t> shape) const {
  auto uniform = cast<UniformAttr>(format);
  PanelsGeometry geometry = getGeometry(uniform, shape);
  Type byte = IntegerType::get(getContext(), 8);
  SmallVector<int64_t> perGroup = {geometry.panels, geometry.groups,
                                   PanelsGeometry::rowsPerPanel};
  SmallVector<FormatComponent> components = {
      {"codes", RankedTensorType::get({geometry.panels, geometry.getChunks(),
                                       PanelsGeometry::bytesPerChunk},
                                      byte)},
      {"scales", RankedTensorType::get(perGroup, uniform.getScaleType())}};
  if (uniform.getHasZeroPoint())
    components.push_back({"zeros", RankedTensorType::get(perGroup, byte)});
  return components;
}

static ArrayRef<uint8_t> asUnsigned(ArrayRef<char> bytes) {
  return {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()};
}

/// Packed signed codes are stored with their sign bit flipped, which adds half
/// of the range.
static uint8_t getSignFlip(const UniformFormat::Spec &spec) {
  return spec.isSigned ? 1u << (spec.bits - 1) : 0;
}

static void packCodes(const UniformFormat::Spec &spec,
                      const PanelsGeometry &geometry, ArrayRef<int64_t> shape,
                      ArrayRef<uint8_t> stored, MutableArrayRef<char> packed) {
  std::fill(packed.begin(), packed.end(), 0);
  int64_t rowBytes = getPackedBytes(shape[1], spec.bits);
  int64_t chunks = geometry.getChunks();
  uint8_t flip = getSignFlip(spec);
  SmallVector<uint8_t> codes(shape[1]);
  for (int64_t row = 0; row < shape[0]; ++row) {
    unpackBits(stored.slice(row * rowBytes, rowBytes), spec.bits, codes);
    int64_t panel = row / PanelsGeometry::rowsPerPanel;
    int64_t lane = row % PanelsGeometry::rowsPerPanel;
    for (int64_t column = 0; column < shape[1]; ++column) {
      int64_t group = column / geometry.groupColumns;
      int64_t inGroup = column % geometry.groupColumns;
      int64_t chunk = group * geometry.chunksPerGroup +
                      inGroup / geometry.columnsPerChunk;
      int64_t inChunk = inGroup % geometry.columnsPerChunk;
      int64_t byte = (panel * chunks + chunk) * PanelsGeometry::bytesPerChunk +
                     lane * 4 + inChunk % 4;
      packed[byte] |= static_cast<char>(
          static_cast<uint8_t>(codes[column] ^ flip)
          << (inChunk / 4 * geometry.codeWidth));
    }
  }
}

/// Zero points of all groups as bytes in the packed codes' offset.
static SmallVector<uint8_t> unpackZeros(const UniformFormat::Spec &spec,
                                        int64_t rowGroups, int64_t colGroups,
                                        ArrayRef<uint8_t> stored) {
  SmallVector<uint8_t> zeros(rowGroups * colGroups);
  int64_t rowBytes = getPackedBytes(colGroups, spec.bits);
  for (int64_t row = 0; row < rowGroups; ++row)
    unpackBits(stored.slice(row * rowBytes, rowBytes), spec.bits,
               MutableArrayRef(zeros).slice(row * colGroups, colGroups));
  for (uint8_t &zero : zeros)
    zero ^= getSignFlip(spec);
  return zeros;
}

/// Repeats what is stored once per group for each row of the group.
static void packPerGroup(const PanelsGeometry &geometry, int64_t rows,
                         int64_t groupRows, size_t elementSize,
                         const char *perGroup, MutableArrayRef<char> packed) {
  std::fill(packed.begin(), packed.end(), 0);
  for (int64_t row = 0; row < rows; ++row) {
    int64_t panel = row / PanelsGeometry::rowsPerPanel;
    int64_t lane = row % PanelsGeometry::rowsPerPanel;
    for (int64_t group = 0; group < geometry.groups; ++group)
      std::memcpy(
          packed.data() + ((panel * geometry.groups + group) *
                               PanelsGeometry::rowsPerPanel +
                           lane) *
                              elementSize,
          perGroup + (row / groupRows * geometry.groups + group) * elementSize,
          elementSize);
  }
}

void PanelsAttr::pack(QuantFormatAttrInterface format, ArrayRef<int64_t> shape,
                      ArrayRef<ArrayRef<char>> components,
                      ArrayRef<MutableArrayRef<char>> packed) const {
  auto uniform = cast<UniformAttr>(format);
  UniformFormat::Spec spec = uniform.getSpec();
  PanelsGeometry geometry = getGeometry(uniform, shape);
  int64_t groupRows = spec.groupRows == 0 ? shape[0] : spec.groupRows;
  packCodes(spec, geometry, shape, asUnsigned(components[0]), packed[0]);
  packPerGroup(geometry, shape[0], groupRows,
               uniform.getScaleType().getIntOrFloatBitWidth() / 8,
               components[1].data(), packed[1]);
  if (!spec.hasZeroPoint)
    return;
  SmallVector<uint8_t> zeros =
      unpackZeros(spec, llvm::divideCeil(shape[0], groupRows), geometry.groups,
                  asUnsigned(components[2]));
  packPerGroup(geometry, shape[0], groupRows, 1,
               reinterpret_cast<const char *>(zeros.data()), packed[2]);
}
