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
// depends neither on the target nor on the number of tokens or threads. The one
// exception are the tokens that a matrix unit takes; see TileMatmul.cpp.
//
//===----------------------------------------------------------------------===//

#include "FloatPanelMatmul.h"
#include "PanelActivations.h"
#include "PanelKernel.h"
#include "TileMatmul.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace lowbit;

namespace {

/// Columns of a block: 12 tokens of them take 12 KiB of a first-level cache, 8
/// panels of f32 128 KiB of a second-level cache.
constexpr int64_t blockColumns = 256;

class FloatPanelMatmulBuilder : PanelKernelBuilder {
public:
  FloatPanelMatmulBuilder(func::FuncOp function, const PanelMatmulSpec &spec,
                          ArrayRef<MatmulTile> tiles,
                          const CpuKernelOptions &options)
      : PanelKernelBuilder(function, spec, options.parallel), tiles(tiles),
        options(options) {}
  void build();

private:
  /// Some tokens and panels.
  struct Tile {
    Value firstToken, firstPanel;
    TileShape shape;
    PanelActivations::Tile input;
  };

  void buildTokens(Value begin, Value end);
  void buildPanelBlock(Value firstPanel, int64_t panels, Value begin,
                       Value end);
  void buildTiles(Value firstPanel, int64_t panels, Value firstChunk,
                  Value endChunk);
  void buildTile(const Tile &tile, Value firstChunk, Value endChunk);
  Values buildChunk(const Tile &tile, Value chunk, ValueRange sums);
  /// The weights of each column of a chunk.
  Values loadChunk(Value panel, Value chunk, bool prefetch);
  /// The sums of the blocks before, which are kept in the output.
  Value loadSums(const Channels &channels, Value token);

  /// Those that vector registers compute.
  ArrayRef<MatmulTile> tiles;
  const CpuKernelOptions &options;
  std::optional<PanelActivations> activations;
};

} // namespace

Value FloatPanelMatmulBuilder::loadSums(const Channels &channels, Value token) {
  SmallVector<Value> at = {token, channels.column};
  if (channels.mask)
    return vector::MaskedLoadOp::create(b, f32Lanes, output, at, channels.mask,
                                        splat(f32Lanes, 0));
  return vector::LoadOp::create(b, f32Lanes, output, at);
}

FloatPanelMatmulBuilder::Values
FloatPanelMatmulBuilder::loadChunk(Value panel, Value chunk, bool prefetch) {
  if (prefetch)
    prefetchBlock(*this, spec, codes, panel, chunk, /*offset=*/0);
  const int64_t columns = geometry.columnsPerChunk;
  Value stored = vector::LoadOp::create(
      b, VectorType::get({lanes * columns}, spec.floatType), codes,
      ValueRange{panel, chunk, index(0)});
  if (spec.floatType.isF32())
    return {stored};
  // Two columns in each 32-bit lane.
  Value pairs = vector::BitCastOp::create(b, i32Lanes, stored);
  if (spec.floatType.isBF16()) {
    Value low = arith::ShLIOp::create(b, pairs, splat(i32Lanes, 16));
    Value high =
        arith::AndIOp::create(b, pairs, splat(i32Lanes, int32_t(0xffff0000)));
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
      Value x =
          broadcast(activations->loadFloat(tile.input, token, column, offset));
      for (int64_t panel = 0; panel < tile.shape.panels; ++panel) {
        Value &sum = result[token * tile.shape.panels + panel];
        sum = vector::FMAOp::create(b, weights[panel][offset], x, sum);
      }
    }
  return result;
}

void FloatPanelMatmulBuilder::buildTile(const Tile &tile, Value firstChunk,
                                        Value endChunk) {
  SmallVector<Channels> channels;
  for (int64_t panel = 0; panel < tile.shape.panels; ++panel)
    channels.push_back(
        getChannels(add(tile.firstPanel, panel), /*withBias=*/false));
  auto forEach = [&](llvm::function_ref<void(const Channels &, Value)> visit) {
    for (int64_t token = 0; token < tile.shape.tokens; ++token)
      for (const Channels &panel : channels)
        visit(panel, add(tile.firstToken, token));
  };
  Values sums;
  forEach([&](const Channels &panel, Value token) {
    sums.push_back(loadSums(panel, token));
  });
  sums =
      loop(firstChunk, endChunk, 1, sums, [&](Value chunk, ValueRange carried) {
        return buildChunk(tile, chunk, carried);
      });
  const Value *sum = sums.begin();
  forEach([&](const Channels &panel, Value token) {
    storeSums(panel, token, *sum++);
  });
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

void FloatPanelMatmulBuilder::buildPanelBlock(Value firstPanel, int64_t panels,
                                              Value begin, Value end) {
  loop(index(0), index(panels), 1, [&](Value offset) {
    Channels channels = getChannels(add(firstPanel, offset));
    Value start = channels.bias ? channels.bias : splat(f32Lanes, 0);
    channels.bias = {};
    loop(begin, end, 1,
         [&](Value token) { storeSums(channels, token, start); });
  });
  Value chunks = index(geometry.getChunks());
  const int64_t blockChunks = blockColumns / geometry.columnsPerChunk;
  loop(index(0), chunks, blockChunks, [&](Value chunk) {
    buildTiles(firstPanel, panels, chunk, min(add(chunk, blockChunks), chunks));
  });
}

void FloatPanelMatmulBuilder::buildTokens(Value begin, Value end) {
  activations.emplace(
      static_cast<KernelBuilder &>(*this), spec,
      PanelActivations::getPanelLayout(spec),
      llvm::map_to_vector(tiles,
                          [](const MatmulTile &tile) { return tile.shape; }),
      input, /*inputScales=*/Value(), begin, end);
  activations->build();
  int64_t block = std::min(tiles.back().shape.panels, geometry.panels);
  parallelLoop(index(geometry.panels / block), countWork(sub(end, begin)),
               [&](Value number) {
                 buildPanelBlock(mul(number, block), block, begin, end);
               });
  if (int64_t rest = geometry.panels % block)
    buildPanelBlock(index(geometry.panels - rest), rest, begin, end);
  activations->release();
}

void FloatPanelMatmulBuilder::build() {
  Value tokens = memref::DimOp::create(b, input, 0), begin = index(0);
  if (tiles.front().strategy == MatmulStrategy::Tiles) {
    tiles = tiles.drop_front();
    begin = buildTileMatmul(*this, *options.matrixUnit, tokens);
  }
  buildTokens(begin, tokens);
  func::ReturnOp::create(b);
}

void lowbit::buildFloatPanelMatmulBody(func::FuncOp function,
                                       PanelMatmulSpec spec,
                                       ArrayRef<MatmulTile> tiles,
                                       const CpuKernelOptions &options) {
  // Blocks of columns for the matrix unit, too: chunks lie as they do in whole
  // rows.
  spec.geometry = PanelsGeometry(
      spec.n, spec.k, spec.floatType.getIntOrFloatBitWidth(), blockColumns);
  FloatPanelMatmulBuilder(function, spec, tiles, options).build();
}
