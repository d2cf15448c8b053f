//===- FloatPanelMatmul.cpp - matmul kernels on float panels --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// y[t, n] = bias[n] + sum of weight[n, k] * x[t, k]
//
// Sixteen output channels are computed at once, one in each lane. For each
// block of panels:
//
//   y[.., block] = bias or 0
//   for k0 in 0..K step blockColumns:        weight[block, k0..] stays in cache
//     for tiles of tokens:                   x[tile, k0..] stays in cache
//       for panels of a tile:
//         sums = y[tile, panels]
//         for k: sums += weight[panels, k] * x[tile, k]
//         y[tile, panels] = sums
//
// Every sum is one chain over k, however tiles and blocks are cut: the result
// depends neither on the target nor on the number of tokens or threads.
//
//===----------------------------------------------------------------------===//

#include "FloatPanelMatmul.h"
#include "PanelActivations.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace lowbit;

namespace {

constexpr int64_t lanes = PanelsGeometry::rowsPerPanel;
/// Columns of a block: 12 tokens of them take 12 KiB of a first-level cache, 8
/// panels of f32 128 KiB of a second-level cache.
constexpr int64_t blockColumns = 256;
/// How far ahead of its use the weight of a single token is asked for.
constexpr int64_t prefetchBytes = 512;

class FloatPanelMatmulBuilder : KernelBuilder {
public:
  FloatPanelMatmulBuilder(func::FuncOp function, const PanelMatmulSpec &spec,
                          const CpuKernelOptions &options);
  void build();

private:
  /// Some tokens and panels.
  struct Tile {
    Value firstToken, firstPanel;
    TileShape shape;
    PanelActivations::Tile input;
  };

  void buildPanelBlock(Value firstPanel, int64_t panels);
  void buildTiles(Value firstPanel, int64_t panels, Value firstChunk,
                  Value endChunk);
  void buildTile(const Tile &tile, Value firstChunk, Value endChunk);
  Values buildChunk(const Tile &tile, Value chunk, ValueRange sums);
  /// The weights of each column of a chunk.
  Values loadChunk(Value panel, Value chunk, bool prefetch);
  /// What the sums of a panel begin with.
  Value loadBias(Value panel);
  Value loadOutput(Value token, Value panel);
  void storeOutput(Value token, Value panel, Value value);
  /// The lanes of a panel that have a channel; null if all have.
  Value getMask(Value panel);
  Value zeroLanes() {
    return arith::ConstantOp::create(b, b.getZeroAttr(f32Lanes));
  }

  const PanelMatmulSpec &spec;
  const PanelsGeometry &geometry;
  const CpuKernelOptions &options;
  VectorType f32Lanes;

  // Arguments.
  Value input, weight, bias, output;
  std::optional<PanelActivations> activations;
};

} // namespace

FloatPanelMatmulBuilder::FloatPanelMatmulBuilder(func::FuncOp function,
                                                 const PanelMatmulSpec &spec,
                                                 const CpuKernelOptions &options)
    : KernelBuilder(function.getLoc(), function.getContext()), spec(spec),
      geometry(spec.geometry), options(options) {
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  unsigned next = 0;
  auto take = [&] { return Value(entry->getArgument(next++)); };
  input = take();
  weight = take();
  if (spec.hasBias)
    bias = take();
  output = take();
  f32Lanes = VectorType::get({lanes}, b.getF32Type());
}

Value FloatPanelMatmulBuilder::getMask(Value panel) {
  if (spec.n % lanes == 0)
    return {};
  Value column = mul(panel, lanes);
  return vector::CreateMaskOp::create(
      b, VectorType::get({lanes}, b.getI1Type()),
      ValueRange{sub(index(spec.n), column)});
}

Value FloatPanelMatmulBuilder::loadBias(Value panel) {
  if (!bias)
    return zeroLanes();
  Value at = mul(panel, lanes);
  if (Value mask = getMask(panel))
    return vector::MaskedLoadOp::create(b, f32Lanes, bias, at, mask,
                                        zeroLanes());
  return vector::LoadOp::create(b, f32Lanes, bias, at);
}

Value FloatPanelMatmulBuilder::loadOutput(Value token, Value panel) {
  SmallVector<Value> at = {token, mul(panel, lanes)};
  if (Value mask = getMask(panel))
    return vector::MaskedLoadOp::create(b, f32Lanes, output, at, mask,
                                        zeroLanes());
  return vector::LoadOp::create(b, f32Lanes, output, at);
}

void FloatPanelMatmulBuilder::storeOutput(Value token, Value panel,
                                          Value value) {
  SmallVector<Value> at = {token, mul(panel, lanes)};
  if (Value mask = getMask(panel))
    vector::MaskedStoreOp::create(b, output, at, mask, value);
  else
    vector::StoreOp::create(b, value, output, at);
}

