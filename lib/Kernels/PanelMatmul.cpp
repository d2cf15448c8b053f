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
// chunk of 64 bytes holds, in lane r, several codes of channel r: the code of
// column 4s + j of the chunk stands at bit 8j + width * s. One shift and one
// mask so yield 16 x 4 bytes that a dot-product instruction multiplies by four
// int8 activations; for float activations a second shift isolates each byte.
// Scales and zero points are applied once per group.
//
// Each parallel task owns some panels and walks over all tokens, so the result
// does not depend on the number of threads.
//
//===----------------------------------------------------------------------===//

#include "PanelMatmul.h"
#include "lowbit/Dialect/QVec/IR/QVecOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace lowbit;

namespace {

constexpr int64_t lanes = PanelsGeometry::rowsPerPanel;
constexpr int64_t bytesPerLane = 4;

class PanelMatmulBuilder {
public:
  PanelMatmulBuilder(func::FuncOp function, const PanelMatmulSpec &spec,
                     const CpuKernelOptions &options);
  void build();

private:
  /// A tile's accumulators, token-major.
  using Tile = SmallVector<Value>;
  struct TileShape {
    int64_t tokens, panels;
    int64_t size() const { return tokens * panels; }
  };

  // Constants and small steps.
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value splat(VectorType type, int64_t value) {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(
               type, type.getElementType().isIntOrIndex()
                         ? Attribute(b.getIntegerAttr(type.getElementType(),
                                                      value))
                         : Attribute(b.getFloatAttr(type.getElementType(),
                                                    double(value)))));
  }
  Value broadcast(Value scalar) {
    return vector::BroadcastOp::create(
        b, VectorType::get({lanes}, scalar.getType()), scalar);
  }
  Value plus(Value value, int64_t offset) {
    return offset ? Value(arith::AddIOp::create(b, value, index(offset)))
                  : value;
  }
  /// Runs `body` for `[begin, end)` in steps, carrying `init` through.
  Tile buildLoop(Value begin, Value end, int64_t step, ValueRange init,
                 function_ref<Tile(Value, ValueRange)> body);

  // Activations.
  void prepareActivations();
  void prepareToken(Value token);
  void prepareGroup(Value token, Value group, int64_t size,
                    int64_t paddedSize);
  /// Four int8 activations of a token, in every lane.
  Value loadInputBytes(Value token, Value column);

  // The product.
  void buildPanelBlock(Value firstPanel, int64_t panels);
  void buildTile(Value firstToken, Value firstPanel, TileShape shape);
  Tile buildGroup(Value group, Value firstChunk, int64_t chunks, Tile sums,
                  Value firstToken, Value firstPanel, TileShape shape);
  Tile buildIntegerChunk(Value chunk, ValueRange sums, Value firstToken,
                         Value firstPanel, TileShape shape);
  Tile buildFloatChunk(Value chunk, ValueRange sums, Value firstToken,
                       Value firstPanel, TileShape shape);
  /// One chunk of each of the panels as 32-bit lanes.
  SmallVector<Value> loadChunks(Value firstPanel, int64_t panels, Value chunk);
  /// Per-group factors of a panel: its scales as f32.
  Value loadScales(Value panel, Value group);
  /// Zero points of a panel as i32; null if they are all zero.
  Value loadZeros(Value panel, Value group);
  void storeTile(const Tile &tile, Value firstToken, Value firstPanel,
                 TileShape shape);

  ImplicitLocOpBuilder b;
  const PanelMatmulSpec &spec;
  const PanelsGeometry &geometry;
  const CpuKernelOptions &options;

  VectorType i32Lanes, f32Lanes, byteLanes;
  /// The type that codes times activations are summed in.
  VectorType sumLanes;

  // Arguments.
  Value input, inputScales, codes, scales, zeros, bias, output;
  Value tokens;
  /// The activations with every group padded to whole chunks, and the sum of
  /// each group.
  Value padded, groupSums;
};

} // namespace

