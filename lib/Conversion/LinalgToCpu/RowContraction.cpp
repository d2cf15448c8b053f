//===- RowContraction.cpp - contractions with few rows --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A product with one row reads every element of the right operand once, so it
// runs at the speed of memory. Both forms read several sequential streams at
// once, which is what the hardware prefetches best.
//
// Neighbours along n: for each group of rows of the right operand
//   result[n..] += sum over r of lhs[k + r] * rhs[k + r, n..]
// Neighbours along k: for each group of columns
//   result[n + r] += sum over k.. of lhs[k..] * rhs[n + r, k..]
//
// Every product is fused with its sum, and the sums along k have a fixed number
// of lanes: the result does not depend on the width of the target's vectors.
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"
#include "LaneReduction.h"
#include "lowbit/Kernels/ParallelLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lowbit;

/// Rows of the right operand that are read side by side.
static constexpr int64_t rowStreams = 8;
/// Columns of one parallel piece of work.
static constexpr int64_t columnsPerJob = 256;

namespace {
class RowLoops : ContractionBuilder {
public:
  RowLoops(ImplicitLocOpBuilder &b, const Contraction &c,
           const VectorShape &shape)
      : ContractionBuilder(b, c, shape),
        columnLanes(VectorType::get({shape.lanes}, b.getF32Type())),
        sumLanes(VectorType::get({reductionLanes}, b.getF32Type())),
        columnStreams(
            std::max<int64_t>(2, rowStreams * shape.lanes / reductionLanes)) {}

  void build();

private:
  void buildJob(LoopIndices at, Value columnsEnd);
  /// Adds `rows` rows of the right operand, from `at`, to the result.
  void addRows(LoopIndices at, Value columnsEnd, int64_t rows);
  /// Adds the sums of `columns` columns to the result.
  void addColumns(LoopIndices at, int64_t columns);

  /// The last multiple of `step` from `from` on that is not beyond `to`.
  Value roundDown(Value from, Value to, int64_t step) {
    Value extent = b.createOrFold<arith::SubIOp>(to, from);
    Value rest = b.createOrFold<arith::RemUIOp>(extent, index(step));
    return b.createOrFold<arith::SubIOp>(to, rest);
  }
  Value load(const ContractionOperand &operand, const LoopIndices &at) {
    return memref::LoadOp::create(b, operand.buffer, getIndices(operand, at));
  }
  Value loadVector(VectorType type, const ContractionOperand &operand,
                   const LoopIndices &at) {
    return vector::LoadOp::create(b, type, operand.buffer,
                                  getIndices(operand, at));
  }
  /// x * y + z for scalars, rounded as vectors are.
  Value fuse(Value x, Value y, Value z) {
    auto toVector = [&](Value scalar) -> Value {
      return vector::BroadcastOp::create(
          b, VectorType::get({1}, scalar.getType()), scalar);
    };
    Value sum = vector::FMAOp::create(b, toVector(x), toVector(y), toVector(z));
    return vector::ExtractOp::create(b, sum, ArrayRef<int64_t>{0});
  }

  VectorType columnLanes, sumLanes;
  /// Columns of the right operand that are read side by side: as many as the
  /// registers hold sums for.
  int64_t columnStreams;
};
} // namespace

void RowLoops::addRows(LoopIndices at, Value columnsEnd, int64_t rows) {
  SmallVector<LoopIndices> rowsAt;
  SmallVector<Value> factors;
  for (int64_t row = 0; row < rows; ++row) {
    rowsAt.push_back(at);
    rowsAt.back()[c.k] = add(at[c.k], index(row));
    factors.push_back(load(c.lhs, rowsAt.back()));
  }
  Value wholeEnd = roundDown(at[c.n], columnsEnd, shape.lanes);
  loop(at[c.n], wholeEnd, shape.lanes, [&](Value column) {
    at[c.n] = column;
    Value sum = loadVector(columnLanes, c.result, at);
    for (auto [factor, rowAt] : llvm::zip_equal(factors, rowsAt)) {
      LoopIndices here = rowAt;
      here[c.n] = column;
      Value spread = vector::BroadcastOp::create(b, columnLanes, factor);
      sum = vector::FMAOp::create(b, spread,
                                  loadVector(columnLanes, c.rhs, here), sum);
    }
    vector::StoreOp::create(b, sum, c.result.buffer, getIndices(c.result, at));
  });
  loop(wholeEnd, columnsEnd, 1, [&](Value column) {
    at[c.n] = column;
    Value sum = load(c.result, at);
    for (auto [factor, rowAt] : llvm::zip_equal(factors, rowsAt)) {
      LoopIndices here = rowAt;
      here[c.n] = column;
      sum = fuse(factor, load(c.rhs, here), sum);
    }
    memref::StoreOp::create(b, sum, c.result.buffer, getIndices(c.result, at));
  });
}

