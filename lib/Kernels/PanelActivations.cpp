//===- PanelActivations.cpp - activations as panel kernels read them ------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PanelActivations.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include <numeric>

using namespace mlir;
using namespace lowbit;

/// Columns that are copied and summed at once.
static constexpr int64_t lanes = PanelsGeometry::rowsPerPanel;
/// Columns of a chunk that a dot product multiplies at once.
static constexpr int64_t sliceColumns = 4;

PanelActivations::Layout
PanelActivations::getPanelLayout(const PanelMatmulSpec &spec, bool pairs) {
  const PanelsGeometry &geometry = spec.geometry;
  int64_t unit = spec.hasQuantizedInput() ? sliceColumns : 1;
  int64_t columns = geometry.columnsPerChunk;
  if (pairs) {
    unit *= 2;
    columns *= 2;
  }
  auto pad = [&](int64_t chunks) {
    return llvm::alignTo(chunks * geometry.columnsPerChunk, columns);
  };
  return {unit,
          int64_t(pad(geometry.chunksPerGroup)),
          int64_t(pad(geometry.chunksInLastGroup)),
          /*hasGroupSums=*/true,
          /*bf16Parts=*/0,
          pairs ? columns : 0};
}

PanelActivations::PanelActivations(KernelBuilder &k,
                                   const PanelMatmulSpec &spec,
                                   const Layout &layout,
                                   ArrayRef<TileShape> tiles, Value input,
                                   Value inputScales, Value begin, Value end)
    : k(k), spec(spec), layout(layout), input(input), inputScales(inputScales),
      begin(begin),
      inputType(cast<MemRefType>(input.getType()).getElementType()),
      copyType(layout.bf16Parts ? k.b.getBF16Type() : inputType),
      sumType(spec.hasQuantizedInput() ? Type(k.b.getI32Type())
                                       : k.b.getF32Type()),
      unit(layout.unit) {
  tokens = k.sub(end, begin);
  for (TileShape tile : tiles) {
    Value rest = k.sub(end, begin);
    Value extra = arith::RemUIOp::create(k.b, rest, k.index(tile.tokens));
    Value endHere = arith::SubIOp::create(k.b, end, extra);
    ranges.push_back({begin, endHere, tile});
    begin = endHere;
  }
  // As the widest vectors and the rows of tiles are.
  auto allocate = [&](Type type, int64_t perToken) -> Value {
    return memref::AllocOp::create(
        k.b, MemRefType::get({ShapedType::kDynamic}, type),
        k.mul(tokens, perToken), k.b.getI64IntegerAttr(64));
  };
  copy = allocate(copyType, getCopiedElements());
  if (layout.hasGroupSums)
    groupSums = allocate(sumType, spec.geometry.groups);
  if (inputScales && !spec.hasRowInputScale())
    groupScales = allocate(k.b.getF32Type(), spec.geometry.groups);
}

void PanelActivations::build() {
  k.parallelLoop(tokens, k.mul(tokens, spec.k),
                 [&](Value number) { copyToken(k.add(begin, number)); });
}

void PanelActivations::release() {
  if (groupScales)
    memref::DeallocOp::create(k.b, groupScales);
  if (groupSums)
    memref::DeallocOp::create(k.b, groupSums);
  memref::DeallocOp::create(k.b, copy);
}

PanelActivations::Place PanelActivations::getPlace(Value token) {
  Value first, count;
  for (const Range &range : llvm::reverse(ranges)) {
    Value size = k.index(range.tile.tokens);
    Value inRange = arith::SubIOp::create(k.b, token, range.begin);
    Value inTile = arith::RemUIOp::create(k.b, inRange, size);
    Value firstHere = arith::SubIOp::create(k.b, token, inTile);
    if (!first) {
      first = firstHere;
      count = size;
      continue;
    }
    Value isHere =
        arith::CmpIOp::create(k.b, arith::CmpIPredicate::ult, token, range.end);
    first = arith::SelectOp::create(k.b, isHere, firstHere, first);
    count = arith::SelectOp::create(k.b, isHere, size, count);
  }
  Value inTile = arith::SubIOp::create(k.b, token, first);
  first = k.sub(first, begin);
  Value start = k.mul(first, getCopiedElements());
  return {k.add(start, k.mul(inTile, unit)),
          k.add(k.mul(first, spec.geometry.groups), inTile), count};
}

