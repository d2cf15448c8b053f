//===- TileMatmul.cpp - products of panels by a matrix unit ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A slice of a panel, 16 channels x 4 columns, is a row of a tile as a matrix
// unit reads it, so codes need not be moved: they are unpacked to bytes, with
// the zero point subtracted where the difference fits, and that is all. A task
// computes two panels for some tokens:
//
//   for each block of groups, whose codes fit the first-level cache:
//     unpack them
//     for each 32 tokens and group: multiply, then scale the sums
//
// The activations of a task's tokens stay in the second-level cache for all
// panels. Sums of a group leave the unit through memory; they are scaled while
// the unit multiplies the next group. Integers do not depend on any of this,
// and groups are added up in the order of the other kernels: so are the bits of
// the result.
//
// Float activations are three numbers of type bf16 each, which have eight
// significant bits, as many as f32 together. Codes less their zero points fit
// into bf16, too, so all products are exact; sums are rounded to f32, in
// another order than in vectors, and what is below the smallest normal number
// is lost.
//
//===----------------------------------------------------------------------===//

#include "TileMatmul.h"
#include "PanelActivations.h"
#include "lowbit/Dialect/QVec/IR/QVecOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace lowbit;

namespace {

/// Tokens and channels of a tile.
constexpr int64_t tileTokens = 16;
/// Rows and columns of tiles that are multiplied together.
constexpr int64_t tilesAtOnce = 2;
/// Tokens whose sums are scaled in one iteration.
constexpr int64_t scaledAtOnce = 4;
/// The fewest and the most tokens of a task: unpacking should be a small part
/// of its work, and its sums should stay in the second-level cache.
constexpr int64_t minTaskTokens = 128, maxTaskTokens = 1024;
/// Numbers of type bf16 whose sum a float is.
constexpr int64_t partsOfFloat = 3;
constexpr int64_t bytesOfBf16 = 2;

class TileMatmulBuilder : PanelKernelBuilder {
public:
  TileMatmulBuilder(const PanelKernelBuilder &kernel, const MatrixUnit &unit,
                    Value tokens);
  Value build();

private:
  /// What a task computes and where it keeps what it needs.
  struct Task {
    Value firstToken, tokens, firstPanel;
    int64_t panels;
    /// Codes of a block of groups, sums of two groups for 32 tokens, and the
    /// scaled sums of all tokens.
    Value weights = {}, sums = {}, totals = {};
  };
  /// Some groups that are unpacked together.
  struct Block {
    Value firstGroup;
    int64_t groups;
    /// Of each group.
    int64_t tiles, chunks;
  };

  bool isSubtractedBeforehand() const;
  Value spreadMinusZeros(Value panel, Value group);
  Values loadRows(Value panel, Value chunk, Value minusZero);
  Values convertSliceToFloats(Value codes, Value minusZero);
  void buildTasks();
  void buildTask(Value firstToken, Value firstPanel, int64_t panels);
  void buildBlock(const Task &task, const Block &block);
  void unpack(const Task &task, const Block &block);
  void buildTokens(const Task &task, const Block &block, Value first,
                   Value count, int64_t rows);
  Value getSums(const Task &task, Value step, int64_t rows);
  void multiply(const Task &task, const Block &block, Value token, Value group,
                Value sums, int64_t rows);
  void scale(const Task &task, const Block &block, Value token, Value group,
             Value sums, int64_t rows);
  void storeTotals(const Task &task);

  /// Panel chunks and tiles of a group.
  int64_t countTiles(int64_t chunks) const {
    return llvm::divideCeil(chunks * geometry.columnsPerChunk, depth);
  }
  /// Rows of the right operand: lanes of four bytes of all channels.
  int64_t countRows(int64_t columns) const {
    return columns * elementBytes / bytesPerLane;
  }
  int64_t rowsPerTile() const { return countRows(depth); }

  Value tokens;
  /// What is multiplied, and the type of its sums.
  Type elementType, sumType;
  int64_t elementBytes;
  /// A row of the right operand.
  VectorType rowType;
  /// Columns of a tile: groups are divided evenly.
  int64_t depth;
  int64_t tilesPerGroup;
  /// How much is done at once.
  int64_t blockGroups, taskTokens;
  std::optional<PanelActivations> activations;
};

} // namespace

