//===- WarpReductionKernel.cpp - one warp for each result -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Row reductions (norms, softmax, arg-free maxima): the lanes of a warp read
// neighbouring elements of a row, each keeps a partial result that starts at
// the combiner's neutral element, and five butterfly exchanges combine them.
// All lanes then hold the same value, in an order of combination that depends
// on the row's length alone.

#include "KernelUtils.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace lowbit;

static constexpr int64_t kWarps = 8;

/// The single operation that joins an output's old value with a new one.
static Operation *getCombiner(linalg::LinalgOp op, unsigned output) {
  SmallVector<Operation *, 4> combiners;
  if (!matchReduction(op.getRegionOutputArgs(), output, combiners) ||
      combiners.size() != 1 || combiners[0]->getNumResults() != 1)
    return nullptr;
  return combiners[0];
}

/// The value of `accumulator` after all lanes have exchanged theirs.
static Value buildButterfly(OpBuilder &builder, Location loc,
                            Operation *combiner, Value accumulator) {
  for (int64_t distance = kWarpSize / 2; distance; distance /= 2) {
    auto shuffle = gpu::ShuffleOp::create(builder, loc, accumulator, distance,
                                          kWarpSize, gpu::ShuffleMode::XOR);
    // Lane l and lane l ^ distance must add the same two numbers in the same
    // order only up to commutation, which all combiners with a neutral element
    // satisfy exactly.
    IRMapping mapping;
    mapping.map(combiner->getOperand(0), accumulator);
    mapping.map(combiner->getOperand(1), shuffle.getShuffleResult());
    accumulator = builder.clone(*combiner, mapping)->getResult(0);
  }
  return accumulator;
}

static void buildWarp(OpBuilder &builder, linalg::LinalgOp op,
                      ArrayRef<OpFoldResult> sizes,
                      ArrayRef<Operation *> combiners, Value position,
                      Value lane) {
  Location loc = op.getLoc();
  SmallVector<unsigned> parallel = getLoops(op, utils::IteratorType::parallel);
  SmallVector<unsigned> reduction =
      getLoops(op, utils::IteratorType::reduction);
  SmallVector<OpFoldResult> reductionSizes = gather(sizes, reduction);
  SmallVector<Value> ivs(sizes.size());
  scatter(ivs, parallel,
          buildDelinearize(builder, loc, position, gather(sizes, parallel)));

  SmallVector<Value> neutral;
  for (Operation *combiner : combiners)
    neutral.push_back(arith::ConstantOp::create(
        builder, loc, *arith::getNeutralElement(combiner)));
  Value count = buildProduct(builder, loc, reductionSizes);
  auto loop = scf::ForOp::create(builder, loc, lane, count,
                                 buildIndex(builder, loc, kWarpSize), neutral);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    scatter(
        ivs, reduction,
        buildDelinearize(builder, loc, loop.getInductionVar(), reductionSizes));
    SmallVector<Value> scalars;
    for (OpOperand *input : op.getDpsInputOperands())
      scalars.push_back(buildOperandLoad(builder, op, *input, ivs));
    llvm::append_range(scalars, loop.getRegionIterArgs());
    SmallVector<Value> results = buildScalarBody(builder, op, ivs, scalars);
    scf::YieldOp::create(builder, loc, results);
  }

  SmallVector<Value> totals;
  for (auto [combiner, partial] : llvm::zip_equal(combiners, loop.getResults()))
    totals.push_back(buildButterfly(builder, loc, combiner, partial));

  Value first = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                      lane, buildIndex(builder, loc, 0));
  auto store = scf::IfOp::create(builder, loc, first, /*withElseRegion=*/false);
  OpBuilder inner = store.getThenBodyBuilder();
  for (auto [output, combiner, total] :
       llvm::zip_equal(op.getDpsInitsMutable(), combiners, totals)) {
    SmallVector<Value> coordinates = buildCoordinates(inner, op, output, ivs);
    Value initial =
        memref::LoadOp::create(inner, loc, output.get(), coordinates);
    IRMapping mapping;
    mapping.map(combiner->getOperand(0), initial);
    mapping.map(combiner->getOperand(1), total);
    Value result = inner.clone(*combiner, mapping)->getResult(0);
    memref::StoreOp::create(inner, loc, result, output.get(), coordinates);
  }
}

LogicalResult lowbit::buildWarpReductionKernel(OpBuilder &builder,
                                               linalg::LinalgOp op) {
  SmallVector<Operation *> combiners;
  for (unsigned output = 0; output < op.getNumDpsInits(); ++output) {
    Operation *combiner = getCombiner(op, output);
    // Shuffles move 32 and 64 bits; smaller values would have to be widened.
    if (!combiner || !arith::getNeutralElement(combiner) ||
        combiner->getNumOperands() != 2 ||
        combiner->getOperand(0) == combiner->getOperand(1) ||
        !combiner->getResult(0).getType().isIntOrFloat() ||
        combiner->getResult(0).getType().getIntOrFloatBitWidth() < 32)
      return failure();
    combiners.push_back(combiner);
  }
  Location loc = op.getLoc();
  SmallVector<OpFoldResult> sizes = getLoopSizes(builder, op);
  Value count = buildProduct(
      builder, loc,
      gather(ArrayRef(sizes), getLoops(op, utils::IteratorType::parallel)));
  Value blocks = buildCeilDiv(builder, loc, count, kWarps);
  buildLaunch(builder, loc, "warp_reduce", blocks, {kWarpSize, kWarps}, {},
              [&](OpBuilder &builder, gpu::LaunchOp launch) {
                Value position =
                    buildMulAdd(builder, loc, launch.getBlockIds().x, kWarps,
                                launch.getThreadIds().y);
                // The condition is the same for all lanes of a warp, so that
                // the exchanges inside find all of them.
                auto inside = scf::IfOp::create(
                    builder, loc, buildLess(builder, loc, position, count),
                    /*withElseRegion=*/false);
                OpBuilder inner = inside.getThenBodyBuilder();
                buildWarp(inner, op, sizes, combiners, position,
                          launch.getThreadIds().x);
              });
  return success();
}