Value PanelActivations::getIndex(const Place &place, Value column,
                                 int64_t part) {
  if (layout.pairColumns) {
    // [chunk of the pair][slice][byte] becomes [slice][chunk][byte].
    Value inPair = k.rem(column, k.index(layout.pairColumns));
    Value inChunk = k.rem(inPair, k.index(layout.pairColumns / 2));
    Value chunk = k.div(inPair, k.index(layout.pairColumns / 2));
    Value byte = k.rem(column, k.index(sliceColumns));
    Value first = k.add(k.sub(column, inPair),
                        k.mul(k.sub(inChunk, byte), unit / sliceColumns));
    column = k.add(first, k.add(k.mul(chunk, sliceColumns), byte));
  }
  Value inUnit = arith::RemUIOp::create(k.b, column, k.index(unit));
  Value first = arith::SubIOp::create(k.b, column, inUnit);
  if (int64_t elements = getElementsPerColumn(); elements > 1)
    first = k.add(k.mul(first, elements), part * unit);
  return k.add(k.add(place.start, k.mul(first, place.distance)), inUnit);
}

/// The upper half of a float is the part of it that bf16 can hold, and what is
/// left of it has eight significant bits fewer: three parts are all of it.
SmallVector<Value> PanelActivations::split(Value value) {
  if (!layout.bf16Parts)
    return {value};
  ImplicitLocOpBuilder &b = k.b;
  auto like = [&](Type element) -> Type {
    auto type = dyn_cast<VectorType>(value.getType());
    return type ? type.clone(element) : element;
  };
  auto constant = [&](TypedAttr attribute) -> Value {
    Type type = like(attribute.getType());
    if (auto vectorType = dyn_cast<VectorType>(type))
      attribute = DenseElementsAttr::get(vectorType, attribute);
    return arith::ConstantOp::create(b, attribute);
  };
  Type integers = like(b.getI32Type()), halves = like(b.getI16Type());
  SmallVector<Value> parts;
  while (true) {
    Value bits = arith::BitcastOp::create(b, integers, value);
    Value upper = arith::TruncIOp::create(
        b, halves,
        arith::ShRUIOp::create(b, bits, constant(b.getI32IntegerAttr(16))));
    parts.push_back(arith::BitcastOp::create(b, like(copyType), upper));
    if (int64_t(parts.size()) == layout.bf16Parts)
      return parts;
    Value whole = arith::BitcastOp::create(
        b, value.getType(),
        arith::AndIOp::create(
            b, bits, constant(b.getI32IntegerAttr(int32_t(0xffff0000)))));
    // Infinity minus itself would be NaN, which only a NaN may become.
    Value isAll =
        arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, value, whole);
    value = arith::SelectOp::create(b, isAll, constant(b.getF32FloatAttr(0)),
                                    arith::SubFOp::create(b, value, whole));
  }
}

void PanelActivations::copyVector(const Place &place, Value column,
                                  Value values) {
  // Vectors begin at a unit or, where units are longer, at a part of one.
  int64_t part = layout.pairColumns ? sliceColumns : std::gcd(unit, lanes);
  Value distance = k.mul(place.distance, unit * getElementsPerColumn());
  for (auto [number, elements] : llvm::enumerate(split(values))) {
    Value at = getIndex(place, column, number);
    for (int64_t first = 0; first < lanes; first += part) {
      Value piece = vector::ExtractStridedSliceOp::create(
          k.b, elements, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{part},
          ArrayRef<int64_t>{1});
      vector::StoreOp::create(k.b, piece, copy, at);
      at = part == unit ? k.add(at, distance)
                        : getIndex(place, k.add(column, first + part), number);
    }
  }
}

