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
// or, of each group, the sum of several such terms, each with codes and scales
// of its own, perhaps with offset[n, g] * sum of x[t, k].
//
// Sixteen output channels are computed at once, one in each 32-bit lane. A
// block of 64 bytes holds, in lane r, several codes of channel r: the code of
// column 4s + j of the block stands at bit 8j + width * s (#lowbit.panels; a
// code may be split over blocks of several planes). One shift and one mask so
// yield a slice, 16 x 4 bytes that a dot-product instruction multiplies by four
// int8 activations; for float activations a second shift isolates each byte.
// LutMatmul looks sums up instead. Where instructions multiply by two tokens, a
// slice is that of two chunks: they are interleaved before they are unpacked,
// so that a channel's eight codes stand together. Scales and zero points are
// applied once per group.
//
// TileMatmul computes many tokens where there is a matrix unit.
//
// Each parallel task owns some panels and walks over all tokens, so the result
// does not depend on the number of threads.
//
//===----------------------------------------------------------------------===//

#include "PanelMatmul.h"
#include "FloatLevels.h"
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
        options(options) {}
  void build();

private:
  /// The accumulators of a tile, token-major. Where instructions multiply by
  /// two tokens, a register has the sums of both, channel by channel.
  using Sums = Values;
  /// Some tokens and panels.
  struct Tile {
    Value firstToken, firstPanel;
    TileShape shape;
    MatmulStrategy strategy;
    PanelActivations::Tile input;
    /// How far codes are behind the chunk of their activations, in chunks; null
    /// if nowhere.
    Value chunkOffset = {};
  };

  void buildTokens(Value begin, Value end);
  void buildPanelBlock(Value firstPanel, int64_t panels);
  void buildTile(const Tile &tile);
  Sums sumGroup(const Tile &tile, Value group, Value firstChunk, int64_t chunks,
                Sums starts);
  Sums buildGroup(Tile tile, Value group, Value firstChunk, int64_t chunks,
                  Sums totals);
  /// One of the products that elements are the sum of; `stored` is the number
  /// of its scales among those of all groups.
  Sums addTerm(const Tile &tile, Value group, Value stored, Value firstChunk,
               int64_t chunks, Sums totals);
  void addOffsets(const Tile &tile, Value group, MutableArrayRef<Value> totals);
  /// Multiplies each panel's codes of each step by each token's activations of
  /// it.
  void multiplyChunk(
      const Tile &tile, Value chunk, int64_t steps,
      function_ref<Value(ArrayRef<Value> blocks, int64_t step)> unpack,
      function_ref<Value(int64_t token, int64_t step)> load,
      function_ref<void(Value codes, Value activation, int64_t sum)> multiply);
  /// One or two chunks; `column` is where the activations of the first begin.
  Sums buildDots(const Tile &tile, Value chunk, int64_t chunks, Value column,
                 ValueRange sums);
  /// The same for sums of pairs of tokens.
  Sums buildPairs(const Tile &tile, Value chunk, int64_t chunks, Value column,
                  ValueRange sums);
  Sums buildFloatChunk(const Tile &tile, Value chunk, Value column,
                       ValueRange sums);
  /// Whether chunks are multiplied two by two.
  bool multipliesPairs() const {
    return spec.hasQuantizedInput() && options.instructions.hasMmla;
  }
  /// How many tokens have their sums in one register.
  int64_t tokensPerSum(const Tile &tile) const {
    return multipliesPairs() && tile.strategy == MatmulStrategy::Dot &&
                   tile.shape.tokens % 2 == 0
               ? 2
               : 1;
  }
  /// What all tokens of a register share, in its lanes.
  Value repeat(Value channels, int64_t tokens) {
    if (!channels || tokens == 1)
      return channels;
    return vector::InterleaveOp::create(b, channels, channels);
  }
  /// What all channels share: one value for each token.
  Value spread(Value tokens);
  Values loadTileBlocks(const Tile &tile, int64_t panel, Value chunk) {
    return loadBlocks(add(tile.firstPanel, panel),
                      tile.chunkOffset ? add(chunk, tile.chunkOffset) : chunk);
  }
  /// The blocks of each panel of a tile.
  SmallVector<Values> loadTileBlocks(const Tile &tile, Value chunk) {
    SmallVector<Values> blocks;
    for (int64_t panel = 0; panel < tile.shape.panels; ++panel)
      blocks.push_back(loadTileBlocks(tile, panel, chunk));
    return blocks;
  }
  /// A slice as four bits of each byte, of which those above the code may be
  /// any.
  Value getIndices(ArrayRef<Value> blocks, int64_t slice);
  /// The codes of a byte of a slice, or what they stand for, as f32.
  Value getFloats(ArrayRef<Value> blocks, int64_t slice, int64_t byte);
  void storeTile(const Tile &tile, const Sums &totals);

  /// Those that vector registers compute.
  ArrayRef<MatmulTile> tiles;
  const CpuKernelOptions &options;
  /// Null if float activations meet codes that are numbers and converted as
  /// such.
  std::optional<FloatLevels> levels;
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

