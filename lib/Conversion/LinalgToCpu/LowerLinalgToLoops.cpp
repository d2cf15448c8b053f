//===- LowerLinalgToLoops.cpp - linalg on buffers to loops ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The loop vectorizer of LLVM takes an innermost loop whose accesses are
// contiguous; sums it may not reorder, so they come as vectors. This lowering
// arranges for that:
//
//   innermost dimension parallel:   parallel dims, reductions, that dimension
//   innermost dimension a reduction: parallel dims, reductions with
//                                    loop-carried accumulators in lanes
//
//===----------------------------------------------------------------------===//

#include "LaneReduction.h"
#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "lowbit/Kernels/ParallelLoops.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

namespace lowbit {
#define GEN_PASS_DEF_LOWERLINALGTOLOOPSPASS
#include "lowbit/Conversion/LinalgToCpu/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

/// Iterations of the innermost loop in one parallel piece of work.
static constexpr int64_t iterationsPerJob = 4096;

namespace {
class LoopEmitter {
public:
  LoopEmitter(ImplicitLocOpBuilder &b, linalg::LinalgOp op, bool parallel)
      : b(b), op(op), parallel(parallel) {}

  void emit();

private:
  void emitInner(ImplicitLocOpBuilder &b);
  void emitReductions(ImplicitLocOpBuilder &b, ArrayRef<unsigned> dims);
  struct CarriedRange {
    Value begin, end, step;
  };
  using CarriedBodyFn =
      function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, ValueRange)>;
  SmallVector<Value> emitCarriedLoop(ImplicitLocOpBuilder &b, unsigned dim,
                                     const CarriedRange &range, ValueRange init,
                                     CarriedBodyFn body);
  /// Carries `sums` through loops over `dims`: the accumulators in lanes, if
  /// there are any, before the scalar ones.
  SmallVector<Value> emitCarriedReductions(ImplicitLocOpBuilder &b,
                                           ArrayRef<unsigned> dims,
                                           ValueRange sums);
  SmallVector<Value> emitBody(ImplicitLocOpBuilder &b, ValueRange sums);
  SmallVector<Value> getIndices(ImplicitLocOpBuilder &b, OpOperand &operand) {
    return getOperandIndices(b, op, operand, at);
  }
  SmallVector<Value> loadResults(ImplicitLocOpBuilder &b);
  void storeResults(ImplicitLocOpBuilder &b, ValueRange values);
  Value zero(ImplicitLocOpBuilder &b) {
    return arith::ConstantIndexOp::create(b, 0);
  }
  Value one(ImplicitLocOpBuilder &b) {
    return arith::ConstantIndexOp::create(b, 1);
  }

  ImplicitLocOpBuilder &b;
  linalg::LinalgOp op;
  bool parallel;
  SmallVector<Value> sizes;
  /// The current index of each dimension, filled in as loops open.
  SmallVector<Value> at;
  /// Dimensions that need a loop, by kind; `inner` is a parallel one that runs
  /// inside of the reductions, from `innerStart` to `innerEnd`.
  SmallVector<unsigned> outer, reductions;
  /// The body along the innermost reduction, if that can run in lanes.
  std::optional<LaneReduction> lanes;
  std::optional<unsigned> inner;
  Value innerStart, innerEnd;
};
} // namespace

SmallVector<Value> LoopEmitter::loadResults(ImplicitLocOpBuilder &b) {
  SmallVector<Value> values;
  for (OpOperand &init : op.getDpsInitsMutable())
    values.push_back(
        memref::LoadOp::create(b, init.get(), getIndices(b, init)));
  return values;
}

void LoopEmitter::storeResults(ImplicitLocOpBuilder &b, ValueRange values) {
  for (auto [init, value] : llvm::zip_equal(op.getDpsInitsMutable(), values))
    memref::StoreOp::create(b, value, init.get(), getIndices(b, init));
}

/// Clones the body of the op. `sums` are the values of its accumulators; empty
/// if they are in memory, from where they are read if the body uses them.
SmallVector<Value> LoopEmitter::emitBody(ImplicitLocOpBuilder &b,
                                         ValueRange sums) {
  IRMapping mapping;
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (op.isScalar(&operand)) {
      mapping.map(argument, operand.get());
    } else if (op.isDpsInit(&operand) && !sums.empty()) {
      mapping.map(argument,
                  sums[operand.getOperandNumber() - op.getNumDpsInputs()]);
    } else if (!argument.use_empty()) {
      Value element =
          memref::LoadOp::create(b, operand.get(), getIndices(b, operand));
      mapping.map(argument, element);
    }
  }
  Block *body = op.getBlock();
  for (Operation &inner : body->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      mapping.map(index.getResult(), at[index.getDim()]);
      continue;
    }
    Operation *clone = b.clone(inner, mapping);
    // An index op may also stand in a nested region, of an scf.if for example.
    clone->walk([&](linalg::IndexOp index) {
      index.replaceAllUsesWith(at[index.getDim()]);
      index->erase();
    });
  }
  return llvm::map_to_vector(
      body->getTerminator()->getOperands(),
      [&](Value v) { return mapping.lookupOrDefault(v); });
}

