//===- PanelsAttr.cpp - weights in panels of sixteen rows -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatEmitter.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Dialect/Lowbit/IR/PanelsGeometry.h"
#include "lowbit/Quantize/BitPacking.h"
#include "mlir/IR/Threading.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cstring>
#include <utility>

using namespace mlir;
using namespace lowbit;

/// Planes of the powers of two that `bits` is a sum of.
static SmallVector<CodePlane, 3> splitBits(unsigned bits) {
  SmallVector<CodePlane, 3> planes;
  int64_t base = 0;
  for (int64_t width : {32, 16, 8, 4, 2, 1})
    if (bits & width) {
      planes.push_back({width, base, 0});
      base += width;
    }
  return planes;
}

PanelsGeometry::PanelsGeometry(int64_t rows, int64_t cols, unsigned bits,
                               int64_t groupCols) {
  panels = llvm::divideCeil(rows, rowsPerPanel);
  groupColumns = std::min(groupCols, cols);
  groups = llvm::divideCeil(cols, groupColumns);
  lastGroupColumns = cols - (groups - 1) * groupColumns;
  auto setPlanes = [&](ArrayRef<CodePlane> chosen) {
    planes.assign(chosen.begin(), chosen.end());
    columnsPerChunk = planes.back().getColumnsPerBlock();
    bytesPerChunk = 0;
    for (CodePlane &plane : planes) {
      plane.offset = bytesPerChunk;
      bytesPerChunk +=
          columnsPerChunk / plane.getColumnsPerBlock() * bytesPerBlock;
    }
    chunksPerGroup = llvm::divideCeil(groupColumns, columnsPerChunk);
    chunksInLastGroup = llvm::divideCeil(lastGroupColumns, columnsPerChunk);
  };
  setPlanes(splitBits(bits));
  int64_t bytes = getChunks() * bytesPerChunk;
  setPlanes(splitBits(llvm::PowerOf2Ceil(bits)));
  if (bytes < getChunks() * bytesPerChunk)
    setPlanes(splitBits(bits));
}

PanelsGeometry::PanelsGeometry(int64_t rows, int64_t cols,
                               const ScaledCodes &codes, int64_t groupCols)
    : PanelsGeometry(rows, cols, codes.bits, groupCols) {
  terms = codes.terms;
  groupsPerFactor =
      codes.factorGroups ? std::min(codes.factorGroups, groups) : groups;
  // Kernels see signs as 0 and 2, less 1.
  if (codes.areSigns)
    planes.front().base = 1;
}

std::optional<PanelsGeometry>
PanelsGeometry::get(QuantFormatAttrInterface format, ArrayRef<int64_t> shape) {
  int64_t groupCols = format.getGroupCols(shape);
  if (std::optional<ScaledCodes> codes = format.getScaledCodes())
    return PanelsGeometry(shape[0], shape[1], *codes, groupCols);
  auto floats = dyn_cast<FloatFormatAttr>(format);
  if (!floats)
    return std::nullopt;
  return PanelsGeometry(shape[0], shape[1],
                        floats.getType().getIntOrFloatBitWidth(), groupCols);
}

LogicalResult PanelsAttr::verifyLayout(
    QuantFormatAttrInterface format, ArrayRef<int64_t> shape,
    llvm::function_ref<InFlightDiagnostic()> emitError) const {
  if (!format.getScaledCodes() && !isa<FloatFormatAttr>(format))
    return emitError() << "the panels layout is for scaled codes, as in "
                          "#lowbit.uniform, and for #lowbit.float, got "
                       << format;
  if (shape.size() != 2 || ShapedType::isDynamicShape(shape))
    return emitError() << "the panels layout needs a matrix of static shape";
  return success();
}

SmallVector<FormatComponent>
PanelsAttr::getPackedComponents(QuantFormatAttrInterface format,
                                ArrayRef<int64_t> shape) const {
  PanelsGeometry geometry = *PanelsGeometry::get(format, shape);
  if (auto floats = dyn_cast<FloatFormatAttr>(format))
    return {{"values",
             RankedTensorType::get(
                 {geometry.panels, geometry.getChunks(),
                  PanelsGeometry::rowsPerPanel * geometry.columnsPerChunk},
                 floats.getType())}};
  ScaledCodes codes = *format.getScaledCodes();
  Type byte = IntegerType::get(getContext(), 8);
  SmallVector<FormatComponent> components = {
      {"codes",
       RankedTensorType::get({geometry.panels, geometry.getStoredChunks(),
                              geometry.bytesPerChunk},
                             byte)}};
  auto add = [&](StringRef name, int64_t perRow, Type type) {
    if (!type)
      return;
    if (type.getIntOrFloatBitWidth() == 8)
      type = byte;
    components.push_back(
        {name,
         RankedTensorType::get(
             {geometry.panels, perRow, PanelsGeometry::rowsPerPanel}, type)});
  };
  add("scales", geometry.getStoredGroups(), codes.scaleType);
  add("factors", geometry.getFactors(), codes.factorType);
  add("zeros", geometry.groups, codes.zeroType);
  add("offsets", geometry.groups, codes.offsetType);
  add("offset_factors", geometry.getFactors(), codes.offsetFactorType);
  return components;
}