Value PanelMatmulBuilder::spread(Value tokens) {
  auto type = cast<VectorType>(tokens.getType());
  int64_t count = type.getNumElements();
  if (count == 1)
    return broadcast(
        vector::ExtractOp::create(b, tokens, ArrayRef<int64_t>{0}));
  Type bits = b.getIntegerType(32 * count);
  Value scalar = vector::ExtractOp::create(
      b, vector::BitCastOp::create(b, VectorType::get({1}, bits), tokens),
      ArrayRef<int64_t>{0});
  return vector::BitCastOp::create(b, getLanes(type.getElementType(), count),
                                   broadcast(scalar));
}

void PanelMatmulBuilder::multiplyChunk(
    const Tile &tile, Value chunk, int64_t steps,
    function_ref<Value(ArrayRef<Value> blocks, int64_t step)> unpack,
    function_ref<Value(int64_t token, int64_t step)> load,
    function_ref<void(Value codes, Value activation, int64_t sum)> multiply) {
  const auto [tokens, panels] = tile.shape;
  // Registers hold activations or codes, whichever are fewer.
  if (panels >= tokens) {
    for (int64_t panel = 0; panel < panels; ++panel) {
      Values blocks = loadTileBlocks(tile, panel, chunk);
      for (int64_t step = 0; step < steps; ++step) {
        Value codes = unpack(blocks, step);
        for (int64_t token = 0; token < tokens; ++token)
          multiply(codes, load(token, step), token * panels + panel);
      }
    }
    return;
  }
  SmallVector<Values> blocks = loadTileBlocks(tile, chunk);
  for (int64_t step = 0; step < steps; ++step) {
    Values codes;
    for (ArrayRef<Value> panel : blocks)
      codes.push_back(unpack(panel, step));
    for (int64_t token = 0; token < tokens; ++token) {
      Value activation = load(token, step);
      for (int64_t panel = 0; panel < panels; ++panel)
        multiply(codes[panel], activation, token * panels + panel);
    }
  }
}

PanelMatmulBuilder::Sums
PanelMatmulBuilder::buildDots(const Tile &tile, Value chunk, int64_t chunks,
                              Value column, ValueRange sums) {
  Sums result(sums);
  int64_t unit = activations->getLayout().unit;
  for (int64_t number = 0; number < chunks; ++number)
    multiplyChunk(
        tile, add(chunk, number), slicesPerChunk(),
        [&](ArrayRef<Value> blocks, int64_t slice) -> Value {
          return vector::BitCastOp::create(b, byteLanes,
                                           getSlice(blocks, slice));
        },
        [&](int64_t token, int64_t slice) -> Value {
          Value word = activations->loadBytes(
              tile.input, token, column, slice * unit + number * bytesPerLane);
          return vector::BitCastOp::create(b, byteLanes, broadcast(word));
        },
        [&](Value codes, Value bytes, int64_t sum) {
          result[sum] =
              qvec::DotOp::create(b, result[sum], codes, bytes, spec.maxCode);
        });
  return result;
}

