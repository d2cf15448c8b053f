//===- PackedContraction.cpp - contractions by register tiles -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// For each panel of `tileColumns` columns of the right operand:
//
//   for k0 in 0..K step depth:
//     pack rhs[k0.., panel] into a contiguous buffer, zeros beyond the edge
//     for m in rows step tileRows:
//       tile[r] = result[m + r, panel]
//       for k: tile[r] += lhs[m + r, k] * packed[k]     (one FMA a register)
//       result[m + r, panel] = tile[r]
//
// The packed block stays in the second-level cache while all rows pass by.
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"
#include "lowbit/Kernels/ParallelLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lowbit;

/// Rows of a tile: with 4 registers a row of 32 (or 2 of 16), 24 (12) sums keep
/// the FMA units busy and leave room for the operands.
static constexpr int64_t tileRows = 6;
/// Rows of a packed block of the right operand: 64 columns take 64 KiB.
static constexpr int64_t maxDepth = 256;
/// Rows of one parallel piece of work; a multiple of the tile's.
static constexpr int64_t rowsPerJob = 192;

namespace {
class PackedLoops : ContractionBuilder {
public:
  PackedLoops(ImplicitLocOpBuilder &b, const Contraction &c,
              const VectorShape &shape)
      : ContractionBuilder(b, c, shape),
        rowType(VectorType::get({shape.tileColumns}, b.getF32Type())) {
    int64_t columns = c.getStaticSize(c.n);
    alwaysWhole =
        !ShapedType::isDynamic(columns) && columns % shape.tileColumns == 0;
    int64_t sum = c.getStaticSize(c.k);
    depth = ShapedType::isDynamic(sum) ? maxDepth : std::min(sum, maxDepth);
  }

  void build();

private:
  void buildJob(LoopIndices at);
  void buildBlock(LoopIndices at);
  void buildRows(LoopIndices at);
  void pack(LoopIndices at);
  void packColumns(LoopIndices at);
  void buildTile(LoopIndices at, int64_t rows);
  Value loadResult(LoopIndices at);
  void storeResult(Value row, LoopIndices at);
  /// Copies the columns of a partial panel, one by one, from or to `edge`.
  void copyEdge(LoopIndices at, bool toResult);

  Value zeroRow() {
    return arith::ConstantOp::create(b, b.getZeroAttr(rowType));
  }

  VectorType rowType;
  bool alwaysWhole;
  int64_t depth;
  /// Of the job being built: the packed block, one row's worth of partial
  /// panel, the number of columns of the panel, whether that is all of them,
  /// the bounds of the rows, and the number of rows of the block.
  Value packed, edge, columns, isWhole, rowsEnd, wholeTilesEnd, blockDepth;
};
} // namespace

void PackedLoops::copyEdge(LoopIndices at, bool toResult) {
  Value first = at[c.n];
  loop(index(0), columns, 1, [&](Value column) {
    at[c.n] = add(first, column);
    SmallVector<Value> indices = getIndices(c.result, at);
    if (toResult) {
      Value value = memref::LoadOp::create(b, edge, column);
      memref::StoreOp::create(b, value, c.result.buffer, indices);
    } else {
      Value value = memref::LoadOp::create(b, c.result.buffer, indices);
      memref::StoreOp::create(b, value, edge, column);
    }
  });
}

