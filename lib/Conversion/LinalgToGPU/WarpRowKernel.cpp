//===- WarpRowKernel.cpp - products of one warp a row ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A warp computes one row of the weight against a few tokens. Its lanes take
// units of 32 weights in turn. The warps of a block have the same tokens, and
// rows of their own: what 32 units need of the inputs, one unit a lane, is
// copied to shared memory first. There units are four floats further apart than
// they are long, so that lanes which read four floats each are in different
// banks.

#include "WarpRowKernel.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lowbit;

/// The distance of two units' inputs in shared memory.
static constexpr int64_t kUnitStride = kUnit + kVector;

WarpRowLane::WarpRowLane(OpBuilder &builder, gpu::LaunchOp launch,
                         const WarpRowProduct &product, int64_t tokens)
    : ImplicitLocOpBuilder(launch.getLoc(), builder), launch(launch),
      product(product), tokens(tokens),
      decoder(builder, launch, product.weight, product.components) {
  lane = launch.getThreadIds().x;
  thread =
      buildMulAdd(*this, getLoc(), launch.getThreadIds().y, kWarpSize, lane);
  if (product.getUnits())
    shared = launch.getWorkgroupAttributions()[0];
}

MemRefType WarpRowLane::getSharedInputsType(MLIRContext *context,
                                            int64_t tokens) {
  return MemRefType::get(
      {tokens, kWarpSize, kUnitStride}, Float32Type::get(context),
      MemRefLayoutAttrInterface(),
      gpu::AddressSpaceAttr::get(context, gpu::AddressSpace::Workgroup));
}

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

Value WarpRowLane::toF32(Value value) {
  if (value.getType().isF32())
    return value;
  return arith::ExtFOp::create(*this, getF32Type(), value);
}

Value WarpRowLane::mulAdd(Value left, Value right, Value sum) {
  auto fast = arith::FastMathFlags::contract;
  Value product = arith::MulFOp::create(*this, left, right, fast);
  return arith::AddFOp::create(*this, product, sum, fast);
}

Value WarpRowLane::loadInput(Value token, Value position) {
  return toF32(memref::LoadOp::create(*this, product.input,
                                      ValueRange{token, position}));
}

Value WarpRowLane::loadVector(Value memref, ArrayRef<Value> indices) {
  auto load = vector::LoadOp::create(
      *this, VectorType::get(kVector, getF32Type()), memref, indices);
  load->setAttr("alignment", getI64IntegerAttr(4 * kVector));
  return load;
}

void WarpRowLane::addVector(ArrayRef<Value> weights, Value first,
                            MutableArrayRef<Value> sums) {
  for (int64_t token = 0; token < tokens; ++token) {
    Value inputs = loadVector(shared, {index(token), lane, first});
    for (int64_t i = 0; i < kVector; ++i)
      sums[token] = mulAdd(
          weights[i], vector::ExtractOp::create(*this, inputs, i), sums[token]);
  }
}