TileMatmulBuilder::TileMatmulBuilder(const PanelKernelBuilder &kernel,
                                     const MatrixUnit &unit, Value tokens)
    : PanelKernelBuilder(kernel), tokens(roundDown(tokens, tileTokens)) {
  bool isFloat = !spec.hasQuantizedInput();
  elementType = isFloat ? Type(b.getBF16Type()) : b.getI8Type();
  sumType = isFloat ? Type(b.getF32Type()) : b.getI32Type();
  elementBytes = elementType.getIntOrFloatBitWidth() / 8;
  rowType = VectorType::get({lanes * bytesPerLane / elementBytes}, elementType);
  int64_t columns = geometry.chunksPerGroup * geometry.columnsPerChunk;
  tilesPerGroup = llvm::divideCeil(columns * elementBytes, unit.rowBytes);
  // Codes are converted four columns at a time.
  depth = llvm::alignTo(llvm::divideCeil(columns, tilesPerGroup), bytesPerLane);
  int64_t groupBytes =
      tilesAtOnce * lanes * depth * elementBytes * tilesPerGroup;
  // A third for the codes; activations and sums take as much.
  blockGroups =
      std::clamp<int64_t>(unit.l1Bytes / 3 / groupBytes, 1,
                          std::max<int64_t>(geometry.getEqualGroups(), 1));
  int64_t rows = tilesAtOnce * tileTokens;
  int64_t bytesPerColumn = elementBytes * (isFloat ? partsOfFloat : 1);
  int64_t tokenBytes = geometry.getPaddedColumns() * bytesPerColumn;
  taskTokens = std::clamp<int64_t>(
      unit.l2Bytes * 3 / 4 / tokenBytes / rows * rows,
      llvm::alignTo(minTaskTokens / bytesPerColumn, rows), maxTaskTokens);
}

/// Whether codes minus zero points are signed bytes. Otherwise codes are
/// multiplied as they are, and the zero points by the activations' sums.
bool TileMatmulBuilder::isSubtractedBeforehand() const {
  if (!spec.hasQuantizedInput())
    return true;
  if (spec.zeroType)
    return spec.maxCode <= 127;
  return spec.codeOffset <= 128 &&
         int64_t(spec.maxCode) - spec.codeOffset <= 127;
}

/// A panel's zero points, negated, as floats or as bytes of a slice; null if
/// they are all zero.
Value TileMatmulBuilder::spreadMinusZeros(Value panel, Value group) {
  Value minus = loadMinusZeros(panel, group);
  if (!minus || !spec.hasQuantizedInput())
    return minus;
  minus = arith::AndIOp::create(b, minus, splat(i32Lanes, 0xff));
  minus = arith::MulIOp::create(b, minus, splat(i32Lanes, 0x01010101));
  return vector::BitCastOp::create(b, byteLanes, minus);
}

/// The four columns of a slice as two rows of pairs.
TileMatmulBuilder::Values
TileMatmulBuilder::convertSliceToFloats(Value codes, Value minusZero) {
  auto convert = [&](int64_t column) -> Value {
    Value code = codes;
    if (column)
      code = arith::ShRUIOp::create(b, code, splat(i32Lanes, 8 * column));
    if (column + 1 < bytesPerLane)
      code = arith::AndIOp::create(b, code, splat(i32Lanes, 0xff));
    Value value = arith::SIToFPOp::create(b, f32Lanes, code);
    if (minusZero)
      value = arith::AddFOp::create(b, value, minusZero);
    return vector::BitCastOp::create(b, i32Lanes, value);
  };
  Values rows;
  for (int64_t column = 0; column < bytesPerLane; column += 2) {
    Value low = arith::ShRUIOp::create(b, convert(column), splat(i32Lanes, 16));
    rows.push_back(arith::OrIOp::create(b, low, convert(column + 1)));
  }
  return rows;
}