Value PanelActivations::add(Value sum, Value value) {
  if (!spec.hasQuantizedInput())
    return arith::AddFOp::create(k.b, sum, value);
  return arith::AddIOp::create(
      k.b, sum, arith::ExtSIOp::create(k.b, sum.getType(), value));
}

void PanelActivations::copyGroup(Value token, const Place &place, Value group,
                                 int64_t size, int64_t paddedSize) {
  Value from = k.mul(group, spec.geometry.groupColumns);
  Value to = k.mul(group, layout.groupColumns);
  auto inputAt = [&](Value offset) {
    return SmallVector<Value>{token, k.add(from, offset)};
  };
  auto store = [&](Value value, Value offset) {
    for (auto [part, element] : llvm::enumerate(split(value)))
      memref::StoreOp::create(k.b, element, copy,
                              getIndex(place, k.add(to, offset), part));
  };

  // Sixteen columns at a time, then the rest one by one.
  Value total = arith::ConstantOp::create(k.b, k.b.getZeroAttr(sumType));
  int64_t wholeVectors = size / lanes * lanes;
  if (wholeVectors) {
    VectorType sumLanes = VectorType::get({lanes}, sumType);
    Value sums = k.loop(
        k.index(0), k.index(wholeVectors), lanes, k.splat(sumLanes, 0),
        [&](Value offset, ValueRange carried) {
          Value values = vector::LoadOp::create(
              k.b, VectorType::get({lanes}, inputType), input, inputAt(offset));
          copyVector(place, k.add(to, offset), values);
          return KernelBuilder::Values{
              layout.hasGroupSums ? add(carried[0], values) : carried[0]};
        })[0];
    total = vector::ReductionOp::create(k.b, vector::CombiningKind::ADD, sums);
  }
  if (wholeVectors != size)
    total = k.loop(k.index(wholeVectors), k.index(size), 1, total,
                   [&](Value offset, ValueRange carried) {
                     Value value =
                         memref::LoadOp::create(k.b, input, inputAt(offset));
                     store(value, offset);
                     return KernelBuilder::Values{add(carried[0], value)};
                   })[0];
  Value zero = arith::ConstantOp::create(k.b, k.b.getZeroAttr(inputType));
  if (paddedSize != size)
    k.loop(k.index(size), k.index(paddedSize), 1,
           [&](Value offset) { store(zero, offset); });
  Value at = k.add(place.groupStart, k.mul(group, place.distance));
  if (groupSums)
    memref::StoreOp::create(k.b, total, groupSums, at);
  if (groupScales)
    memref::StoreOp::create(
        k.b, memref::LoadOp::create(k.b, inputScales, ValueRange{token, group}),
        groupScales, at);
}

void PanelActivations::copyToken(Value token) {
  const PanelsGeometry &geometry = spec.geometry;
  Place place = getPlace(token);
  int64_t equalGroups = geometry.getEqualGroups();
  k.loop(k.index(0), k.index(equalGroups), 1, [&](Value group) {
    copyGroup(token, place, group, geometry.groupColumns, layout.groupColumns);
  });
  if (equalGroups != geometry.groups)
    copyGroup(token, place, k.index(equalGroups), geometry.lastGroupColumns,
              layout.lastGroupColumns);
}

PanelActivations::Tile PanelActivations::getTile(Value firstToken,
                                                 int64_t tokens) {
  Value first = k.sub(firstToken, begin);
  return {k.mul(first, getCopiedElements()), k.mul(first, spec.geometry.groups),
          tokens};
}