PanelMatmulBuilder::PanelMatmulBuilder(func::FuncOp function,
                                       const PanelMatmulSpec &spec,
                                       const CpuKernelOptions &options)
    : b(function.getLoc(), function.getContext()), spec(spec),
      geometry(spec.geometry), options(options) {
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  unsigned next = 0;
  auto take = [&] { return Value(entry->getArgument(next++)); };
  input = take();
  if (spec.hasQuantizedInput())
    inputScales = take();
  codes = take();
  scales = take();
  if (spec.hasZeros)
    zeros = take();
  if (spec.hasBias)
    bias = take();
  output = take();

  i32Lanes = VectorType::get({lanes}, b.getI32Type());
  f32Lanes = VectorType::get({lanes}, b.getF32Type());
  byteLanes = VectorType::get({lanes * bytesPerLane}, b.getI8Type());
  sumLanes = spec.hasQuantizedInput() ? i32Lanes : f32Lanes;
}

PanelMatmulBuilder::Tile
PanelMatmulBuilder::buildLoop(Value begin, Value end, int64_t step,
                              ValueRange init,
                              function_ref<Tile(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, begin, end, index(step), init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Tile results = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!init.empty())
    scf::YieldOp::create(b, results);
  return Tile(loop.getResults());
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

void PanelMatmulBuilder::prepareGroup(Value token, Value group, int64_t size,
                                      int64_t paddedSize) {
  Type elementType = cast<MemRefType>(input.getType()).getElementType();
  Type sumType = sumLanes.getElementType();
  Value from = arith::MulIOp::create(b, group, index(geometry.groupColumns));
  Value to = arith::MulIOp::create(
      b, group, index(geometry.chunksPerGroup * geometry.columnsPerChunk));
  auto at = [&](Value base, Value offset) {
    return SmallVector<Value>{token, arith::AddIOp::create(b, base, offset)};
  };
  auto add = [&](Value sum, Value value) -> Value {
    if (!spec.hasQuantizedInput())
      return arith::AddFOp::create(b, sum, value);
    return arith::AddIOp::create(
        b, sum, arith::ExtSIOp::create(b, sum.getType(), value));
  };

  // Sixteen columns at a time, then the rest one by one.
  Value total = arith::ConstantOp::create(b, b.getZeroAttr(sumType));
  int64_t wholeVectors = size / lanes * lanes;
  if (wholeVectors) {
    Value sums = buildLoop(
        index(0), index(wholeVectors), lanes, splat(sumLanes, 0),
        [&](Value offset, ValueRange carried) {
          Value values = vector::LoadOp::create(
              b, VectorType::get({lanes}, elementType), input,
              at(from, offset));
          if (padded != input)
            vector::StoreOp::create(b, values, padded, at(to, offset));
          return Tile{add(carried[0], values)};
        })[0];
    total = vector::ReductionOp::create(b, vector::CombiningKind::ADD, sums);
  }
  if (wholeVectors != size)
    total = buildLoop(index(wholeVectors), index(size), 1, total,
                      [&](Value offset, ValueRange carried) {
                        Value value = memref::LoadOp::create(b, input,
                                                             at(from, offset));
                        if (padded != input)
                          memref::StoreOp::create(b, value, padded,
                                                  at(to, offset));
                        return Tile{add(carried[0], value)};
                      })[0];
  if (paddedSize != size) {
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(elementType));
    buildLoop(index(size), index(paddedSize), 1, {},
              [&](Value offset, ValueRange) {
                memref::StoreOp::create(b, zero, padded, at(to, offset));
                return Tile();
              });
  }
  memref::StoreOp::create(b, total, groupSums, ValueRange{token, group});
}

void PanelMatmulBuilder::prepareToken(Value token) {
  int64_t chunkColumns = geometry.columnsPerChunk;
  int64_t equalGroups = geometry.getEqualGroups();
  buildLoop(index(0), index(equalGroups), 1, {}, [&](Value group, ValueRange) {
    prepareGroup(token, group, geometry.groupColumns,
                 geometry.chunksPerGroup * chunkColumns);
    return Tile();
  });
  if (equalGroups != geometry.groups)
    prepareGroup(token, index(equalGroups), geometry.lastGroupColumns,
                 geometry.chunksInLastGroup * chunkColumns);
}