/// The rows of a chunk as the unit multiplies them.
TileMatmulBuilder::Values TileMatmulBuilder::loadRows(Value panel, Value chunk,
                                                      Value minusZero) {
  if (spec.floatType) {
    prefetchBlock(*this, spec, codes, panel, chunk, /*offset=*/0);
    return {vector::LoadOp::create(b, rowType, codes,
                                   ValueRange{panel, chunk, index(0)})};
  }
  Values blocks = loadBlocks(panel, chunk), rows;
  for (int64_t slice = 0; slice < slicesPerChunk(); ++slice) {
    Value codes = getSlice(blocks, slice);
    if (!spec.hasQuantizedInput()) {
      for (Value row : convertSliceToFloats(codes, minusZero))
        rows.push_back(vector::BitCastOp::create(b, rowType, row));
      continue;
    }
    Value bytes = vector::BitCastOp::create(b, rowType, codes);
    if (minusZero)
      bytes = arith::AddIOp::create(b, bytes, minusZero);
    rows.push_back(bytes);
  }
  return rows;
}

void TileMatmulBuilder::unpack(const Task &task, const Block &block) {
  for (int64_t i = 0; i < task.panels; ++i) {
    Value panel = add(task.firstPanel, i);
    loop(index(0), index(block.groups), 1, [&](Value number) {
      Value group = add(block.firstGroup, number);
      Value minusZero =
          isSubtractedBeforehand() ? spreadMinusZeros(panel, group) : Value();
      Value firstChunk = mul(group, geometry.chunksPerGroup);
      Value to = mul(number, block.tiles * rowsPerTile());
      loop(index(0), index(block.chunks), 1, [&](Value chunk) {
        Values rows = loadRows(panel, add(firstChunk, chunk), minusZero);
        Value first = add(to, mul(chunk, countRows(geometry.columnsPerChunk)));
        for (auto [number, row] : llvm::enumerate(rows))
          vector::StoreOp::create(
              b, row, task.weights,
              ValueRange{index(i), add(first, number), index(0)});
      });
    });
  }
}

/// Where the sums of a step of `buildTokens` go: there are two places, which
/// take turns.
Value TileMatmulBuilder::getSums(const Task &task, Value step, int64_t rows) {
  auto type = cast<MemRefType>(task.sums.getType());
  const int64_t perRow = task.panels * lanes;
  const int64_t sizes[] = {rows * tileTokens, task.panels, lanes};
  const int64_t strides[] = {perRow, lanes, 1};
  OpFoldResult offset =
      mul(rem(step, index(2)), tilesAtOnce * tileTokens * perRow);
  auto layout =
      StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, strides);
  return memref::ReinterpretCastOp::create(
      b, MemRefType::get(sizes, type.getElementType(), layout), task.sums,
      offset, getAsIndexOpFoldResult(b.getContext(), sizes),
      getAsIndexOpFoldResult(b.getContext(), strides));
}

void TileMatmulBuilder::multiply(const Task &task, const Block &block,
                                 Value token, Value group, Value sums,
                                 int64_t rows) {
  Value column = mul(add(block.firstGroup, group), tilesPerGroup * depth);
  Value x = activations->getMatrices(token, rows, column, block.tiles);
  auto type = cast<MemRefType>(task.weights.getType());
  const int64_t row = type.getDimSize(2);
  const int64_t sizes[] = {task.panels, block.tiles, rowsPerTile(), row};
  const int64_t strides[] = {type.getDimSize(1) * row, rowsPerTile() * row, row,
                             1};
  OpFoldResult offset = mul(group, block.tiles * rowsPerTile() * row);
  auto layout =
      StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, strides);
  Value codes = memref::ReinterpretCastOp::create(
      b, MemRefType::get(sizes, type.getElementType(), layout), task.weights,
      offset, getAsIndexOpFoldResult(b.getContext(), sizes),
      getAsIndexOpFoldResult(b.getContext(), strides));
  qvec::TileDotOp::create(b, x, codes, sums,
                          /*rhs_unsigned=*/!isSubtractedBeforehand());
}