PanelMatmulBuilder::Sums
PanelMatmulBuilder::buildPairs(const Tile &tile, Value chunk, int64_t chunks,
                               Value column, ValueRange sums) {
  Sums result(sums);
  SmallVector<Values> blocks = loadTileBlocks(tile, chunk), others;
  if (chunks == 2)
    others = loadTileBlocks(tile, add(chunk, 1));
  for (auto [panel, values] : llvm::enumerate(blocks))
    for (auto [number, block] : llvm::enumerate(values))
      block = vector::InterleaveOp::create(
          b, block, chunks == 2 ? others[panel][number] : splat(i32Lanes, 0));
  int64_t unit = activations->getLayout().unit;
  for (int64_t slice = 0; slice < slicesPerChunk(); ++slice) {
    Values slices;
    for (ArrayRef<Value> panel : blocks)
      slices.push_back(vector::BitCastOp::create(
          b, getLanes(b.getI8Type(), 2 * bytesPerLane),
          getSlice(panel, slice)));
    for (int64_t token = 0; token < tile.shape.tokens; token += 2) {
      Value pair =
          activations->loadPair(tile.input, token, column, slice * unit);
      for (int64_t panel = 0; panel < tile.shape.panels; ++panel) {
        Value &sum = result[token / 2 * tile.shape.panels + panel];
        sum = qvec::MmlaOp::create(b, sum, slices[panel], pair, spec.maxCode);
      }
    }
  }
  return result;
}

Value PanelMatmulBuilder::getFloats(ArrayRef<Value> blocks, int64_t number,
                                    int64_t byte) {
  if (levels)
    return levels->get(levels->takesFourBits() ? getIndices(blocks, number)
                                               : getSlice(blocks, number),
                       byte);
  Value slice = getSlice(blocks, number);
  if (byte)
    slice = arith::ShRUIOp::create(b, slice, splat(i32Lanes, 8 * byte));
  if (byte + 1 < bytesPerLane)
    slice = arith::AndIOp::create(b, slice, splat(i32Lanes, 0xff));
  return arith::SIToFPOp::create(b, f32Lanes, slice);
}

PanelMatmulBuilder::Sums PanelMatmulBuilder::buildFloatChunk(const Tile &tile,
                                                             Value chunk,
                                                             Value column,
                                                             ValueRange sums) {
  Sums result(sums);
  multiplyChunk(
      tile, chunk, geometry.columnsPerChunk,
      [&](ArrayRef<Value> blocks, int64_t number) {
        return getFloats(blocks, number / bytesPerLane, number % bytesPerLane);
      },
      [&](int64_t token, int64_t number) {
        return broadcast(
            activations->loadFloat(tile.input, token, column, number));
      },
      [&](Value codes, Value x, int64_t sum) {
        result[sum] = vector::FMAOp::create(b, codes, x, result[sum]);
      });
  return result;
}

/// Codes times activations, which are added to `starts` unless these are looked
/// up.
PanelMatmulBuilder::Sums
PanelMatmulBuilder::sumGroup(const Tile &tile, Value group, Value firstChunk,
                             int64_t chunks, Sums starts) {
  if (tile.strategy == MatmulStrategy::Lut)
    return lut->sumGroup(tile.firstToken, tile.firstPanel, tile.shape, group,
                         firstChunk, chunks, tile.chunkOffset);
  int64_t perSum = tokensPerSum(tile);
  Sums sums = std::move(starts);
  auto build = [&](Value chunk, int64_t count, ValueRange sums) {
    Value column = activations->getColumn(group, chunk);
    if (!spec.hasQuantizedInput())
      return buildFloatChunk(tile, chunk, column, sums);
    return perSum == 2 ? buildPairs(tile, chunk, count, column, sums)
                       : buildDots(tile, chunk, count, column, sums);
  };
  int64_t atOnce = multipliesPairs() ? 2 : 1;
  int64_t whole = chunks / atOnce * atOnce;
  if (whole)
    sums = loop(firstChunk, add(firstChunk, whole), atOnce, sums,
                [&](Value chunk, ValueRange carried) {
                  return build(chunk, atOnce, carried);
                });
  if (whole != chunks)
    sums = build(add(firstChunk, whole), 1, sums);
  return sums;
}