void PanelMatmulBuilder::prepareActivations() {
  auto inputType = cast<MemRefType>(input.getType());
  tokens = memref::DimOp::create(b, input, 0);
  padded = input;
  if (geometry.getPaddedColumns() != spec.k)
    padded = memref::AllocOp::create(
        b,
        MemRefType::get({ShapedType::kDynamic, geometry.getPaddedColumns()},
                        inputType.getElementType()),
        tokens);
  groupSums = memref::AllocOp::create(
      b,
      MemRefType::get({ShapedType::kDynamic, geometry.groups},
                      sumLanes.getElementType()),
      tokens);
  auto loop = scf::ParallelOp::create(b, ValueRange{index(0)},
                                      ValueRange{tokens}, ValueRange{index(1)});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  prepareToken(loop.getInductionVars()[0]);
}

Value PanelMatmulBuilder::loadInputBytes(Value token, Value column) {
  auto four = VectorType::get({bytesPerLane}, b.getI8Type());
  Value bytes =
      vector::LoadOp::create(b, four, padded, ValueRange{token, column});
  Value word = vector::BitCastOp::create(
      b, VectorType::get({1}, b.getI32Type()), bytes);
  Value scalar = vector::ExtractOp::create(b, word, ArrayRef<int64_t>{0});
  return vector::BitCastOp::create(b, byteLanes, broadcast(scalar));
}

//===----------------------------------------------------------------------===//
// The product
//===----------------------------------------------------------------------===//

SmallVector<Value> PanelMatmulBuilder::loadChunks(Value firstPanel,
                                                  int64_t panels, Value chunk) {
  SmallVector<Value> words;
  for (int64_t panel = 0; panel < panels; ++panel) {
    Value bytes = vector::LoadOp::create(
        b, byteLanes, codes,
        ValueRange{plus(firstPanel, panel), chunk, index(0)});
    words.push_back(vector::BitCastOp::create(b, i32Lanes, bytes));
  }
  return words;
}

Value PanelMatmulBuilder::loadScales(Value panel, Value group) {
  Value stored =
      vector::LoadOp::create(b, VectorType::get({lanes}, spec.scaleType),
                             scales, ValueRange{panel, group, index(0)});
  if (spec.scaleType.isF32())
    return stored;
  return arith::ExtFOp::create(b, f32Lanes, stored);
}

Value PanelMatmulBuilder::loadZeros(Value panel, Value group) {
  if (spec.hasZeros)
    return arith::ExtUIOp::create(
        b, i32Lanes,
        vector::LoadOp::create(b, VectorType::get({lanes}, b.getI8Type()),
                               zeros, ValueRange{panel, group, index(0)}));
  return spec.codeOffset ? splat(i32Lanes, spec.codeOffset) : Value();
}

PanelMatmulBuilder::Tile
PanelMatmulBuilder::buildIntegerChunk(Value chunk, ValueRange sums,
                                      Value firstToken, Value firstPanel,
                                      TileShape shape) {
  Tile result(sums);
  Value column =
      arith::MulIOp::create(b, chunk, index(geometry.columnsPerChunk));
  SmallVector<Value> words = loadChunks(firstPanel, shape.panels, chunk);
  int32_t byteMask = (1 << geometry.codeWidth) - 1;
  Value mask = splat(i32Lanes, int32_t(byteMask * 0x01010101u));
  for (int64_t slice = 0; slice < geometry.getCodesPerByte(); ++slice) {
    SmallVector<Value> slices;
    for (Value word : words) {
      if (slice)
        word = arith::ShRUIOp::create(
            b, word, splat(i32Lanes, slice * geometry.codeWidth));
      if (geometry.getCodesPerByte() > 1)
        word = arith::AndIOp::create(b, word, mask);
      slices.push_back(vector::BitCastOp::create(b, byteLanes, word));
    }
    for (int64_t token = 0; token < shape.tokens; ++token) {
      Value bytes = loadInputBytes(plus(firstToken, token),
                                   plus(column, slice * bytesPerLane));
      for (int64_t panel = 0; panel < shape.panels; ++panel) {
        Value &sum = result[token * shape.panels + panel];
        sum = qvec::DotOp::create(b, sum, slices[panel], bytes, spec.maxCode);
      }
    }
  }
  return result;
}