static ArrayRef<uint8_t> asUnsigned(ArrayRef<char> bytes) {
  return {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()};
}

/// Packed signed codes are stored with their sign bit flipped, which adds half
/// of the range.
static uint8_t getSignFlip(const ScaledCodes &format) {
  return format.isSigned ? 1u << (format.bits - 1) : 0;
}

/// Where the bits of a chunk's column are in the chunk.
struct CodePlace {
  int64_t byte;
  unsigned base, mask, shift;
};

/// The places of each column of a chunk, one for each plane.
static SmallVector<CodePlace> getPlaces(const PanelsGeometry &geometry) {
  SmallVector<CodePlace> places;
  for (int64_t column = 0; column < geometry.columnsPerChunk; ++column)
    for (const CodePlane &plane : geometry.planes) {
      int64_t block = column / plane.getColumnsPerBlock();
      int64_t inBlock = column % plane.getColumnsPerBlock();
      places.push_back(
          {plane.offset + block * PanelsGeometry::bytesPerBlock + inBlock % 4,
           unsigned(plane.base - geometry.planes.front().base),
           (1u << plane.width) - 1, unsigned(inBlock / 4 * plane.width)});
    }
  return places;
}

/// Packs the codes of one row into its lane of the chunks of a group.
static void packGroup(const PanelsGeometry &geometry,
                      ArrayRef<CodePlace> places, ArrayRef<uint8_t> codes,
                      char *lane) {
  size_t planes = geometry.planes.size();
  for (size_t first = 0; first < codes.size();
       first += geometry.columnsPerChunk, lane += geometry.bytesPerChunk) {
    const CodePlace *place = places.begin();
    for (uint8_t code : codes.slice(first).take_front(geometry.columnsPerChunk))
      for (size_t plane = 0; plane < planes; ++plane, ++place)
        lane[place->byte] |= static_cast<char>(
            (code >> place->base & place->mask) << place->shift);
  }
}

static void packCodes(MLIRContext *context, const ScaledCodes &format,
                      const PanelsGeometry &geometry, ArrayRef<int64_t> shape,
                      ArrayRef<uint8_t> stored, MutableArrayRef<char> packed) {
  // The last code of pairs may be beyond the columns; it decides what the one
  // before it stands for.
  int64_t columns = format.pairs ? llvm::alignTo(shape[1], 2) : shape[1];
  int64_t rowBytes = getPackedBytes(columns, format.bits);
  int64_t panelBytes = geometry.getStoredChunks() * geometry.bytesPerChunk;
  int64_t groupBytes = geometry.chunksPerGroup * geometry.bytesPerChunk;
  uint8_t flip = getSignFlip(format);
  SmallVector<CodePlace> places = getPlaces(geometry);
  parallelFor(context, 0, geometry.panels, [&](size_t panel) {
    char *chunks = packed.data() + panel * panelBytes;
    std::fill_n(chunks, panelBytes, 0);
    SmallVector<uint8_t> codes(columns);
    int64_t first = panel * PanelsGeometry::rowsPerPanel;
    int64_t rows = std::min(PanelsGeometry::rowsPerPanel, shape[0] - first);
    for (int64_t number = 0; number < geometry.terms * rows; ++number) {
      int64_t term = number / rows, row = number % rows;
      unpackBits(
          stored.slice((term * shape[0] + first + row) * rowBytes, rowBytes),
          format.bits, codes);
      for (uint8_t &code : codes)
        code ^= flip;
      if (format.pairs && format.pairs->isSwapped)
        for (int64_t left = 0; left < columns; left += 2)
          std::swap(codes[left], codes[left + 1]);
      ArrayRef<uint8_t> rest = codes;
      char *lane = chunks + row * 4;
      for (int64_t group = 0; group < geometry.groups; ++group) {
        int64_t termBytes =
            group < geometry.getEqualGroups()
                ? groupBytes
                : geometry.chunksInLastGroup * geometry.bytesPerChunk;
        ArrayRef<uint8_t> values = group + 1 < geometry.groups
                                       ? rest.take_front(geometry.groupColumns)
                                       : rest;
        packGroup(geometry, places, values, lane + term * termBytes);
        rest = rest.drop_front(values.size());
        lane += geometry.terms * termBytes;
      }
    }
  });
}