FloatPanelMatmulBuilder::Values
FloatPanelMatmulBuilder::loadChunk(Value panel, Value chunk, bool prefetch) {
  if (prefetch)
    memref::PrefetchOp::create(
        b, weight,
        ValueRange{panel, add(chunk, prefetchBytes / geometry.bytesPerChunk),
                   index(0)},
        /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
  const int64_t columns = geometry.columnsPerChunk;
  Value stored = vector::LoadOp::create(
      b, VectorType::get({lanes * columns}, spec.floatType), weight,
      ValueRange{panel, chunk, index(0)});
  if (spec.floatType.isF32())
    return {stored};
  // Two columns in each 32-bit lane.
  auto i32Lanes = VectorType::get({lanes}, b.getI32Type());
  Value pairs = vector::BitCastOp::create(b, i32Lanes, stored);
  if (spec.floatType.isBF16()) {
    Value low = arith::ShLIOp::create(b, pairs, splat(i32Lanes, 16));
    Value high = arith::AndIOp::create(b, pairs,
                                       splat(i32Lanes, int32_t(0xffff0000)));
    return {vector::BitCastOp::create(b, f32Lanes, low),
            vector::BitCastOp::create(b, f32Lanes, high)};
  }
  Values values;
  for (int64_t column = 0; column < columns; ++column) {
    if (column)
      pairs = arith::ShRUIOp::create(b, pairs, splat(i32Lanes, 16));
    Value halves = arith::TruncIOp::create(
        b, VectorType::get({lanes}, b.getI16Type()), pairs);
    halves = arith::BitcastOp::create(
        b, VectorType::get({lanes}, spec.floatType), halves);
    values.push_back(arith::ExtFOp::create(b, f32Lanes, halves));
  }
  return values;
}

FloatPanelMatmulBuilder::Values
FloatPanelMatmulBuilder::buildChunk(const Tile &tile, Value chunk,
                                    ValueRange sums) {
  Values result(sums);
  SmallVector<Values> weights;
  for (int64_t panel = 0; panel < tile.shape.panels; ++panel)
    weights.push_back(loadChunk(add(tile.firstPanel, panel), chunk,
                                /*prefetch=*/tile.shape.tokens == 1));
  Value column = mul(chunk, geometry.columnsPerChunk);
  for (int64_t offset = 0; offset < geometry.columnsPerChunk; ++offset)
    for (int64_t token = 0; token < tile.shape.tokens; ++token) {
      Value x = vector::BroadcastOp::create(
          b, f32Lanes,
          activations->loadFloat(tile.input, token, column, offset));
      for (int64_t panel = 0; panel < tile.shape.panels; ++panel) {
        Value &sum = result[token * tile.shape.panels + panel];
        sum = vector::FMAOp::create(b, weights[panel][offset], x, sum);
      }
    }
  return result;
}

void FloatPanelMatmulBuilder::buildTile(const Tile &tile, Value firstChunk,
                                        Value endChunk) {
  auto forEach = [&](llvm::function_ref<void(Value, Value)> visit) {
    for (int64_t token = 0; token < tile.shape.tokens; ++token)
      for (int64_t panel = 0; panel < tile.shape.panels; ++panel)
        visit(add(tile.firstToken, token), add(tile.firstPanel, panel));
  };
  Values sums;
  forEach([&](Value token, Value panel) {
    sums.push_back(loadOutput(token, panel));
  });
  sums = loop(firstChunk, endChunk, 1, sums,
              [&](Value chunk, ValueRange carried) {
                return buildChunk(tile, chunk, carried);
              });
  const Value *sum = sums.begin();
  forEach(
      [&](Value token, Value panel) { storeOutput(token, panel, *sum++); });
}

void FloatPanelMatmulBuilder::buildTiles(Value firstPanel, int64_t panels,
                                         Value firstChunk, Value endChunk) {
  for (const PanelActivations::Range &range : activations->getRanges()) {
    int64_t tokens = range.tile.tokens;
    int64_t perTile = std::min(panels, range.tile.panels);
    int64_t whole = panels / perTile * perTile;
    loop(range.begin, range.end, tokens, [&](Value token) {
      PanelActivations::Tile input = activations->getTile(token, tokens);
      auto build = [&](Value panel, int64_t count) {
        buildTile({token, add(firstPanel, panel), {tokens, count}, input},
                  firstChunk, endChunk);
      };
      loop(index(0), index(whole), perTile,
           [&](Value panel) { build(panel, perTile); });
      for (int64_t panel = whole; panel < panels; ++panel)
        build(index(panel), 1);
    });
  }
}

void FloatPanelMatmulBuilder::buildPanelBlock(Value firstPanel,
                                              int64_t panels) {
  loop(index(0), index(panels), 1, [&](Value offset) {
    Value panel = add(firstPanel, offset);
    Value start = loadBias(panel);
    loop(index(0), memref::DimOp::create(b, input, 0), 1,
         [&](Value token) { storeOutput(token, panel, start); });
  });
  Value chunks = index(geometry.getChunks());
  const int64_t blockChunks = blockColumns / geometry.columnsPerChunk;
  loop(index(0), chunks, blockChunks, [&](Value chunk) {
    buildTiles(firstPanel, panels, chunk, min(add(chunk, blockChunks), chunks));
  });
}

void FloatPanelMatmulBuilder::build() {
  activations.emplace(static_cast<KernelBuilder &>(*this), spec,
                      options.floatTiles, input, /*inputScales=*/Value());
  activations->build();
  int64_t block = std::min(options.floatTiles.back().panels, geometry.panels);
  parallelLoop(index(geometry.panels / block), [&](Value number) {
    buildPanelBlock(mul(number, block), block);
  });
  if (int64_t rest = geometry.panels % block)
    buildPanelBlock(index(geometry.panels - rest), rest);
  activations->release();
  func::ReturnOp::create(b);
}

void lowbit::buildFloatPanelMatmulBody(func::FuncOp function,
                                       const PanelMatmulSpec &spec,
                                       const CpuKernelOptions &options) {
  FloatPanelMatmulBuilder(function, spec, options).build();
}