PanelMatmulBuilder::Tile
PanelMatmulBuilder::buildFloatChunk(Value chunk, ValueRange sums,
                                    Value firstToken, Value firstPanel,
                                    TileShape shape) {
  Tile result(sums);
  Value column =
      arith::MulIOp::create(b, chunk, index(geometry.columnsPerChunk));
  SmallVector<Value> words = loadChunks(firstPanel, shape.panels, chunk);
  Value mask = splat(i32Lanes, (1 << geometry.codeWidth) - 1);
  for (int64_t slice = 0; slice < geometry.getCodesPerByte(); ++slice)
    for (int64_t byte = 0; byte < bytesPerLane; ++byte) {
      SmallVector<Value> values;
      int64_t shift = 8 * byte + geometry.codeWidth * slice;
      for (Value word : words) {
        if (shift)
          word = arith::ShRUIOp::create(b, word, splat(i32Lanes, shift));
        if (shift + geometry.codeWidth < 32)
          word = arith::AndIOp::create(b, word, mask);
        values.push_back(arith::SIToFPOp::create(b, f32Lanes, word));
      }
      for (int64_t token = 0; token < shape.tokens; ++token) {
        Value x = broadcast(memref::LoadOp::create(
            b, padded,
            ValueRange{plus(firstToken, token),
                       plus(column, slice * bytesPerLane + byte)}));
        for (int64_t panel = 0; panel < shape.panels; ++panel) {
          Value &sum = result[token * shape.panels + panel];
          sum = vector::FMAOp::create(b, values[panel], x, sum);
        }
      }
    }
  return result;
}

PanelMatmulBuilder::Tile
PanelMatmulBuilder::buildGroup(Value group, Value firstChunk, int64_t chunks,
                               Tile tile, Value firstToken, Value firstPanel,
                               TileShape shape) {
  SmallVector<Value> zeroSums(shape.size(), splat(sumLanes, 0));
  Value lastChunk = plus(firstChunk, chunks);
  Tile sums = buildLoop(
      firstChunk, lastChunk, 1, zeroSums,
      [&](Value chunk, ValueRange carried) {
        return spec.hasQuantizedInput()
                   ? buildIntegerChunk(chunk, carried, firstToken, firstPanel,
                                       shape)
                   : buildFloatChunk(chunk, carried, firstToken, firstPanel,
                                     shape);
      });

  for (int64_t panel = 0; panel < shape.panels; ++panel) {
    Value panelIndex = plus(firstPanel, panel);
    Value scale = loadScales(panelIndex, group);
    Value zero = loadZeros(panelIndex, group);
    if (zero && !spec.hasQuantizedInput())
      zero = arith::SIToFPOp::create(b, f32Lanes, zero);
    for (int64_t token = 0; token < shape.tokens; ++token) {
      Value tokenIndex = plus(firstToken, token);
      Value sum = sums[token * shape.panels + panel];
      if (zero) {
        Value groupSum = broadcast(memref::LoadOp::create(
            b, groupSums, ValueRange{tokenIndex, group}));
        if (spec.hasQuantizedInput())
          sum = arith::SubIOp::create(
              b, sum, arith::MulIOp::create(b, zero, groupSum));
        else
          sum = arith::SubFOp::create(
              b, sum, arith::MulFOp::create(b, zero, groupSum));
      }
      Value factor = scale;
      if (spec.hasQuantizedInput()) {
        sum = arith::SIToFPOp::create(b, f32Lanes, sum);
        Value inputGroup = spec.hasRowInputScale() ? index(0) : group;
        factor = arith::MulFOp::create(
            b, scale,
            broadcast(memref::LoadOp::create(
                b, inputScales, ValueRange{tokenIndex, inputGroup})));
      }
      Value &total = tile[token * shape.panels + panel];
      total = vector::FMAOp::create(b, sum, factor, total);
    }
  }
  return tile;
}