PanelMatmulBuilder::Sums
PanelMatmulBuilder::addTerm(const Tile &tile, Value group, Value stored,
                            Value firstChunk, int64_t chunks, Sums totals) {
  TileShape shape = tile.shape;
  int64_t perSum = tokensPerSum(tile);
  VectorType f32Sums = getLanes(b.getF32Type(), perSum);
  VectorType sumLanes =
      spec.hasQuantizedInput() ? getLanes(b.getI32Type(), perSum) : f32Sums;
  Sums starts(shape.size() / perSum, splat(sumLanes, 0));
  Values scales(shape.panels), minusZeros(shape.panels);
  auto loadMinus = [&](int64_t panel) {
    return repeat(loadMinusZeros(add(tile.firstPanel, panel), stored), perSum);
  };
  auto correct = [&](Value &sum, Value minusZero, int64_t token) {
    if (minusZero)
      sum = addProduct(
          sum, minusZero,
          spread(activations->loadGroupSums(tile.input, token, group, perSum)));
  };
  // Integer sums begin with what zero points take away instead of being set to
  // zero, which saves as many additions.
  bool startsCorrected = spec.hasQuantizedInput() && !spec.hasFloatZeros() &&
                         tile.strategy != MatmulStrategy::Lut;
  for (int64_t panel = 0; startsCorrected && panel < shape.panels; ++panel) {
    Value minusZero = loadMinus(panel);
    for (int64_t token = 0; token < shape.tokens; token += perSum)
      correct(starts[token / perSum * shape.panels + panel], minusZero, token);
  }
  Sums sums = sumGroup(tile, group, firstChunk, chunks, std::move(starts));
  // All panels meet a token's factors while these are in registers.
  for (int64_t token = 0; token < shape.tokens; token += perSum)
    for (int64_t panel = 0; panel < shape.panels; ++panel) {
      Value &scale = scales[panel], &minusZero = minusZeros[panel];
      if (token == 0) {
        scale = repeat(loadScales(add(tile.firstPanel, panel), stored), perSum);
        minusZero = startsCorrected ? Value() : loadMinus(panel);
      }
      int64_t number = token / perSum * shape.panels + panel;
      Value sum = sums[number];
      auto convert = [&] {
        if (spec.hasQuantizedInput())
          sum = arith::SIToFPOp::create(b, f32Sums, sum);
      };
      // Zero points that are floats are no part of integer sums.
      if (spec.hasFloatZeros())
        convert();
      correct(sum, minusZero, token);
      if (!spec.hasFloatZeros())
        convert();
      Value factor = scale;
      if (spec.hasQuantizedInput() && !spec.hasRowInputScale())
        factor = arith::MulFOp::create(b, scale,
                                       spread(activations->loadGroupScales(
                                           tile.input, token, group, perSum)));
      Value &total = totals[number];
      total = vector::FMAOp::create(b, sum, factor, total);
    }
  return totals;
}

void PanelMatmulBuilder::addOffsets(const Tile &tile, Value group,
                                    MutableArrayRef<Value> totals) {
  TileShape shape = tile.shape;
  int64_t perSum = tokensPerSum(tile);
  Values offsets;
  for (int64_t panel = 0; panel < shape.panels; ++panel)
    offsets.push_back(
        repeat(loadOffsets(add(tile.firstPanel, panel), group), perSum));
  for (int64_t token = 0; token < shape.tokens; token += perSum) {
    Value sum =
        spread(activations->loadGroupSums(tile.input, token, group, perSum));
    if (spec.hasQuantizedInput()) {
      sum = arith::SIToFPOp::create(b, getLanes(b.getF32Type(), perSum), sum);
      if (!spec.hasRowInputScale())
        sum = arith::MulFOp::create(b, sum,
                                    spread(activations->loadGroupScales(
                                        tile.input, token, group, perSum)));
    }
    for (int64_t panel = 0; panel < shape.panels; ++panel) {
      Value &total = totals[token / perSum * shape.panels + panel];
      total = vector::FMAOp::create(b, offsets[panel], sum, total);
    }
  }
}

