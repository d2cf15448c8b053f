//===- PanelMatmul.cpp - matmul kernels that read weights in panels -------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// y[t, n] = sum over groups g of
//           scale[n, g] * (sum of code[n, k] * x[t, k]
//                          - zero[n, g] * sum of x[t, k])   for k in g
//
// Sixteen output channels are computed at once, one in each 32-bit lane. A
// block of 64 bytes holds, in lane r, several codes of channel r: the code of
// column 4s + j of the block stands at bit 8j + width * s (#lowbit.panels; a
// code may be split over blocks of several planes). One shift and one mask so
// yield a slice, 16 x 4 bytes that a dot-product instruction multiplies by four
// int8 activations; for float activations a second shift isolates each byte.
// LutMatmul looks sums up instead.
// Scales and zero points are applied once per group.
//
// TileMatmul computes many tokens where there is a matrix unit.
//
// Each parallel task owns some panels and walks over all tokens, so the result
// does not depend on the number of threads.
//
//===----------------------------------------------------------------------===//

#include "PanelMatmul.h"
#include "LutMatmul.h"
#include "PanelKernel.h"
#include "TileMatmul.h"
#include "lowbit/Dialect/QVec/IR/QVecOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace lowbit;

namespace {

class PanelMatmulBuilder : PanelKernelBuilder {
public:
  PanelMatmulBuilder(func::FuncOp function, const PanelMatmulSpec &spec,
                     ArrayRef<MatmulTile> tiles,
                     const CpuKernelOptions &options)
      : PanelKernelBuilder(function, spec, options.parallel), tiles(tiles),
        options(options),
        sumLanes(spec.hasQuantizedInput() ? i32Lanes : f32Lanes) {}
  void build();

private:
  /// The accumulators of a tile, token-major.
  using Sums = Values;
  /// Some tokens and panels.
  struct Tile {
    Value firstToken, firstPanel;
    TileShape shape;
    MatmulStrategy strategy;
    PanelActivations::Tile input;
  };

  void buildTokens(Value begin, Value end);
  void buildPanelBlock(Value firstPanel, int64_t panels);
  void buildTile(const Tile &tile);
  Sums sumGroup(const Tile &tile, Value group, Value firstChunk,
                int64_t chunks);
  Sums buildGroup(const Tile &tile, Value group, Value firstChunk,
                  int64_t chunks, Sums totals);
  Sums buildIntegerChunk(const Tile &tile, Value chunk, ValueRange sums);
  Sums buildFloatChunk(const Tile &tile, Value chunk, ValueRange sums);
  /// The blocks, and a slice of them, for each panel of a tile.
  SmallVector<Values> loadTileBlocks(const Tile &tile, Value chunk) {
    SmallVector<Values> blocks;
    for (int64_t panel = 0; panel < tile.shape.panels; ++panel)
      blocks.push_back(loadBlocks(add(tile.firstPanel, panel), chunk));
    return blocks;
  }
  Values getSlices(ArrayRef<Values> blocks, int64_t slice) {
    return llvm::map_to_vector(blocks, [&](ArrayRef<Value> panel) {
      return values ? getIndices(panel, slice) : getSlice(panel, slice);
    });
  }
  /// A slice as four bits of each byte, of which those above the code may be
  /// any.
  Value getIndices(ArrayRef<Value> blocks, int64_t slice);
  /// The codes of a byte of `slice`, as f32.
  Value getFloats(Value slice, int64_t byte);
  void storeTile(const Tile &tile, const Sums &totals);

  /// Those that vector registers compute.
  ArrayRef<MatmulTile> tiles;
  const CpuKernelOptions &options;
  /// The type that codes times activations are summed in.
  VectorType sumLanes;
  /// The f32 value of each four bits; null if codes are converted.
  Value values;
  std::optional<PanelActivations> activations;
  /// Null if no tile is computed by lookups.
  std::optional<LutMatmul> lut;
};

} // namespace

Value PanelMatmulBuilder::getIndices(ArrayRef<Value> blocks, int64_t slice) {
  Value codes;
  for (const CodePlane &plane : geometry.planes) {
    Value bits = getPlaneBits(plane, blocks, slice);
    if (!codes) {
      codes = bits;
      continue;
    }
    uint32_t below = ((1u << plane.base) - 1) * 0x01010101u;
    codes = arith::OrIOp::create(
        b, arith::AndIOp::create(b, codes, splat(i32Lanes, int32_t(below))),
        arith::AndIOp::create(b, bits, splat(i32Lanes, int32_t(~below))));
  }
  return codes;
}

