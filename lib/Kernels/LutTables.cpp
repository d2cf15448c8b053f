//===- LutTables.cpp - tables of sums of activations ----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LutTables.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace lowbit;

/// The offset centres the factors, and on the side that makes the largest
/// absolute sum that of activations of -128, which stays a power of two.
LutPlane::LutPlane(const PanelsGeometry &geometry, const CodePlane &plane)
    : plane(plane), columns(4 / plane.width),
      offset((1 << (plane.width - 1)) - 1), lookups(0),
      blocksPerChunk(geometry.columnsPerChunk / plane.getColumnsPerBlock()) {
  // Entries are in [-bound, bound).
  int64_t bound = columns * 128 << (plane.width - 1);
  for (int64_t bits = 1; bits < 8; ++bits) {
    int64_t low = 255 / ((1 << bits) - 1);
    int64_t high = (128 << bits) / bound;
    if (int64_t count = std::min(low, high); count > lookups) {
      lowBits = bits;
      lookups = count;
    }
  }
  chunksPerSegment = lookups / (2 * blocksPerChunk);
}

SmallVector<LutPlane> lowbit::getLutPlanes(const PanelMatmulSpec &spec) {
  // Tables have sums of what codes are, not of what they stand for.
  if (!spec.hasQuantizedInput() || spec.bytes)
    return {};
  SmallVector<LutPlane> planes;
  for (const CodePlane &plane : spec.geometry.planes) {
    if (plane.base + plane.width > 4)
      return {};
    planes.emplace_back(spec.geometry, plane);
  }
  return planes;
}

LutTables::LutTables(KernelBuilder &k, const PanelMatmulSpec &spec,
                     ArrayRef<MatmulTile> tiles, ArrayRef<LutPlane> planes,
                     PanelActivations &activations)
    : k(k), spec(spec), planes(planes), activations(activations) {
  int64_t bytes = 0;
  for (const LutPlane &plane : planes) {
    offsets.push_back(bytes);
    bytes += 2 * plane.blocksPerChunk * LutPlane::bytesPerHalf;
  }
  for (auto [range, tile] : llvm::zip_equal(activations.getRanges(), tiles))
    if (tile.strategy == MatmulStrategy::Lut)
      ranges.push_back(range);
  firstToken = ranges.front().begin;
  Value tokens = k.sub(ranges.back().end, firstToken);
  buffer = memref::AllocOp::create(
      k.b, MemRefType::get({ShapedType::kDynamic, bytes}, k.b.getI8Type()),
      ValueRange{k.mul(tokens, spec.geometry.getChunks())});
}

void LutTables::release() { memref::DeallocOp::create(k.b, buffer); }

Value LutTables::getRow(Value first, int64_t tokens, int64_t token,
                        Value chunk) {
  Value start = k.mul(k.sub(first, firstToken), spec.geometry.getChunks());
  return k.add(k.add(start, k.mul(chunk, tokens)), token);
}

Value LutTables::load(Value row, unsigned plane, int64_t block, int64_t half,
                      bool high, int64_t table) {
  int64_t offset = getOffset(plane, block, half) +
                   (high * LutPlane::tables + table) * LutPlane::entries;
  return vector::LoadOp::create(
      k.b, VectorType::get({LutPlane::entries}, k.b.getI8Type()), buffer,
      ValueRange{row, k.index(offset)});
}

void LutTables::buildHalf(const LutPlane &plane, Value row, int64_t offset,
                          function_ref<Value(int64_t)> loadColumns) {
  constexpr int64_t size = LutPlane::entries * LutPlane::tables;
  auto bytes = VectorType::get({size}, k.b.getI8Type());
  auto words = VectorType::get({size}, k.b.getI16Type());
  SmallVector<int64_t> spread;
  for (int64_t entry = 0; entry < size; ++entry)
    spread.push_back(entry / LutPlane::entries);
  Value sums;
  for (int64_t column = 0; column < plane.columns; ++column) {
    Value x = loadColumns(column);
    x = arith::ExtSIOp::create(k.b, words,
                               vector::ShuffleOp::create(k.b, x, x, spread));
    SmallVector<int16_t> factors;
    for (int64_t entry = 0; entry < size; ++entry)
      factors.push_back(((entry >> (column * plane.plane.width)) &
                         ((1 << plane.plane.width) - 1)) -
                        plane.offset);
    Value products = arith::MulIOp::create(
        k.b, x,
        arith::ConstantOp::create(
            k.b, DenseElementsAttr::get(words, ArrayRef<int16_t>(factors))));
    sums = sums ? Value(arith::AddIOp::create(k.b, sums, products)) : products;
  }
  Value low = arith::AndIOp::create(k.b, sums,
                                    k.splat(words, (1 << plane.lowBits) - 1));
  Value high = arith::ShRSIOp::create(k.b, sums, k.splat(words, plane.lowBits));
  for (Value part : {low, high}) {
    vector::StoreOp::create(k.b, arith::TruncIOp::create(k.b, bytes, part),
                            buffer, ValueRange{row, k.index(offset)});
    offset += size;
  }
}

void LutTables::build() {
  const PanelsGeometry &geometry = spec.geometry;
  auto bytes = VectorType::get({LutPlane::tables}, k.b.getI8Type());
  auto buildChunk = [&](const PanelActivations::Range &range, Value token,
                        Value chunk) {
    int64_t tokens = range.tile.tokens;
    PanelActivations::Tile input = activations.getTile(token, tokens);
    for (int64_t i = 0; i < tokens; ++i) {
      Value row = getRow(token, tokens, i, chunk);
      for (auto [number, plane] : llvm::enumerate(planes))
        for (int64_t half = 0; half < 2 * plane.blocksPerChunk; ++half)
          buildHalf(plane, row, getOffset(number, 0, half),
                    [&](int64_t column) -> Value {
                      Value word = activations.loadSlice(
                          input, i, chunk, half * plane.columns + column);
                      return vector::BitCastOp::create(
                          k.b, bytes,
                          vector::BroadcastOp::create(
                              k.b, VectorType::get({1}, word.getType()), word));
                    });
    }
  };
  Value tokens = k.sub(ranges.back().end, firstToken);
  Value work = k.mul(tokens, spec.k * LutPlane::entries);
  k.parallelLoop(k.index(geometry.getChunks()), work, [&](Value chunk) {
    for (const PanelActivations::Range &range : ranges)
      k.loop(range.begin, range.end, range.tile.tokens,
             [&](Value token) { buildChunk(range, token, chunk); });
  });
}
