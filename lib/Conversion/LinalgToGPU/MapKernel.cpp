//===- MapKernel.cpp - one thread for each result -------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The general case: a thread owns one point of the parallel iteration space and
// runs the reduction loops, if any, by itself. Neighbouring threads lie along
// the last parallel loop, which is the contiguous one of most results.

#include "KernelUtils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace lowbit;

static constexpr int64_t kThreads = 256;

/// Builds the reduction loops from `depth` on around the body. The accumulators
/// stay in registers from loop to loop.
static SmallVector<Value>
buildReductionLoops(OpBuilder &builder, linalg::LinalgOp op,
                    ArrayRef<OpFoldResult> sizes, ArrayRef<unsigned> loops,
                    MutableArrayRef<Value> ivs, ValueRange accumulators) {
  Location loc = op.getLoc();
  if (loops.empty()) {
    SmallVector<Value> scalars;
    for (OpOperand *input : op.getDpsInputOperands())
      scalars.push_back(buildOperandLoad(builder, op, *input, ivs));
    llvm::append_range(scalars, accumulators);
    return buildScalarBody(builder, op, ivs, scalars);
  }
  Value size = getValueOrCreateConstantIndexOp(builder, loc, sizes[loops[0]]);
  auto loop =
      scf::ForOp::create(builder, loc, buildIndex(builder, loc, 0), size,
                         buildIndex(builder, loc, 1), accumulators);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  ivs[loops[0]] = loop.getInductionVar();
  SmallVector<Value> results = buildReductionLoops(
      builder, op, sizes, loops.drop_front(), ivs, loop.getRegionIterArgs());
  builder.setInsertionPointToEnd(loop.getBody());
  scf::YieldOp::create(builder, loc, results);
  return llvm::to_vector_of<Value>(loop.getResults());
}

static void buildThread(OpBuilder &builder, linalg::LinalgOp op,
                        ArrayRef<OpFoldResult> sizes, Value position) {
  SmallVector<unsigned> parallel = getLoops(op, utils::IteratorType::parallel);
  SmallVector<unsigned> reduction =
      getLoops(op, utils::IteratorType::reduction);
  SmallVector<Value> ivs(sizes.size());
  scatter(ivs, parallel,
          buildDelinearize(builder, op.getLoc(), position,
                           gather(sizes, parallel)));

  // An output whose old value the body ignores need not be read, and often
  // holds nothing yet.
  SmallVector<Value> accumulators;
  for (OpOperand &output : op.getDpsInitsMutable()) {
    if (reduction.empty() && !op.payloadUsesValueFromOperand(&output)) {
      Type type = getElementTypeOrSelf(output.get().getType());
      accumulators.push_back(arith::ConstantOp::create(
          builder, op.getLoc(), builder.getZeroAttr(type)));
      continue;
    }
    accumulators.push_back(buildOperandLoad(builder, op, output, ivs));
  }
  SmallVector<Value> results =
      buildReductionLoops(builder, op, sizes, reduction, ivs, accumulators);
  for (auto [output, result] :
       llvm::zip_equal(op.getDpsInitsMutable(), results))
    memref::StoreOp::create(builder, op.getLoc(), result, output.get(),
                            buildCoordinates(builder, op, output, ivs));
}

void lowbit::buildMapKernel(OpBuilder &builder, linalg::LinalgOp op) {
  Location loc = op.getLoc();
  SmallVector<OpFoldResult> sizes = getLoopSizes(builder, op);
  Value count = buildProduct(
      builder, loc,
      gather(ArrayRef(sizes), getLoops(op, utils::IteratorType::parallel)));
  Value blocks = buildCeilDiv(builder, loc, count, kThreads);
  StringRef name = op.getNumReductionLoops() ? "reduce" : "map";
  buildLaunch(builder, loc, name, blocks, {kThreads, 1}, {},
              [&](OpBuilder &builder, gpu::LaunchOp launch) {
                Value position =
                    buildMulAdd(builder, loc, launch.getBlockIds().x, kThreads,
                                launch.getThreadIds().x);
                auto inside = scf::IfOp::create(
                    builder, loc, buildLess(builder, loc, position, count),
                    /*withElseRegion=*/false);
                OpBuilder inner = inside.getThenBodyBuilder();
                buildThread(inner, op, sizes, position);
              });
}

void lowbit::buildCopyKernel(OpBuilder &builder, Location loc, Value source,
                             Value target) {
  auto type = cast<MemRefType>(source.getType());
  AffineMap identity = builder.getMultiDimIdentityMap(type.getRank());
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  auto copy = linalg::GenericOp::create(
      builder, loc, TypeRange(), source, target, ArrayRef{identity, identity},
      iterators, [](OpBuilder &builder, Location loc, ValueRange scalars) {
        linalg::YieldOp::create(builder, loc, scalars[0]);
      });
  buildMapKernel(builder, copy);
  copy.erase();
}