SmallVector<Value> LoopEmitter::emitCarriedLoop(ImplicitLocOpBuilder &b,
                                                unsigned dim,
                                                const CarriedRange &range,
                                                ValueRange init,
                                                CarriedBodyFn body) {
  auto loop = scf::ForOp::create(
      b, range.begin, range.end, range.step, init,
      [&](OpBuilder &nested, Location loc, Value iv, ValueRange carried) {
        ImplicitLocOpBuilder inner(loc, nested);
        at[dim] = iv;
        scf::YieldOp::create(inner, body(inner, carried));
      });
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value> LoopEmitter::emitCarriedReductions(ImplicitLocOpBuilder &b,
                                                      ArrayRef<unsigned> dims,
                                                      ValueRange sums) {
  Value size = sizes[dims.front()];
  if (dims.size() > 1)
    return emitCarriedLoop(b, dims.front(), {zero(b), size, one(b)}, sums,
                           [&](ImplicitLocOpBuilder &inner, ValueRange sums) {
                             return emitCarriedReductions(
                                 inner, dims.drop_front(), sums);
                           });
  auto emitScalars = [&](ImplicitLocOpBuilder &inner, ValueRange sums) {
    return emitBody(inner, sums);
  };
  if (!lanes)
    return emitCarriedLoop(b, dims.front(), {zero(b), size, one(b)}, sums,
                           emitScalars);

  // Whole vectors first, then what is left one by one.
  unsigned results = op.getNumDpsInits();
  Value step = arith::ConstantIndexOp::create(b, reductionLanes);
  Value rest = b.createOrFold<arith::RemUIOp>(size, step);
  Value wholeEnd = b.createOrFold<arith::SubIOp>(size, rest);
  SmallVector<Value> updated = emitCarriedLoop(
      b, dims.front(), {zero(b), wholeEnd, step}, sums.take_front(results),
      [&](ImplicitLocOpBuilder &inner, ValueRange accumulators) {
        return lanes->buildStep(inner, at, accumulators);
      });
  updated.append(emitCarriedLoop(b, dims.front(), {wholeEnd, size, one(b)},
                                 sums.drop_front(results), emitScalars));
  return updated;
}

void LoopEmitter::emitReductions(ImplicitLocOpBuilder &b,
                                 ArrayRef<unsigned> dims) {
  SmallVector<Value> lowerBounds(dims.size(), zero(b)), upperBounds,
      steps(dims.size(), one(b));
  for (unsigned dim : dims)
    upperBounds.push_back(sizes[dim]);
  lowerBounds.push_back(innerStart);
  upperBounds.push_back(innerEnd);
  steps.push_back(one(b));
  scf::buildLoopNest(b, b.getLoc(), lowerBounds, upperBounds, steps,
                     [&](OpBuilder &nested, Location loc, ValueRange ivs) {
                       ImplicitLocOpBuilder innermost(loc, nested);
                       for (auto [dim, iv] : llvm::zip(dims, ivs))
                         at[dim] = iv;
                       at[*inner] = ivs.back();
                       storeResults(innermost, emitBody(innermost, {}));
                     });
}

void LoopEmitter::emitInner(ImplicitLocOpBuilder &b) {
  if (inner)
    return emitReductions(b, reductions);
  if (reductions.empty())
    return storeResults(b, emitBody(b, {}));
  SmallVector<Value> sums = loadResults(b);
  if (!lanes)
    return storeResults(b, emitCarriedReductions(b, reductions, sums));
  SmallVector<Value> carried = lanes->buildNeutral(b);
  carried.append(sums);
  carried = emitCarriedReductions(b, reductions, carried);
  ArrayRef<Value> all = carried;
  storeResults(b, lanes->combine(b, all.take_front(sums.size()),
                                 all.drop_front(sums.size())));
}

void LoopEmitter::emit() {
  for (Range range : op.createLoopRanges(b, b.getLoc()))
    sizes.push_back(getValueOrCreateConstantIndexOp(b, b.getLoc(), range.size));
  at.assign(sizes.size(), zero(b));
  SmallVector<int64_t> staticSizes = op.getStaticLoopRanges();
  for (auto [dim, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (staticSizes[dim] == 1)
      continue;
    (kind == utils::IteratorType::parallel ? outer : reductions).push_back(dim);
  }
  // The loop that should be vectorized.
  if (!outer.empty() &&
      (reductions.empty() || outer.back() > reductions.back()))
    inner = outer.pop_back_val();
  // Of few elements none would be in a whole vector.
  if (!inner && !reductions.empty() &&
      (ShapedType::isDynamic(staticSizes[reductions.back()]) ||
       staticSizes[reductions.back()] >= reductionLanes))
    lanes = LaneReduction::match(op, reductions.back());

  LoopNest nest;
  for (unsigned dim : outer) {
    nest.upperBounds.push_back(sizes[dim]);
    nest.steps.push_back(1);
  }
  if (inner) {
    nest.upperBounds.push_back(sizes[*inner]);
    nest.steps.push_back(iterationsPerJob);
  }
  buildParallelNest(
      b, nest, buildProduct(b, sizes), parallel, [&](ValueRange ivs) {
        for (auto [dim, iv] : llvm::zip(outer, ivs))
          at[dim] = iv;
        if (inner) {
          innerStart = ivs.back();
          Value end = b.createOrFold<arith::AddIOp>(
              innerStart, arith::ConstantIndexOp::create(b, iterationsPerJob));
          innerEnd = b.createOrFold<arith::MinSIOp>(end, sizes[*inner]);
        }
        emitInner(b);
      });
}

/// A copy that is no plain `memcpy` becomes a linalg op, so that it needs no
/// function of a runtime library.
static void generalizeCopies(ModuleOp module) {
  SmallVector<memref::CopyOp> copies;
  module.walk([&](memref::CopyOp copy) {
    auto isContiguous = [](Value buffer) {
      auto type = dyn_cast<MemRefType>(buffer.getType());
      return !type || type.getLayout().isIdentity();
    };
    if (!isContiguous(copy.getSource()) || !isContiguous(copy.getTarget()))
      copies.push_back(copy);
  });
  for (memref::CopyOp copy : copies) {
    OpBuilder b(copy);
    linalg::CopyOp::create(b, copy.getLoc(), copy.getSource(),
                           copy.getTarget());
    copy.erase();
  }
}

/// Makes a parallel loop nest of `loop`, whose linalg ops have static sizes.
static LogicalResult lowerForall(scf::ForallOp loop, bool parallel) {
  if (!loop.isNormalized() || loop->getNumResults() != 0)
    return loop.emitOpError("must be on buffers and go from 0 in steps of 1");
  OpBuilder builder(loop);
  ImplicitLocOpBuilder b(loop.getLoc(), builder);
  int64_t perIteration = 0;
  loop.walk([&](linalg::LinalgOp op) {
    int64_t product = 1;
    for (int64_t size : op.getStaticLoopRanges())
      product *= ShapedType::isDynamic(size) ? 1 : size;
    perIteration += product;
  });
  SmallVector<Value> counts =
      getValueOrCreateConstantIndexOp(b, b.getLoc(), loop.getMixedUpperBound());
  SmallVector<Value> factors = counts;
  factors.push_back(arith::ConstantIndexOp::create(b, perIteration));
  LoopNest nest{counts, SmallVector<int64_t>(counts.size(), 1)};
  buildParallelNest(
      b, nest, buildProduct(b, factors), parallel, [&](ValueRange ivs) {
        loop.getTerminator().erase();
        Block *block = b.getInsertionBlock();
        Block *body = loop.getBody();
        for (auto [from, to] : llvm::zip_equal(body->getArguments(), ivs))
          from.replaceAllUsesWith(to);
        block->getOperations().splice(b.getInsertionPoint(),
                                      body->getOperations());
      });
  loop.erase();
  return success();
}

namespace {
struct LowerLinalgToLoopsPass final
    : lowbit::impl::LowerLinalgToLoopsPassBase<LowerLinalgToLoopsPass> {
  using LowerLinalgToLoopsPassBase::LowerLinalgToLoopsPassBase;

  void runOnOperation() override {
    if (parallel)
      declareThreading(getOperation());
    generalizeCopies(getOperation());
    SmallVector<scf::ForallOp> loops;
    getOperation().walk([&](scf::ForallOp loop) { loops.push_back(loop); });
    for (scf::ForallOp loop : loops)
      if (failed(lowerForall(loop, parallel)))
        return signalPassFailure();
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops) {
      if (!op.hasPureBufferSemantics()) {
        op.emitOpError("must be on buffers to become loops; run "
                       "--one-shot-bufferize first");
        return signalPassFailure();
      }
      OpBuilder builder(op);
      ImplicitLocOpBuilder b(op.getLoc(), builder);
      LoopEmitter(b, op, parallel).emit();
      op.erase();
    }
  }
};
} // namespace
