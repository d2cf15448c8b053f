//===- PanelActivations.cpp - activations as panel kernels read them ------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PanelActivations.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace lowbit;

/// Columns that are copied and summed at once.
static constexpr int64_t lanes = PanelsGeometry::rowsPerPanel;

PanelActivations::PanelActivations(KernelBuilder &k,
                                   const PanelMatmulSpec &spec,
                                   ArrayRef<TileShape> tiles, Value input,
                                   Value inputScales)
    : k(k), spec(spec), input(input), inputScales(inputScales),
      elementType(cast<MemRefType>(input.getType()).getElementType()),
      sumType(spec.hasQuantizedInput() ? Type(k.b.getI32Type())
                                       : k.b.getF32Type()),
      unit(spec.hasQuantizedInput() ? 4 : 1) {
  tokens = memref::DimOp::create(k.b, input, 0);
  Value begin = k.index(0);
  for (TileShape tile : tiles) {
    Value rest = arith::SubIOp::create(k.b, tokens, begin);
    Value extra = arith::RemUIOp::create(k.b, rest, k.index(tile.tokens));
    Value end = arith::SubIOp::create(k.b, tokens, extra);
    ranges.push_back({begin, end, tile});
    begin = end;
  }
  auto allocate = [&](Type type, int64_t perToken) -> Value {
    return memref::AllocOp::create(
        k.b, MemRefType::get({ShapedType::kDynamic}, type),
        k.mul(tokens, perToken));
  };
  copy = allocate(elementType, spec.geometry.getPaddedColumns());
  groupSums = allocate(sumType, spec.geometry.groups);
  if (inputScales && !spec.hasRowInputScale())
    groupScales = allocate(k.b.getF32Type(), spec.geometry.groups);
}

void PanelActivations::build() {
  k.parallelLoop(tokens, [&](Value token) { copyToken(token); });
}

void PanelActivations::release() {
  if (groupScales)
    memref::DeallocOp::create(k.b, groupScales);
  memref::DeallocOp::create(k.b, groupSums);
  memref::DeallocOp::create(k.b, copy);
}

PanelActivations::Place PanelActivations::getPlace(Value token) {
  // In the last range tiles have one token.
  Value first = token, count = k.index(1);
  for (const Range &range : llvm::reverse(ArrayRef(ranges).drop_back())) {
    Value isHere =
        arith::CmpIOp::create(k.b, arith::CmpIPredicate::ult, token, range.end);
    Value size = k.index(range.tile.tokens);
    Value inRange = arith::SubIOp::create(k.b, token, range.begin);
    Value inTile = arith::RemUIOp::create(k.b, inRange, size);
    Value firstHere = arith::SubIOp::create(k.b, token, inTile);
    first = arith::SelectOp::create(k.b, isHere, firstHere, first);
    count = arith::SelectOp::create(k.b, isHere, size, count);
  }
  Value start = k.mul(first, spec.geometry.getPaddedColumns());
  Value inTile = arith::SubIOp::create(k.b, token, first);
  return {k.add(start, k.mul(inTile, unit)),
          k.add(k.mul(first, spec.geometry.groups), inTile), count};
}

Value PanelActivations::getIndex(const Place &place, Value column) {
  Value inUnit = arith::RemUIOp::create(k.b, column, k.index(unit));
  Value first = arith::SubIOp::create(k.b, column, inUnit);
  return k.add(k.add(place.start, k.mul(first, place.distance)), inUnit);
}

void PanelActivations::copyVector(const Place &place, Value column,
                                  Value values) {
  Value at = getIndex(place, column);
  Value distance = k.mul(place.distance, unit);
  for (int64_t first = 0; first < lanes; first += unit) {
    Value part = vector::ExtractStridedSliceOp::create(
        k.b, values, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{unit},
        ArrayRef<int64_t>{1});
    vector::StoreOp::create(k.b, part, copy, at);
    at = k.add(at, distance);
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
  const PanelsGeometry &geometry = spec.geometry;
  Value from = k.mul(group, geometry.groupColumns);
  Value to = k.mul(group, geometry.chunksPerGroup * geometry.columnsPerChunk);
  auto inputAt = [&](Value offset) {
    return SmallVector<Value>{token, k.add(from, offset)};
  };
  auto store = [&](Value value, Value offset) {
    memref::StoreOp::create(k.b, value, copy,
                            getIndex(place, k.add(to, offset)));
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
              k.b, VectorType::get({lanes}, elementType), input, inputAt(offset));
          copyVector(place, k.add(to, offset), values);
          return KernelBuilder::Values{add(carried[0], values)};
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
  Value zero = arith::ConstantOp::create(k.b, k.b.getZeroAttr(elementType));
  if (paddedSize != size)
    k.loop(k.index(size), k.index(paddedSize), 1,
           [&](Value offset) { store(zero, offset); });
  Value at = k.add(place.groupStart, k.mul(group, place.distance));
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
    copyGroup(token, place, group, geometry.groupColumns,
              geometry.chunksPerGroup * geometry.columnsPerChunk);
  });
  if (equalGroups != geometry.groups)
    copyGroup(token, place, k.index(equalGroups), geometry.lastGroupColumns,
              geometry.chunksInLastGroup * geometry.columnsPerChunk);
}

PanelActivations::Tile PanelActivations::getTile(Value firstToken,
                                                 int64_t tokens) {
  return {k.mul(firstToken, spec.geometry.getPaddedColumns()),
          k.mul(firstToken, spec.geometry.groups), tokens};
}

Value PanelActivations::loadBytes(const Tile &tile, int64_t token, Value column,
                                  int64_t offset) {
  Value at = k.add(k.add(tile.start, k.mul(column, tile.tokens)),
                   offset * tile.tokens + token * unit);
  Value bytes = vector::LoadOp::create(
      k.b, VectorType::get({unit}, elementType), copy, at);
  Value word = vector::BitCastOp::create(
      k.b, VectorType::get({1}, k.b.getI32Type()), bytes);
  return vector::ExtractOp::create(k.b, word, ArrayRef<int64_t>{0});
}

Value PanelActivations::loadFloat(const Tile &tile, int64_t token, Value column,
                                  int64_t offset) {
  Value at = k.add(k.add(tile.start, k.mul(column, tile.tokens)),
                   offset * tile.tokens + token);
  return memref::LoadOp::create(k.b, copy, at);
}

Value PanelActivations::loadGroupValue(Value values, const Tile &tile,
                                       int64_t token, Value group) {
  Value at = k.add(tile.groupStart, k.mul(group, tile.tokens));
  return memref::LoadOp::create(k.b, values, k.add(at, token));
}