SmallVector<Value> WarpRowLane::loop(Value first, Value end, int64_t step,
                                     ValueRange initial, LoopBody body) {
  auto loop = scf::ForOp::create(*this, first, end, index(step), initial);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  SmallVector<Value> results =
      body(loop.getInductionVar(), loop.getRegionIterArgs());
  scf::YieldOp::create(*this, results);
  return llvm::to_vector_of<Value>(loop.getResults());
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// Copies the inputs of 32 units to shared memory, by all threads of the block.
void WarpRowLane::stageInputs(Value firstUnit) {
  // Nobody overwrites what somebody still reads.
  gpu::BarrierOp::create(*this);
  int64_t step = product.hasAlignedInput() ? kVector : 1;
  Value first = arith::MulIOp::create(*this, firstUnit, index(kUnit));
  Value end = index(product.getUnits() * kUnit);
  for (int64_t done = 0; done < kWarpSize * kUnit; done += step * kThreads) {
    Value place = buildMulAdd(*this, getLoc(), thread, step, index(done));
    Value position = arith::AddIOp::create(*this, first, place);
    auto inside =
        scf::IfOp::create(*this, buildLess(*this, getLoc(), position, end),
                          /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(*this);
    setInsertionPointToStart(inside.thenBlock());
    Value unit = arith::DivUIOp::create(*this, place, index(kUnit));
    Value inUnit = arith::RemUIOp::create(*this, place, index(kUnit));
    for (int64_t token = 0; token < tokens; ++token) {
      SmallVector<Value> to{index(token), unit, inUnit};
      if (step == 1) {
        memref::StoreOp::create(*this, loadInput(tokenIndices[token], position),
                                shared, to);
        continue;
      }
      Value inputs = loadVector(product.input, {tokenIndices[token], position});
      auto store = vector::StoreOp::create(*this, inputs, shared, to);
      store->setAttr("alignment", getI64IntegerAttr(4 * kVector));
    }
  }
  gpu::BarrierOp::create(*this);
}

/// Adds the products of all units: in each round a lane has one, or none in the
/// last.
SmallVector<Value> WarpRowLane::addUnits(ValueRange sums) {
  Value units = index(product.getUnits());
  return loop(index(0), units, kWarpSize, sums,
              [&](Value firstUnit, ValueRange sums) {
                stageInputs(firstUnit);
                Value unit = arith::AddIOp::create(*this, firstUnit, lane);
                auto hasUnit =
                    scf::IfOp::create(*this, sums.getTypes(),
                                      buildLess(*this, getLoc(), unit, units),
                                      /*withElseRegion=*/true);
                OpBuilder::InsertionGuard guard(*this);
                setInsertionPointToStart(hasUnit.thenBlock());
                scf::YieldOp::create(*this, addUnit(unit, sums));
                setInsertionPointToStart(hasUnit.elseBlock());
                scf::YieldOp::create(*this, sums);
                return llvm::to_vector_of<Value>(hasUnit.getResults());
              });
}

SmallVector<Value> WarpRowLane::addElement(Value position, ValueRange sums) {
  Value weight = decode(position);
  SmallVector<Value> results;
  for (int64_t token = 0; token < tokens; ++token)
    results.push_back(
        mulAdd(weight, loadInput(tokenIndices[token], position), sums[token]));
  return results;
}

/// Adds up the lanes' sums; the first lane stores them, if the row is one.
void WarpRowLane::store(ArrayRef<Value> sums, Value isRow, Value tile,
                        Value tokenCount) {
  SmallVector<Value> totals(sums);
  for (int64_t distance = kWarpSize / 2; distance; distance /= 2)
    for (Value &total : totals) {
      auto other = gpu::ShuffleOp::create(*this, total, distance, kWarpSize,
                                          gpu::ShuffleMode::XOR);
      total = arith::AddFOp::create(*this, total, other.getShuffleResult());
    }
  Type type = cast<MemRefType>(product.result.getType()).getElementType();
  Value isFirst =
      arith::CmpIOp::create(*this, arith::CmpIPredicate::eq, lane, index(0));
  isFirst = arith::AndIOp::create(*this, isFirst, isRow);
  Value firstToken = arith::MulIOp::create(*this, tile, index(tokens));
  for (int64_t token = 0; token < tokens; ++token) {
    Value position = arith::AddIOp::create(*this, firstToken, index(token));
    Value isToken = arith::CmpIOp::create(*this, arith::CmpIPredicate::slt,
                                          position, tokenCount);
    Value writes = arith::AndIOp::create(*this, isFirst, isToken);
    auto branch = scf::IfOp::create(*this, writes, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(*this);
    setInsertionPointToStart(branch.thenBlock());
    Value total = totals[token];
    if (product.bias)
      total = arith::AddFOp::create(
          *this, total,
          toF32(memref::LoadOp::create(*this, product.bias, row)));
    if (!type.isF32())
      total = arith::TruncFOp::create(*this, type, total);
    memref::StoreOp::create(*this, total, product.result,
                            ValueRange{position, row});
  }
}

void WarpRowLane::build(Value firstRow, Value tile, Value tokenCount) {
  // Warps beyond the last row compute it once more: they take part in copying.
  row = arith::AddIOp::create(*this, firstRow, launch.getThreadIds().y);
  Value isRow = buildLess(*this, getLoc(), row, index(product.rows));
  row = arith::MinUIOp::create(*this, row, index(product.rows - 1));
  Value firstToken = arith::MulIOp::create(*this, tile, index(tokens));
  Value last = arith::SubIOp::create(*this, tokenCount, index(1));
  for (int64_t token = 0; token < tokens; ++token) {
    Value position = arith::AddIOp::create(*this, firstToken, index(token));
    tokenIndices.push_back(arith::MinUIOp::create(*this, position, last));
  }
  SmallVector<Value> sums(tokens, f32(0));
  int64_t inUnits = product.getUnits() * kUnit;
  if (inUnits) {
    prepare();
    sums = addUnits(sums);
  }
  if (inUnits < product.depth) {
    Value first = arith::AddIOp::create(*this, lane, index(inUnits));
    sums = loop(first, index(product.depth), kWarpSize, sums,
                [&](Value position, ValueRange sums) {
                  return addElement(position, sums);
                });
  }
  store(sums, isRow, tile, tokenCount);
}
