//===- ContractionKernel.cpp - tiled matrix products ----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A block of 16x16 threads computes a 64x64 tile of the result, each thread 4x4
// of its elements, in steps of 16 along the reduction: the block copies both
// operands' tiles to shared memory, zero where they stick out, and every thread
// then reads from there. Rows, columns and batches may each stand for several
// loops, so that attention products, transposed operands and plain products are
// one kernel.

#include "KernelUtils.h"
#include "mlir/Dialect/Linalg/IR/LinalgInterfaces.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace lowbit;

/// The block's side in threads, the tile's side in elements, the elements of a
/// thread's side, and the tile's depth.
static constexpr int64_t kSide = 16;
static constexpr int64_t kTile = 64;
static constexpr int64_t kPerThread = kTile / kSide;
static constexpr int64_t kDepth = 16;
/// One element of padding keeps a column of the tile out of a single bank.
static constexpr int64_t kStride = kTile + 1;

namespace {
/// Loops that are addressed by one linear position.
struct Axis {
  Axis(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
       ArrayRef<unsigned> loops)
      : loops(loops), sizes(gather(sizes, loops)),
        size(buildProduct(builder, loc, this->sizes)) {}

  /// Sets the induction variables of this axis' loops.
  void setPosition(OpBuilder &builder, Location loc, Value position,
                   MutableArrayRef<Value> ivs) const {
    scatter(ivs, loops, buildDelinearize(builder, loc, position, sizes));
  }

  SmallVector<unsigned> loops;
  SmallVector<OpFoldResult> sizes;
  Value size;
};

/// What the body of the kernel is built from.
struct Contraction {
  linalg::LinalgOp op;
  Axis batch, row, column, depth;

  Location getLoc() const { return op->getLoc(); }
};

/// A thread's place in the block and the block's place in the result.
struct Place {
  Value x, y, thread;
  Value firstRow, firstColumn;
  SmallVector<Value> ivs;
};
} // namespace

/// Whether neighbours along `axis` are neighbours in `operand`'s memory.
static bool isContiguousAlong(linalg::LinalgOp op, OpOperand &operand,
                              const Axis &axis) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  if (!map.getNumResults())
    return false;
  auto dim = dyn_cast<AffineDimExpr>(map.getResults().back());
  return dim && llvm::is_contained(axis.loops, dim.getPosition());
}

/// Copies the `kTile` x `kDepth` tile of `operand` that starts at (first,
/// firstDepth) to `shared`, which is laid out depth first. Consecutive threads
/// walk along the operand's contiguous axis.
static void buildTileCopy(OpBuilder &builder, const Contraction &contraction,
                          OpOperand &operand, const Axis &axis, Value first,
                          Value firstDepth, const Place &place, Value shared) {
  Location loc = contraction.getLoc();
  linalg::LinalgOp op = contraction.op;
  int64_t threads = kSide * kSide;
  bool alongDepth = isContiguousAlong(op, operand, contraction.depth);
  Type type = cast<MemRefType>(shared.getType()).getElementType();
  int64_t fast = alongDepth ? kDepth : kTile;
  Value fastSize = buildIndex(builder, loc, fast);
  Value inFast = arith::RemUIOp::create(builder, loc, place.thread, fastSize);
  Value inSlow = arith::DivUIOp::create(builder, loc, place.thread, fastSize);
  for (int64_t step = 0; step < kTile * kDepth / threads; ++step) {
    Value slow = arith::AddIOp::create(
        builder, loc, inSlow, buildIndex(builder, loc, step * threads / fast));
    Value inTile = alongDepth ? slow : inFast;
    Value inDepth = alongDepth ? inFast : slow;
    Value position = arith::AddIOp::create(builder, loc, first, inTile);
    Value depth = arith::AddIOp::create(builder, loc, firstDepth, inDepth);
    Value inside = arith::AndIOp::create(
        builder, loc, buildLess(builder, loc, position, axis.size),
        buildLess(builder, loc, depth, contraction.depth.size));
    auto element = scf::IfOp::create(
        builder, loc, inside,
        [&](OpBuilder &builder, Location loc) {
          SmallVector<Value> ivs = place.ivs;
          axis.setPosition(builder, loc, position, ivs);
          contraction.depth.setPosition(builder, loc, depth, ivs);
          Value loaded = buildOperandLoad(builder, op, operand, ivs);
          scf::YieldOp::create(builder, loc, loaded);
        },
        [&](OpBuilder &builder, Location loc) {
          Value zero = arith::ConstantOp::create(builder, loc,
                                                 builder.getZeroAttr(type));
          scf::YieldOp::create(builder, loc, zero);
        });
    memref::StoreOp::create(builder, loc, element.getResult(0), shared,
                            ValueRange{inDepth, inTile});
  }
}