PanelMatmulBuilder::Sums PanelMatmulBuilder::buildGroup(Tile tile, Value group,
                                                        Value firstChunk,
                                                        int64_t chunks,
                                                        Sums totals) {
  Value stored = group;
  for (int64_t term = 0; term < geometry.terms; ++term) {
    if (geometry.terms > 1) {
      stored = add(mul(group, geometry.terms), term);
      tile.chunkOffset =
          add(mul(firstChunk, geometry.terms - 1), term * chunks);
    }
    totals =
        addTerm(tile, group, stored, firstChunk, chunks, std::move(totals));
  }
  if (spec.offsetType)
    addOffsets(tile, group, totals);
  return totals;
}

void PanelMatmulBuilder::storeTile(const Tile &tile, const Sums &totals) {
  TileShape shape = tile.shape;
  for (int64_t panel = 0; panel < shape.panels; ++panel) {
    Channels channels = getChannels(add(tile.firstPanel, panel));
    int64_t perSum = tokensPerSum(tile);
    for (int64_t token = 0; token < shape.tokens; token += perSum) {
      Values ofTokens = {totals[token / perSum * shape.panels + panel]};
      if (perSum == 2)
        ofTokens = vector::DeinterleaveOp::create(b, ofTokens[0]).getResults();
      for (auto [number, total] : llvm::enumerate(ofTokens))
        storeSums(channels, add(tile.firstToken, token + number), total);
    }
  }
}

void PanelMatmulBuilder::buildTile(const Tile &tile) {
  int64_t equalGroups = geometry.getEqualGroups();
  int64_t perSum = tokensPerSum(tile);
  Sums totals =
      loop(index(0), index(equalGroups), 1,
           Sums(tile.shape.size() / perSum,
                splat(getLanes(b.getF32Type(), perSum), 0)),
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
    // Lookups stay in vectors of known length, and keep few sums.
    const CpuInstructions &cpu = options.instructions;
    bool isLut = strategy == MatmulStrategy::Lut;
    bool looksUp = isLut || spec.bytes || (levels && levels->areLookedUp());
    bool scalable = cpu.scalable && !looksUp;
    bool fits = range.tile.size() * PanelsGeometry::bytesPerBlock <
                cpu.registers * cpu.vectorBytes;
    int64_t lanesAtOnce = scalable ? 4 : fits || isLut ? lanes : lanes / 2;
    loop(range.begin, range.end, tokens, [&](Value token) {
      PanelActivations::Tile input = activations->getTile(token, tokens);
      auto build = [&](Value panel, int64_t count) {
        TileShape shape = range.tile;
        shape.panels = count;
        forEachLanes(lanesAtOnce, scalable, [&] {
          buildTile({token, add(firstPanel, panel), shape, strategy, input});
        });
      };
      loop(index(0), index(whole), perTile,
           [&](Value panel) { build(panel, perTile); });
      for (int64_t panel = whole; panel < panels; ++panel)
        build(index(panel), 1);
    });
  }
}

void PanelMatmulBuilder::buildTokens(Value begin, Value end) {
  activations.emplace(
      static_cast<KernelBuilder &>(*this), spec,
      PanelActivations::getPanelLayout(spec, multipliesPairs()),
      llvm::map_to_vector(tiles,
                          [](const MatmulTile &tile) { return tile.shape; }),
      input, inputScales, begin, end);
  activations->build();
  if (spec.codeType || spec.looksUpValues(options.instructions))
    levels.emplace(static_cast<KernelBuilder &>(*this), spec);
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