PanelMatmulBuilder::Sums
PanelMatmulBuilder::buildIntegerChunk(const Tile &tile, Value chunk,
                                      ValueRange sums) {
  Sums result(sums);
  Value column = mul(chunk, geometry.columnsPerChunk);
  SmallVector<Values> blocks = loadTileBlocks(tile, chunk);
  for (int64_t slice = 0; slice < slicesPerChunk(); ++slice) {
    SmallVector<Value> slices;
    for (Value codes : getSlices(blocks, slice))
      slices.push_back(vector::BitCastOp::create(b, byteLanes, codes));
    for (int64_t token = 0; token < tile.shape.tokens; ++token) {
      Value word = activations->loadBytes(tile.input, token, column,
                                          slice * bytesPerLane);
      Value bytes = vector::BitCastOp::create(b, byteLanes, broadcast(word));
      for (int64_t panel = 0; panel < tile.shape.panels; ++panel) {
        Value &sum = result[token * tile.shape.panels + panel];
        sum = qvec::DotOp::create(b, sum, slices[panel], bytes, spec.maxCode);
      }
    }
  }
  return result;
}

Value PanelMatmulBuilder::getFloats(Value slice, int64_t byte) {
  if (byte)
    slice = arith::ShRUIOp::create(b, slice, splat(i32Lanes, 8 * byte));
  if (values)
    return qvec::LookupOp::create(
        b, values, arith::AndIOp::create(b, slice, splat(i32Lanes, 15)));
  if (byte + 1 < bytesPerLane)
    slice = arith::AndIOp::create(b, slice, splat(i32Lanes, 0xff));
  return arith::SIToFPOp::create(b, f32Lanes, slice);
}

PanelMatmulBuilder::Sums PanelMatmulBuilder::buildFloatChunk(const Tile &tile,
                                                             Value chunk,
                                                             ValueRange sums) {
  Sums result(sums);
  Value column = mul(chunk, geometry.columnsPerChunk);
  SmallVector<Values> blocks = loadTileBlocks(tile, chunk);
  for (int64_t slice = 0; slice < slicesPerChunk(); ++slice) {
    SmallVector<Value> slices = getSlices(blocks, slice);
    for (int64_t byte = 0; byte < bytesPerLane; ++byte) {
      SmallVector<Value> floats;
      for (Value panel : slices)
        floats.push_back(getFloats(panel, byte));
      for (int64_t token = 0; token < tile.shape.tokens; ++token) {
        Value x = broadcast(activations->loadFloat(
            tile.input, token, column, slice * bytesPerLane + byte));
        for (int64_t panel = 0; panel < tile.shape.panels; ++panel) {
          Value &sum = result[token * tile.shape.panels + panel];
          sum = vector::FMAOp::create(b, floats[panel], x, sum);
        }
      }
    }
  }
  return result;
}

/// Codes times activations, in `sumLanes`.
PanelMatmulBuilder::Sums PanelMatmulBuilder::sumGroup(const Tile &tile,
                                                      Value group,
                                                      Value firstChunk,
                                                      int64_t chunks) {
  if (tile.strategy == MatmulStrategy::Lut)
    return lut->sumGroup(tile.firstToken, tile.firstPanel, tile.shape, group,
                         firstChunk, chunks);
  Sums zeroSums(tile.shape.size(), splat(sumLanes, 0));
  return loop(firstChunk, add(firstChunk, chunks), 1, zeroSums,
              [&](Value chunk, ValueRange carried) {
                return tile.strategy == MatmulStrategy::Dot
                           ? buildIntegerChunk(tile, chunk, carried)
                           : buildFloatChunk(tile, chunk, carried);
              });
}

PanelMatmulBuilder::Sums
PanelMatmulBuilder::buildGroup(const Tile &tile, Value group, Value firstChunk,
                               int64_t chunks, Sums totals) {
  TileShape shape = tile.shape;
  Sums sums = sumGroup(tile, group, firstChunk, chunks);
  Values scales(shape.panels), minusZeros(shape.panels);
  // All panels meet a token's factors while these are in registers.
  for (int64_t token = 0; token < shape.tokens; ++token)
    for (int64_t panel = 0; panel < shape.panels; ++panel) {
      Value &scale = scales[panel], &minusZero = minusZeros[panel];
      if (token == 0) {
        Value panelIndex = add(tile.firstPanel, panel);
        scale = loadScales(panelIndex, group);
        minusZero = loadMinusZeros(panelIndex, group);
      }
      Value sum = sums[token * shape.panels + panel];
      if (minusZero)
        sum = addProduct(
            sum, minusZero,
            broadcast(activations->loadGroupSum(tile.input, token, group)));
      Value factor = scale;
      if (spec.hasQuantizedInput())
        sum = arith::SIToFPOp::create(b, f32Lanes, sum);
      if (spec.hasQuantizedInput() && !spec.hasRowInputScale())
        factor = arith::MulFOp::create(
            b, scale,
            broadcast(activations->loadGroupScale(tile.input, token, group)));
      Value &total = totals[token * shape.panels + panel];
      total = vector::FMAOp::create(b, sum, factor, total);
    }
  return totals;
}