/// Zero points of all groups as bytes in the packed codes' offset.
static std::vector<uint8_t> unpackZeros(const ScaledCodes &format,
                                        int64_t rowGroups, int64_t colGroups,
                                        ArrayRef<uint8_t> stored) {
  std::vector<uint8_t> zeros =
      unpackRows(stored, rowGroups, colGroups, format.bits);
  for (uint8_t &zero : zeros)
    zero ^= getSignFlip(format);
  return zeros;
}

/// Repeats what is stored once per group of rows for each of these. A row has
/// `perRow` such numbers, or one for each of `terms` that many times.
static void packPerRow(int64_t perRow, int64_t rows, int64_t groupRows,
                       size_t elementSize, const char *stored,
                       MutableArrayRef<char> packed, int64_t terms) {
  std::fill(packed.begin(), packed.end(), 0);
  int64_t rowGroups = llvm::divideCeil(rows, groupRows);
  for (int64_t row = 0; row < rows; ++row) {
    int64_t panel = row / PanelsGeometry::rowsPerPanel;
    int64_t lane = row % PanelsGeometry::rowsPerPanel;
    for (int64_t number = 0; number < perRow; ++number)
      for (int64_t term = 0; term < terms; ++term) {
        int64_t to = (panel * perRow + number) * terms + term;
        int64_t from = (term * rowGroups + row / groupRows) * perRow + number;
        std::memcpy(packed.data() + (to * PanelsGeometry::rowsPerPanel + lane) *
                                        elementSize,
                    stored + from * elementSize, elementSize);
      }
  }
}

/// Copies floats of `size` bytes to where their panels want them.
static void packFloats(MLIRContext *context, const FloatFormat &format,
                       const PanelsGeometry &geometry, ArrayRef<int64_t> shape,
                       size_t size, ArrayRef<char> stored,
                       MutableArrayRef<char> packed) {
  int64_t panelBytes = geometry.getChunks() * geometry.bytesPerChunk;
  parallelFor(context, 0, geometry.panels, [&](size_t panel) {
    char *chunks = packed.data() + panel * panelBytes;
    std::fill_n(chunks, panelBytes, 0);
    int64_t first = panel * PanelsGeometry::rowsPerPanel;
    int64_t rows = std::min(PanelsGeometry::rowsPerPanel, shape[0] - first);
    for (int64_t column = 0; column < shape[1]; ++column)
      for (int64_t row = 0; row < rows; ++row) {
        int64_t chunk = column / geometry.columnsPerChunk;
        int64_t inChunk =
            row * geometry.columnsPerChunk + column % geometry.columnsPerChunk;
        int64_t from =
            format.getOffset(shape[0], shape[1], first + row, column);
        std::memcpy(chunks + chunk * geometry.bytesPerChunk + inChunk * size,
                    stored.data() + from * size, size);
      }
  });
}

void PanelsAttr::pack(QuantFormatAttrInterface format, ArrayRef<int64_t> shape,
                      ArrayRef<ArrayRef<char>> components,
                      ArrayRef<MutableArrayRef<char>> packed) const {
  PanelsGeometry geometry = *PanelsGeometry::get(format, shape);
  if (auto floats = dyn_cast<FloatFormatAttr>(format))
    return packFloats(
        getContext(), llvm::cantFail(FloatFormat::get(floats.getSpec())),
        geometry, shape, floats.getType().getIntOrFloatBitWidth() / 8,
        components[0], packed[0]);
  ScaledCodes codes = *format.getScaledCodes();
  SmallVector<std::vector<char>> unpacked;
  SmallVector<ArrayRef<char>> stored(components);
  if (codes.ownStorage) {
    unpacked = format.unpackScaledCodes(shape, components);
    stored.assign(unpacked.begin(), unpacked.end());
  }
  int64_t groupRows = codes.groupRows == 0 ? shape[0] : codes.groupRows;
  packCodes(getContext(), codes, geometry, shape, asUnsigned(stored[0]),
            packed[0]);
  size_t next = 1;
  auto pack = [&](Type type, int64_t perRow, int64_t terms = 1) {
    if (!type)
      return;
    packPerRow(perRow, shape[0], groupRows, type.getIntOrFloatBitWidth() / 8,
               stored[next].data(), packed[next], terms);
    ++next;
  };
  pack(codes.scaleType, geometry.groups, codes.terms);
  pack(codes.factorType, geometry.getFactors());
  std::vector<uint8_t> zeros;
  if (codes.zeroType && !isa<FloatType>(codes.zeroType)) {
    zeros = unpackZeros(codes, llvm::divideCeil(shape[0], groupRows),
                        geometry.groups, asUnsigned(stored[next]));
    stored[next] = {reinterpret_cast<const char *>(zeros.data()), zeros.size()};
  }
  pack(codes.zeroType, geometry.groups);
  pack(codes.offsetType, geometry.groups);
  pack(codes.offsetFactorType, geometry.getFactors());
}