void TileMatmulBuilder::scale(const Task &task, const Block &block, Value token,
                              Value group, Value sums, int64_t rows) {
  group = add(block.firstGroup, group);
  Values factors, corrections;
  for (int64_t panel = 0; panel < task.panels; ++panel) {
    Value number = add(task.firstPanel, panel);
    factors.push_back(spec.floatType ? Value() : loadScales(number, group));
    corrections.push_back(
        isSubtractedBeforehand() ? Value() : loadMinusZeros(number, group));
  }
  Value firstTotal = sub(token, task.firstToken);
  loop(index(0), index(rows * tileTokens), scaledAtOnce, [&](Value first) {
    Value inTile = rem(first, index(tileTokens));
    PanelActivations::Tile tile =
        activations->getTile(add(token, sub(first, inTile)), tileTokens);
    for (int64_t i = 0; i < scaledAtOnce; ++i) {
      Value row = add(first, i);
      Value inputScale;
      if (spec.hasQuantizedInput() && !spec.hasRowInputScale())
        inputScale =
            broadcast(activations->loadGroupScale(tile, add(inTile, i), group));
      for (int64_t panel = 0; panel < task.panels; ++panel) {
        Value sum =
            vector::LoadOp::create(b, VectorType::get({lanes}, sumType), sums,
                                   ValueRange{row, index(panel), index(0)});
        if (Value minusZero = corrections[panel])
          sum = addProduct(sum, minusZero,
                           broadcast(activations->loadGroupSum(
                               tile, add(inTile, i), group)));
        Value factor = factors[panel];
        if (inputScale)
          factor = arith::MulFOp::create(b, factor, inputScale);
        SmallVector<Value> at = {add(firstTotal, row), index(panel), index(0)};
        Value total = vector::LoadOp::create(b, f32Lanes, task.totals, at);
        if (spec.hasQuantizedInput())
          sum = arith::SIToFPOp::create(b, f32Lanes, sum);
        total = factor ? Value(vector::FMAOp::create(b, sum, factor, total))
                       : Value(arith::AddFOp::create(b, sum, total));
        vector::StoreOp::create(b, total, task.totals, at);
      }
    }
  });
}

/// Multiplies `count` times as many tokens as `rows` tiles have. A step is
/// one of these and a group; its sums are scaled in the next step.
void TileMatmulBuilder::buildTokens(const Task &task, const Block &block,
                                    Value first, Value count, int64_t rows) {
  Value groups = index(block.groups);
  auto getToken = [&](Value step) {
    return add(first, mul(div(step, groups), rows * tileTokens));
  };
  auto multiplyStep = [&](Value step) {
    multiply(task, block, getToken(step), rem(step, groups),
             getSums(task, step, rows), rows);
  };
  auto scaleStep = [&](Value step) {
    scale(task, block, getToken(step), rem(step, groups),
          getSums(task, step, rows), rows);
  };
  Value any =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ne, count, index(0));
  ifTrue(any, [&] {
    Value steps = mul(count, groups);
    multiplyStep(index(0));
    loop(index(1), steps, 1, [&](Value step) {
      multiplyStep(step);
      scaleStep(sub(step, index(1)));
    });
    scaleStep(sub(steps, index(1)));
  });
}

void TileMatmulBuilder::buildBlock(const Task &task, const Block &block) {
  unpack(task, block);
  const int64_t both = tilesAtOnce * tileTokens;
  Value whole = roundDown(task.tokens, both);
  buildTokens(task, block, task.firstToken, div(whole, index(both)),
              tilesAtOnce);
  Value rest = sub(task.tokens, whole);
  buildTokens(task, block, add(task.firstToken, whole),
              div(rest, index(tileTokens)), /*rows=*/1);
}

void TileMatmulBuilder::storeTotals(const Task &task) {
  for (int64_t panel = 0; panel < task.panels; ++panel) {
    Channels channels = getChannels(add(task.firstPanel, panel));
    loop(index(0), task.tokens, 1, [&](Value row) {
      Value total = vector::LoadOp::create(
          b, f32Lanes, task.totals, ValueRange{row, index(panel), index(0)});
      storeSums(channels, add(task.firstToken, row), total);
    });
  }
}