/// The products of one column of `left` with one of `right`, both in shared
/// memory at `depth`, added to the accumulators.
static SmallVector<Value> buildStep(OpBuilder &builder,
                                    const Contraction &contraction, Value left,
                                    Value right, Value depth,
                                    const Place &place,
                                    ValueRange accumulators) {
  Location loc = contraction.getLoc();
  auto load = [&](Value shared, Value thread, int64_t i) {
    Value position = arith::AddIOp::create(builder, loc, thread,
                                           buildIndex(builder, loc, i * kSide));
    return memref::LoadOp::create(builder, loc, shared,
                                  ValueRange{depth, position});
  };
  SmallVector<Value> rows, columns, results;
  for (int64_t i = 0; i < kPerThread; ++i) {
    rows.push_back(load(left, place.y, i));
    columns.push_back(load(right, place.x, i));
  }
  for (int64_t i = 0; i < kPerThread; ++i)
    for (int64_t j = 0; j < kPerThread; ++j)
      llvm::append_range(
          results,
          buildScalarBody(builder, contraction.op, place.ivs,
                          {rows[i], columns[j], accumulators[results.size()]}));
  return results;
}

/// Lets the backend fuse the products with the sums; one rounding less.
static void allowContraction(Block *block) {
  auto flags = arith::FastMathFlagsAttr::get(block->getParentOp()->getContext(),
                                             arith::FastMathFlags::contract);
  block->walk([&](Operation *op) {
    if (isa<arith::MulFOp, arith::AddFOp>(op))
      op->setAttr("fastmath", flags);
  });
}

static SmallVector<Value> buildSum(OpBuilder &builder,
                                   const Contraction &contraction, Value left,
                                   Value right, const Place &place) {
  Location loc = contraction.getLoc();
  linalg::LinalgOp op = contraction.op;
  Type type = getElementTypeOrSelf(op.getDpsInits()[0].getType());
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  SmallVector<Value> accumulators(kPerThread * kPerThread, zero);
  Value first = buildIndex(builder, loc, 0);
  Value one = buildIndex(builder, loc, 1);
  Value step = buildIndex(builder, loc, kDepth);
  auto tiles = scf::ForOp::create(builder, loc, first, contraction.depth.size,
                                  step, accumulators);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(tiles.getBody());
  buildTileCopy(builder, contraction, *op.getDpsInputOperand(0),
                contraction.row, place.firstRow, tiles.getInductionVar(), place,
                left);
  buildTileCopy(builder, contraction, *op.getDpsInputOperand(1),
                contraction.column, place.firstColumn, tiles.getInductionVar(),
                place, right);
  gpu::BarrierOp::create(builder, loc);
  auto inner = scf::ForOp::create(builder, loc, first, step, one,
                                  tiles.getRegionIterArgs());
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(inner.getBody());
    scf::YieldOp::create(builder, loc,
                         buildStep(builder, contraction, left, right,
                                   inner.getInductionVar(), place,
                                   inner.getRegionIterArgs()));
    allowContraction(inner.getBody());
  }
  // Nobody overwrites a tile that somebody still reads.
  gpu::BarrierOp::create(builder, loc);
  scf::YieldOp::create(builder, loc, inner.getResults());
  return llvm::to_vector_of<Value>(tiles.getResults());
}