bool PanelsAttr::canDecode(QuantFormatAttrInterface format) const {
  std::optional<ScaledCodes> codes = format.getScaledCodes();
  return codes && codes->terms == 1 && codes->levels.empty() && !codes->pairs &&
         !codes->areSigns && !codes->factorType && !codes->offsetType &&
         codes->scaleType.getIntOrFloatBitWidth() > 8;
}

/// The code at `lane` and column `inChunk` of a chunk, as i32.
static Value unpackCode(FormatEmitter &b, const PanelsGeometry &geometry,
                        Value codes, Value panel, Value chunk, Value lane,
                        Value inChunk) {
  Value code;
  for (const CodePlane &plane : geometry.planes) {
    Value perBlock = b.index(plane.getColumnsPerBlock()), four = b.index(4);
    Value block = arith::DivUIOp::create(b, inChunk, perBlock);
    Value inBlock = arith::RemUIOp::create(b, inChunk, perBlock);
    // plane.offset + block * bytesPerBlock + lane * 4 + inBlock % 4
    Value byte =
        arith::MulIOp::create(b, block, b.index(PanelsGeometry::bytesPerBlock));
    byte = arith::AddIOp::create(b, byte, b.index(plane.offset));
    byte = arith::AddIOp::create(b, byte, arith::MulIOp::create(b, lane, four));
    byte = arith::AddIOp::create(b, byte,
                                 arith::RemUIOp::create(b, inBlock, four));
    Value bits =
        tensor::ExtractOp::create(b, codes, ValueRange{panel, chunk, byte});
    bits = arith::ExtUIOp::create(b, b.getI32Type(), bits);
    Value shift = arith::MulIOp::create(
        b, arith::DivUIOp::create(b, inBlock, four), b.index(plane.width));
    bits = arith::ShRUIOp::create(
        b, bits, arith::IndexCastOp::create(b, b.getI32Type(), shift));
    bits = arith::AndIOp::create(b, bits, b.i32((1 << plane.width) - 1));
    bits = arith::ShLIOp::create(
        b, bits, b.i32(plane.base - geometry.planes.front().base));
    code = code ? arith::OrIOp::create(b, code, bits).getResult() : bits;
  }
  return code;
}

Value PanelsAttr::buildDecode(OpBuilder &builder, Location loc,
                              QuantFormatAttrInterface format,
                              RankedTensorType expressed, ValueRange components,
                              ValueRange indices) const {
  FormatEmitter b(loc, builder);
  PanelsGeometry geometry = *PanelsGeometry::get(format, expressed.getShape());
  ScaledCodes codes = *format.getScaledCodes();
  auto divide = [&](Value value, int64_t by) -> std::pair<Value, Value> {
    Value divisor = b.index(by);
    return {arith::DivUIOp::create(b, value, divisor),
            arith::RemUIOp::create(b, value, divisor)};
  };
  auto [panel, lane] = divide(indices[0], PanelsGeometry::rowsPerPanel);
  auto [group, inGroup] = divide(indices[1], geometry.groupColumns);
  auto [ofGroup, inChunk] = divide(inGroup, geometry.columnsPerChunk);
  Value chunk =
      arith::MulIOp::create(b, group, b.index(geometry.chunksPerGroup));
  chunk = arith::AddIOp::create(b, chunk, ofGroup);
  Value code =
      unpackCode(b, geometry, components[0], panel, chunk, lane, inChunk);

  // Packed codes and zero points of signed formats are in the same offset.
  SmallVector<Value> place{panel, group, lane};
  Value zero;
  if (codes.zeroType) {
    zero = tensor::ExtractOp::create(b, components[2], place);
    if (!isa<FloatType>(codes.zeroType))
      zero = arith::ExtUIOp::create(b, b.getI32Type(), zero);
  }
  const bool hasFloatZero = zero && isa<FloatType>(zero.getType());
  if (!zero || hasFloatZero)
    code = arith::SubIOp::create(b, code, b.i32(getSignFlip(codes)));
  else
    code = arith::SubIOp::create(b, code, zero);
  Value value = arith::SIToFPOp::create(b, b.getF32Type(), code);
  if (hasFloatZero)
    value = arith::SubFOp::create(b, value, b.convert(zero, b.getF32Type()));
  value = arith::MulFOp::create(b, b.extractF32(components[1], place), value);
  return b.convert(value, expressed.getElementType());
}