void TileMatmulBuilder::buildTask(Value firstToken, Value firstPanel,
                                  int64_t panels) {
  auto allocate = [&](ArrayRef<int64_t> shape, Type element) -> Value {
    return memref::AllocOp::create(b, MemRefType::get(shape, element),
                                   b.getI64IntegerAttr(64));
  };
  Task task = {firstToken, min(sub(tokens, firstToken), index(taskTokens)),
               firstPanel, panels};
  int64_t rows = blockGroups * tilesPerGroup * rowsPerTile();
  task.weights = allocate({panels, rows, rowType.getDimSize(0)}, elementType);
  task.sums = allocate({2, tilesAtOnce * tileTokens, panels, lanes}, sumType);
  task.totals = allocate({taskTokens, panels, lanes}, b.getF32Type());

  loop(index(0), task.tokens, 1, [&](Value row) {
    for (int64_t panel = 0; panel < panels; ++panel)
      vector::StoreOp::create(b, splat(f32Lanes, 0), task.totals,
                              ValueRange{row, index(panel), index(0)});
  });
  // Padding meets activations that are zero, but zero times NaN is not zero.
  if (!spec.hasQuantizedInput())
    loop(index(0), index(rows), 1, [&](Value row) {
      for (int64_t panel = 0; panel < panels; ++panel)
        vector::StoreOp::create(
            b, arith::ConstantOp::create(b, b.getZeroAttr(rowType)),
            task.weights, ValueRange{index(panel), row, index(0)});
    });
  auto tiles = qvec::TilesOp::create(b, depth * elementBytes);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&tiles.getBody().front());
    int64_t equalGroups = geometry.getEqualGroups();
    int64_t rest = equalGroups % blockGroups;
    loop(index(0), index(equalGroups - rest), blockGroups, [&](Value group) {
      buildBlock(task,
                 {group, blockGroups, tilesPerGroup, geometry.chunksPerGroup});
    });
    if (rest)
      buildBlock(task, {index(equalGroups - rest), rest, tilesPerGroup,
                        geometry.chunksPerGroup});
    if (equalGroups != geometry.groups)
      buildBlock(task,
                 {index(equalGroups), 1, countTiles(geometry.chunksInLastGroup),
                  geometry.chunksInLastGroup});
  }
  storeTotals(task);
  for (Value buffer : {task.weights, task.sums, task.totals})
    memref::DeallocOp::create(b, buffer);
}

/// A thread's tasks follow each other: those of the same tokens do, so that
/// their activations stay in its cache.
void TileMatmulBuilder::buildTasks() {
  PanelActivations::Layout layout = {
      depth, tilesPerGroup * depth,
      countTiles(geometry.chunksInLastGroup) * depth,
      /*hasGroupSums=*/!isSubtractedBeforehand(),
      spec.hasQuantizedInput() ? 0 : partsOfFloat};
  activations.emplace(static_cast<KernelBuilder &>(*this), spec, layout,
                      TileShape{tileTokens, tilesAtOnce}, input, inputScales,
                      index(0), tokens);
  activations->build();
  Value chunks = ceilDiv(tokens, index(taskTokens));
  if (int64_t pairs = geometry.panels / tilesAtOnce)
    parallelLoop(mul(chunks, pairs), countWork(tokens), [&](Value number) {
      buildTask(mul(div(number, index(pairs)), taskTokens),
                mul(rem(number, index(pairs)), tilesAtOnce), tilesAtOnce);
    });
  if (geometry.panels % tilesAtOnce)
    parallelLoop(chunks, mul(tokens, lanes * spec.k), [&](Value number) {
      buildTask(mul(number, taskTokens), index(geometry.panels - 1),
                /*panels=*/1);
    });
  activations->release();
}

Value TileMatmulBuilder::build() {
  Value any =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ne, tokens, index(0));
  ifTrue(any, [&] { buildTasks(); });
  return tokens;
}

Value lowbit::buildTileMatmul(const PanelKernelBuilder &kernel,
                              const MatrixUnit &unit, Value tokens) {
  return TileMatmulBuilder(kernel, unit, tokens).build();
}

double lowbit::countTileProducts(const PanelMatmulSpec &spec,
                                 const MatrixUnit &unit) {
  const PanelsGeometry &geometry = spec.geometry;
  bool isFloat = !spec.hasQuantizedInput();
  int64_t bytes = geometry.chunksPerGroup * geometry.columnsPerChunk *
                  (isFloat ? bytesOfBf16 : 1);
  double products =
      llvm::divideCeil(bytes, unit.rowBytes) * (isFloat ? partsOfFloat : 1);
  return products / tileTokens /
         (PanelsGeometry::rowsPerPanel * geometry.groupColumns);
}