void PanelMatmulBuilder::storeTile(const Tile &tile, Value firstToken,
                                   Value firstPanel, TileShape shape) {
  for (int64_t panel = 0; panel < shape.panels; ++panel) {
    Value column = arith::MulIOp::create(b, plus(firstPanel, panel),
                                         index(lanes));
    Value mask;
    if (spec.n % lanes != 0)
      mask = vector::CreateMaskOp::create(
          b, VectorType::get({lanes}, b.getI1Type()),
          ValueRange{arith::SubIOp::create(b, index(spec.n), column)});
    Value biasLanes;
    if (bias)
      biasLanes = mask ? Value(vector::MaskedLoadOp::create(
                             b, f32Lanes, bias, ValueRange{column}, mask,
                             splat(f32Lanes, 0)))
                       : Value(vector::LoadOp::create(b, f32Lanes, bias,
                                                      ValueRange{column}));
    for (int64_t token = 0; token < shape.tokens; ++token) {
      Value value = tile[token * shape.panels + panel];
      if (biasLanes)
        value = arith::AddFOp::create(b, value, biasLanes);
      SmallVector<Value> at = {plus(firstToken, token), column};
      if (mask)
        vector::MaskedStoreOp::create(b, output, at, mask, value);
      else
        vector::StoreOp::create(b, value, output, at);
    }
  }
}

void PanelMatmulBuilder::buildTile(Value firstToken, Value firstPanel,
                                   TileShape shape) {
  int64_t equalGroups = geometry.getEqualGroups();
  Tile tile = buildLoop(
      index(0), index(equalGroups), 1,
      Tile(shape.size(), splat(f32Lanes, 0)),
      [&](Value group, ValueRange carried) {
        Value firstChunk =
            arith::MulIOp::create(b, group, index(geometry.chunksPerGroup));
        return buildGroup(group, firstChunk, geometry.chunksPerGroup,
                          Tile(carried), firstToken, firstPanel, shape);
      });
  if (equalGroups != geometry.groups)
    tile = buildGroup(index(equalGroups),
                      index(equalGroups * geometry.chunksPerGroup),
                      geometry.chunksInLastGroup, tile, firstToken, firstPanel,
                      shape);
  storeTile(tile, firstToken, firstPanel, shape);
}

void PanelMatmulBuilder::buildPanelBlock(Value firstPanel, int64_t panels) {
  auto buildTokens = [&](Value begin, Value end, TileShape shape) {
    int64_t whole = panels / shape.panels * shape.panels;
    buildLoop(begin, end, shape.tokens, {}, [&](Value token, ValueRange) {
      buildLoop(index(0), index(whole), shape.panels, {},
                [&](Value panel, ValueRange) {
                  buildTile(token, arith::AddIOp::create(b, firstPanel, panel),
                            shape);
                  return Tile();
                });
      for (int64_t panel = whole; panel < panels; ++panel)
        buildTile(token, plus(firstPanel, panel), {shape.tokens, 1});
      return Tile();
    });
  };
  // Groups of tokens first; what is left one by one.
  Value step = index(options.batchTokens);
  Value whole = arith::MulIOp::create(
      b, arith::DivUIOp::create(b, tokens, step), step);
  buildTokens(index(0), whole,
              {options.batchTokens, std::min(panels, options.batchPanels)});
  buildTokens(whole, tokens, {1, std::min(panels, options.decodePanels)});
}

void PanelMatmulBuilder::build() {
  prepareActivations();
  int64_t block = std::min(options.decodePanels, geometry.panels);
  int64_t blocks = geometry.panels / block;
  auto loop = scf::ParallelOp::create(b, ValueRange{index(0)},
                                      ValueRange{index(blocks)},
                                      ValueRange{index(1)});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    buildPanelBlock(arith::MulIOp::create(b, loop.getInductionVars()[0],
                                          index(block)),
                    block);
  }
  if (int64_t rest = geometry.panels % block)
    buildPanelBlock(index(geometry.panels - rest), rest);
  memref::DeallocOp::create(b, groupSums);
  if (padded != input)
    memref::DeallocOp::create(b, padded);
  func::ReturnOp::create(b);
}

void lowbit::buildPanelMatmulBody(func::FuncOp function,
                                  const PanelMatmulSpec &spec,
                                  const CpuKernelOptions &options) {
  PanelMatmulBuilder(function, spec, options).build();
}