Value PanelActivations::getColumn(Value group, Value chunk) {
  const PanelsGeometry &geometry = spec.geometry;
  int64_t padding =
      layout.groupColumns - geometry.chunksPerGroup * geometry.columnsPerChunk;
  return k.add(k.mul(chunk, geometry.columnsPerChunk), k.mul(group, padding));
}

Value PanelActivations::loadWord(Value at) {
  Value bytes = vector::LoadOp::create(
      k.b, VectorType::get({sliceColumns}, copyType), copy, at);
  Value word = vector::BitCastOp::create(
      k.b, VectorType::get({1}, k.b.getI32Type()), bytes);
  return vector::ExtractOp::create(k.b, word, ArrayRef<int64_t>{0});
}

Value PanelActivations::loadBytes(const Tile &tile, int64_t token, Value column,
                                  int64_t offset) {
  int64_t inUnit = offset % unit;
  return loadWord(
      k.add(k.add(tile.start, k.mul(column, tile.tokens)),
            (offset - inUnit) * tile.tokens + token * unit + inUnit));
}

Value PanelActivations::loadSlice(const Tile &tile, int64_t token, Value chunk,
                                  int64_t slice) {
  const PanelsGeometry &geometry = spec.geometry;
  Value perGroup = k.index(geometry.chunksPerGroup);
  Value group = k.div(chunk, perGroup);
  Value inGroup = k.sub(chunk, k.mul(group, perGroup));
  Place place = {k.add(tile.start, token * unit), {}, k.index(tile.tokens)};
  return loadWord(
      getIndex(place, k.add(k.add(k.mul(group, layout.groupColumns),
                                  k.mul(inGroup, geometry.columnsPerChunk)),
                            slice * sliceColumns)));
}

Value PanelActivations::loadPair(const Tile &tile, int64_t token, Value column,
                                 int64_t offset) {
  Value at = k.add(k.add(tile.start, k.mul(column, tile.tokens)),
                   offset * tile.tokens + token * unit);
  return vector::LoadOp::create(k.b, VectorType::get({2 * unit}, copyType),
                                copy, at);
}

Value PanelActivations::loadFloat(const Tile &tile, int64_t token, Value column,
                                  int64_t offset) {
  Value at = k.add(k.add(tile.start, k.mul(column, tile.tokens)),
                   offset * tile.tokens + token);
  return memref::LoadOp::create(k.b, copy, at);
}

Value PanelActivations::loadGroupValue(Value values, const Tile &tile,
                                       Value token, Value group) {
  Value at = k.add(tile.groupStart, k.mul(group, tile.tokens));
  return memref::LoadOp::create(k.b, values, k.add(at, token));
}

Value PanelActivations::loadGroupValues(Value values, const Tile &tile,
                                        int64_t token, Value group,
                                        int64_t count) {
  Value at = k.add(tile.groupStart, k.mul(group, tile.tokens));
  auto type = cast<MemRefType>(values.getType());
  return vector::LoadOp::create(k.b,
                                VectorType::get({count}, type.getElementType()),
                                values, k.add(at, token));
}

Value PanelActivations::getMatrices(Value firstToken, int64_t tiles,
                                    Value column, int64_t units) {
  int64_t tokens = ranges.front().tile.tokens;
  int64_t elements = getElementsPerColumn();
  Value start = k.mul(k.sub(firstToken, begin), getCopiedElements());
  OpFoldResult offset = k.add(start, k.mul(column, tokens * elements));
  const int64_t sizes[] = {tiles, units * elements, tokens, unit};
  const int64_t strides[] = {tokens * getCopiedElements(), tokens * unit, unit,
                             1};
  auto layout =
      StridedLayoutAttr::get(k.b.getContext(), ShapedType::kDynamic, strides);
  return memref::ReinterpretCastOp::create(
      k.b, MemRefType::get(sizes, copyType, layout), copy, offset,
      getAsIndexOpFoldResult(k.b.getContext(), sizes),
      getAsIndexOpFoldResult(k.b.getContext(), strides));
}