void RowLoops::addColumns(LoopIndices at, int64_t columns) {
  SmallVector<LoopIndices> columnsAt;
  for (int64_t column = 0; column < columns; ++column) {
    columnsAt.push_back(at);
    columnsAt.back()[c.n] = add(at[c.n], index(column));
  }
  Value end = c.sizes[c.k];
  Value wholeEnd = roundDown(index(0), end, reductionLanes);
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(sumLanes));
  auto addVectors = [&](OpBuilder &nested, Location loc, Value step,
                        ValueRange sums) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(nested.getInsertionBlock(), nested.getInsertionPoint());
    SmallVector<Value> updated;
    at[c.k] = step;
    Value left = loadVector(sumLanes, c.lhs, at);
    for (auto [sum, columnAt] : llvm::zip_equal(sums, columnsAt)) {
      LoopIndices here = columnAt;
      here[c.k] = step;
      Value right = loadVector(sumLanes, c.rhs, here);
      updated.push_back(vector::FMAOp::create(b, left, right, sum));
    }
    scf::YieldOp::create(b, updated);
  };
  auto vectors =
      scf::ForOp::create(b, index(0), wholeEnd, index(reductionLanes),
                         SmallVector<Value>(columns, zero), addVectors);
  SmallVector<Value> sums;
  for (auto [partial, columnAt] :
       llvm::zip_equal(vectors.getResults(), columnsAt))
    sums.push_back(combineLanes(b, vector::CombiningKind::ADD, partial,
                                load(c.result, columnAt)));
  auto addScalars = [&](OpBuilder &nested, Location loc, Value step,
                        ValueRange sums) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(nested.getInsertionBlock(), nested.getInsertionPoint());
    SmallVector<Value> updated;
    for (auto [sum, columnAt] : llvm::zip_equal(sums, columnsAt)) {
      LoopIndices here = columnAt;
      here[c.k] = step;
      updated.push_back(fuse(load(c.lhs, here), load(c.rhs, here), sum));
    }
    scf::YieldOp::create(b, updated);
  };
  auto rest = scf::ForOp::create(b, wholeEnd, end, index(1), sums, addScalars);
  for (auto [sum, columnAt] : llvm::zip_equal(rest.getResults(), columnsAt))
    memref::StoreOp::create(b, sum, c.result.buffer,
                            getIndices(c.result, columnAt));
}

void RowLoops::buildJob(LoopIndices at, Value columnsEnd) {
  if (c.rhs.isContiguousIn(c.n)) {
    Value end = c.sizes[c.k];
    Value wholeEnd = roundDown(index(0), end, rowStreams);
    loop(index(0), wholeEnd, rowStreams, [&](Value step) {
      at[c.k] = step;
      addRows(at, columnsEnd, rowStreams);
    });
    loop(wholeEnd, end, 1, [&](Value step) {
      at[c.k] = step;
      addRows(at, columnsEnd, 1);
    });
    return;
  }
  Value first = at[c.n];
  Value wholeEnd = roundDown(first, columnsEnd, columnStreams);
  at[c.k] = index(0);
  loop(first, wholeEnd, columnStreams, [&](Value column) {
    at[c.n] = column;
    addColumns(at, columnStreams);
  });
  loop(wholeEnd, columnsEnd, 1, [&](Value column) {
    at[c.n] = column;
    addColumns(at, 1);
  });
}

void RowLoops::build() {
  SmallVector<unsigned> dims = c.outer;
  dims.append(c.otherRows.begin(), c.otherRows.end());
  dims.push_back(c.m);
  LoopNest nest{c.getSizes(dims), SmallVector<int64_t>(dims.size(), 1)};
  nest.upperBounds.push_back(c.sizes[c.n]);
  nest.steps.push_back(columnsPerJob);
  buildParallelNest(
      b, nest, buildProduct(b, c.sizes), shape.parallel, [&](ValueRange ivs) {
        LoopIndices at(c.sizes.size());
        for (auto [dim, iv] : llvm::zip_equal(dims, ivs.drop_back()))
          at[dim] = iv;
        at[c.n] = ivs.back();
        Value end = add(ivs.back(), index(columnsPerJob));
        Value columnsEnd = b.createOrFold<arith::MinSIOp>(end, c.sizes[c.n]);
        buildLoopsOver(b, c, c.otherSums, at,
                       [&](ImplicitLocOpBuilder &sum, LoopIndices here) {
                         OpBuilder::InsertionGuard guard(b);
                         b.setInsertionPoint(sum.getInsertionBlock(),
                                             sum.getInsertionPoint());
                         buildJob(here, columnsEnd);
                       });
      });
}

bool lowbit::canBuildRowLoops(const Contraction &c) {
  return c.rhs.isContiguousIn(c.n) ||
         (c.rhs.isContiguousIn(c.k) && c.lhs.isContiguousIn(c.k));
}

void lowbit::buildRowLoops(ImplicitLocOpBuilder &b, const Contraction &c,
                           const VectorShape &shape) {
  RowLoops(b, c, shape).build();
}