/// Adds each sum to the result's element. The result's old value is the sum's
/// start; adding it last costs the same and keeps the kernel's start simple.
static void buildResult(OpBuilder &builder, const Contraction &contraction,
                        ArrayRef<Value> sums, const Place &place) {
  Location loc = contraction.getLoc();
  linalg::LinalgOp op = contraction.op;
  OpOperand &output = *op.getDpsInitOperand(0);
  Type type = getElementTypeOrSelf(output.get().getType());
  for (int64_t i = 0; i < kPerThread; ++i)
    for (int64_t j = 0; j < kPerThread; ++j) {
      Value row = arith::AddIOp::create(builder, loc, place.firstRow,
                                        buildMulAdd(builder, loc,
                                                    buildIndex(builder, loc, i),
                                                    kSide, place.y));
      Value column = arith::AddIOp::create(
          builder, loc, place.firstColumn,
          buildMulAdd(builder, loc, buildIndex(builder, loc, j), kSide,
                      place.x));
      Value inside = arith::AndIOp::create(
          builder, loc, buildLess(builder, loc, row, contraction.row.size),
          buildLess(builder, loc, column, contraction.column.size));
      auto store = scf::IfOp::create(builder, loc, inside, false);
      OpBuilder inner = store.getThenBodyBuilder();
      SmallVector<Value> ivs = place.ivs;
      contraction.row.setPosition(inner, loc, row, ivs);
      contraction.column.setPosition(inner, loc, column, ivs);
      SmallVector<Value> coordinates = buildCoordinates(inner, op, output, ivs);
      Value old = memref::LoadOp::create(inner, loc, output.get(), coordinates);
      Value sum = sums[i * kPerThread + j];
      Value result =
          isa<FloatType>(type)
              ? arith::AddFOp::create(inner, loc, old, sum).getResult()
              : arith::AddIOp::create(inner, loc, old, sum).getResult();
      memref::StoreOp::create(inner, loc, result, output.get(), coordinates);
    }
}

LogicalResult lowbit::buildContractionKernel(OpBuilder &builder,
                                             linalg::LinalgOp op) {
  if (!linalg::isaContractionOpInterface(op) || op.hasIndexSemantics())
    return failure();
  FailureOr<linalg::ContractionDimensions> dims =
      linalg::inferContractionDims(op);
  if (failed(dims) || dims->k.empty())
    return failure();
  Location loc = op.getLoc();
  SmallVector<OpFoldResult> sizes = getLoopSizes(builder, op);
  Contraction contraction{op, Axis(builder, loc, sizes, dims->batch),
                          Axis(builder, loc, sizes, dims->m),
                          Axis(builder, loc, sizes, dims->n),
                          Axis(builder, loc, sizes, dims->k)};
  Value rowTiles = buildCeilDiv(builder, loc, contraction.row.size, kTile);
  Value columnTiles =
      buildCeilDiv(builder, loc, contraction.column.size, kTile);
  SmallVector<OpFoldResult> tiles{contraction.batch.size, rowTiles,
                                  columnTiles};

  auto getTileType = [&](OpOperand *operand) {
    Attribute space = gpu::AddressSpaceAttr::get(builder.getContext(),
                                                 gpu::AddressSpace::Workgroup);
    return MemRefType::get({kDepth, kStride},
                           getElementTypeOrSelf(operand->get().getType()),
                           MemRefLayoutAttrInterface(), space);
  };
  SmallVector<Type> sharedTypes{getTileType(op.getDpsInputOperand(0)),
                                getTileType(op.getDpsInputOperand(1))};
  buildLaunch(
      builder, loc, "matmul", buildProduct(builder, loc, tiles), {kSide, kSide},
      sharedTypes, [&](OpBuilder &builder, gpu::LaunchOp launch) {
        SmallVector<Value> tile =
            buildDelinearize(builder, loc, launch.getBlockIds().x, tiles);
        Place place;
        place.x = launch.getThreadIds().x;
        place.y = launch.getThreadIds().y;
        place.thread = buildMulAdd(builder, loc, place.y, kSide, place.x);
        place.ivs.resize(sizes.size());
        Value tileSize = buildIndex(builder, loc, kTile);
        contraction.batch.setPosition(builder, loc, tile[0], place.ivs);
        place.firstRow = arith::MulIOp::create(builder, loc, tile[1], tileSize);
        place.firstColumn =
            arith::MulIOp::create(builder, loc, tile[2], tileSize);
        SmallVector<Value> sums =
            buildSum(builder, contraction, launch.getWorkgroupAttributions()[0],
                     launch.getWorkgroupAttributions()[1], place);
        buildResult(builder, contraction, sums, place);
      });
  return success();
}