void PanelMatmulBuilder::storeTile(const Tile &tile, const Sums &totals) {
  TileShape shape = tile.shape;
  for (int64_t panel = 0; panel < shape.panels; ++panel) {
    Channels channels = getChannels(add(tile.firstPanel, panel));
    for (int64_t token = 0; token < shape.tokens; ++token)
      storeSums(channels, add(tile.firstToken, token),
                totals[token * shape.panels + panel]);
  }
}

void PanelMatmulBuilder::buildTile(const Tile &tile) {
  int64_t equalGroups = geometry.getEqualGroups();
  Sums totals =
      loop(index(0), index(equalGroups), 1,
           Sums(tile.shape.size(), splat(f32Lanes, 0)),
           [&](Value group, ValueRange carried) {
             Value firstChunk = mul(group, geometry.chunksPerGroup);
             return buildGroup(tile, group, firstChunk, geometry.chunksPerGroup,
                               Sums(carried));
           });
  if (equalGroups != geometry.groups)
    totals = buildGroup(tile, index(equalGroups),
                        index(equalGroups * geometry.chunksPerGroup),
                        geometry.chunksInLastGroup, totals);
  storeTile(tile, totals);
}

void PanelMatmulBuilder::buildPanelBlock(Value firstPanel, int64_t panels) {
  for (auto [range, kind] : llvm::zip_equal(activations->getRanges(), tiles)) {
    int64_t tokens = range.tile.tokens;
    int64_t perTile = std::min(panels, range.tile.panels);
    MatmulStrategy strategy = kind.strategy;
    int64_t whole = panels / perTile * perTile;
    loop(range.begin, range.end, tokens, [&](Value token) {
      PanelActivations::Tile input = activations->getTile(token, tokens);
      loop(index(0), index(whole), perTile, [&](Value panel) {
        buildTile({token,
                   add(firstPanel, panel),
                   {tokens, perTile},
                   strategy,
                   input});
      });
      for (int64_t panel = whole; panel < panels; ++panel)
        buildTile(
            {token, add(firstPanel, panel), {tokens, 1}, strategy, input});
    });
  }
}

void PanelMatmulBuilder::buildTokens(Value begin, Value end) {
  activations.emplace(
      static_cast<KernelBuilder &>(*this), spec,
      PanelActivations::getPanelLayout(spec),
      llvm::map_to_vector(tiles,
                          [](const MatmulTile &tile) { return tile.shape; }),
      input, inputScales, begin, end);
  activations->build();
  if (spec.looksUpValues(options.instructions)) {
    SmallVector<float> table;
    for (uint32_t index = 0; index < 16; ++index)
      table.push_back(index & spec.maxCode);
    values = arith::ConstantOp::create(
        b, DenseElementsAttr::get(f32Lanes, ArrayRef<float>(table)));
  }
  if (llvm::any_of(tiles, [](const MatmulTile &tile) {
        return tile.strategy == MatmulStrategy::Lut;
      })) {
    lut.emplace(static_cast<KernelBuilder &>(*this), spec, tiles,
                options.instructions, codes, *activations);
    lut->buildTables();
  }
  int64_t block = std::min(tiles.back().shape.panels, geometry.panels);
  parallelLoop(
      index(geometry.panels / block), countWork(sub(end, begin)),
      [&](Value number) { buildPanelBlock(mul(number, block), block); });
  if (int64_t rest = geometry.panels % block)
    buildPanelBlock(index(geometry.panels - rest), rest);
  if (lut)
    lut->release();
  activations->release();
}

void PanelMatmulBuilder::build() {
  Value tokens = memref::DimOp::create(b, input, 0), begin = index(0);
  if (tiles.front().strategy == MatmulStrategy::Tiles) {
    tiles = tiles.drop_front();
    begin = buildTileMatmul(*this, *options.matrixUnit, tokens);
  }
  buildTokens(begin, tokens);
  func::ReturnOp::create(b);
}

void lowbit::buildPanelMatmulBody(func::FuncOp function,
                                  const PanelMatmulSpec &spec,
                                  ArrayRef<MatmulTile> tiles,
                                  const CpuKernelOptions &options) {
  PanelMatmulBuilder(function, spec, tiles, options).build();
}