Value PackedLoops::loadResult(LoopIndices at) {
  auto loadWhole = [&]() -> Value {
    return vector::LoadOp::create(b, rowType, c.result.buffer,
                                  getIndices(c.result, at));
  };
  if (alwaysWhole)
    return loadWhole();
  auto choice = scf::IfOp::create(b, rowType, isWhole, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  scf::YieldOp::create(b, loadWhole());
  b.setInsertionPointToStart(choice.elseBlock());
  copyEdge(at, /*toResult=*/false);
  Value row = vector::LoadOp::create(b, rowType, edge, index(0));
  scf::YieldOp::create(b, row);
  return choice.getResult(0);
}

void PackedLoops::storeResult(Value row, LoopIndices at) {
  auto storeWhole = [&] {
    vector::StoreOp::create(b, row, c.result.buffer, getIndices(c.result, at));
  };
  if (alwaysWhole)
    return storeWhole();
  auto choice = scf::IfOp::create(b, isWhole, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  storeWhole();
  b.setInsertionPointToStart(choice.elseBlock());
  vector::StoreOp::create(b, row, edge, index(0));
  copyEdge(at, /*toResult=*/true);
}

void PackedLoops::buildTile(LoopIndices at, int64_t rows) {
  SmallVector<LoopIndices> rowsAt;
  SmallVector<Value> tile;
  for (int64_t row = 0; row < rows; ++row) {
    rowsAt.push_back(at);
    rowsAt.back()[c.m] = add(at[c.m], index(row));
    tile.push_back(loadResult(rowsAt.back()));
  }
  auto body = [&](OpBuilder &nested, Location loc, Value step,
                  ValueRange sums) {
    ImplicitLocOpBuilder inner(loc, nested);
    Value right = vector::LoadOp::create(
        inner, rowType, packed,
        ValueRange{step, arith::ConstantIndexOp::create(inner, 0)});
    Value at = inner.createOrFold<arith::AddIOp>(rowsAt.front()[c.k], step);
    SmallVector<Value> updated;
    for (auto [sum, rowAt] : llvm::zip_equal(sums, rowsAt)) {
      LoopIndices here = rowAt;
      here[c.k] = at;
      Value left =
          memref::LoadOp::create(inner, c.lhs.buffer, getIndices(c.lhs, here));
      Value spread = vector::BroadcastOp::create(inner, rowType, left);
      updated.push_back(vector::FMAOp::create(inner, spread, right, sum));
    }
    scf::YieldOp::create(inner, updated);
  };
  auto sum = scf::ForOp::create(b, index(0), blockDepth, index(1), tile, body);
  for (auto [row, rowAt] : llvm::zip_equal(sum.getResults(), rowsAt))
    storeResult(row, rowAt);
}

/// Copies panels whose columns lie apart, column by column, which reads along
/// the common dimension if that is contiguous.
void PackedLoops::packColumns(LoopIndices at) {
  if (!alwaysWhole)
    loop(index(0), blockDepth, 1, [&](Value step) {
      vector::StoreOp::create(b, zeroRow(), packed, ValueRange{step, index(0)});
    });
  Value first = at[c.k], panel = at[c.n];
  loop(index(0), columns, 1, [&](Value column) {
    loop(index(0), blockDepth, 1, [&](Value step) {
      LoopIndices here = at;
      here[c.k] = add(first, step);
      here[c.n] = add(panel, column);
      Value value =
          memref::LoadOp::create(b, c.rhs.buffer, getIndices(c.rhs, here));
      memref::StoreOp::create(b, value, packed, ValueRange{step, column});
    });
  });
}

void PackedLoops::pack(LoopIndices at) {
  if (!c.rhs.isContiguousIn(c.n))
    return packColumns(at);
  auto packWhole = [&] {
    loop(index(0), blockDepth, 1, [&](Value step) {
      LoopIndices here = at;
      here[c.k] = add(at[c.k], step);
      Value row = vector::LoadOp::create(b, rowType, c.rhs.buffer,
                                         getIndices(c.rhs, here));
      vector::StoreOp::create(b, row, packed, ValueRange{step, index(0)});
    });
  };
  if (alwaysWhole)
    return packWhole();
  auto choice = scf::IfOp::create(b, isWhole, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  packWhole();
  b.setInsertionPointToStart(choice.elseBlock());
  packColumns(at);
}

void PackedLoops::buildRows(LoopIndices at) {
  Value first = at[c.m];
  loop(first, wholeTilesEnd, tileRows, [&](Value row) {
    at[c.m] = row;
    buildTile(at, tileRows);
  });
  loop(wholeTilesEnd, rowsEnd, 1, [&](Value row) {
    at[c.m] = row;
    buildTile(at, 1);
  });
}

void PackedLoops::buildBlock(LoopIndices at) {
  blockDepth = min(sub(c.sizes[c.k], at[c.k]), index(depth));
  pack(at);
  buildLoopsOver(b, c, c.otherRows, at,
                 [&](ImplicitLocOpBuilder &inner, LoopIndices here) {
                   OpBuilder::InsertionGuard guard(b);
                   b.setInsertionPoint(inner.getInsertionBlock(),
                                       inner.getInsertionPoint());
                   buildRows(here);
                 });
}

void PackedLoops::buildJob(LoopIndices at) {
  packed = memref::AllocaOp::create(
      b, MemRefType::get({depth, shape.tileColumns}, b.getF32Type()),
      b.getI64IntegerAttr(64));
  columns = min(sub(c.sizes[c.n], at[c.n]), index(shape.tileColumns));
  if (!alwaysWhole) {
    edge = memref::AllocaOp::create(
        b, MemRefType::get({shape.tileColumns}, b.getF32Type()),
        b.getI64IntegerAttr(64));
    // Lanes beyond the edge are computed and dropped; they must not be garbage
    // that is slow to compute with.
    vector::StoreOp::create(b, zeroRow(), edge, index(0));
    isWhole = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, columns,
                                    index(shape.tileColumns));
  }
  rowsEnd = min(add(at[c.m], index(rowsPerJob)), c.sizes[c.m]);
  Value rows = sub(rowsEnd, at[c.m]);
  Value rest = b.createOrFold<arith::RemUIOp>(rows, index(tileRows));
  wholeTilesEnd = sub(rowsEnd, rest);
  buildLoopsOver(b, c, c.otherSums, at,
                 [&](ImplicitLocOpBuilder &inner, LoopIndices at) {
                   OpBuilder::InsertionGuard guard(b);
                   b.setInsertionPoint(inner.getInsertionBlock(),
                                       inner.getInsertionPoint());
                   loop(index(0), c.sizes[c.k], depth, [&](Value start) {
                     at[c.k] = start;
                     buildBlock(at);
                   });
                 });
}

void PackedLoops::build() {
  LoopNest nest{c.getSizes(c.outer), SmallVector<int64_t>(c.outer.size(), 1)};
  nest.upperBounds.append({c.sizes[c.m], c.sizes[c.n]});
  nest.steps.append({rowsPerJob, shape.tileColumns});
  Value work = buildProduct(b, c.sizes);
  buildParallelNest(b, nest, work, shape.parallel, [&](ValueRange ivs) {
    LoopIndices at(c.sizes.size());
    for (auto [dim, iv] : llvm::zip(c.outer, ivs.drop_back(2)))
      at[dim] = iv;
    at[c.m] = ivs[ivs.size() - 2];
    at[c.n] = ivs.back();
    buildJob(at);
  });
}

void lowbit::buildPackedLoops(ImplicitLocOpBuilder &b, const Contraction &c,
                              const VectorShape &shape) {
  PackedLoops(b, c, shape).build();
}
