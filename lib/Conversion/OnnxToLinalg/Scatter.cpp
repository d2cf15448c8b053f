//===- Scatter.cpp - lowering of the ops that write at indices ------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Updates are applied one after the other, in row-major order: where two have
// the same target, ONNX's `none` leaves the result open, but the last one wins
// wherever it is implemented. An index out of range is clamped, but not that of
// rows that do not fit into a cache: they end the run.
//
//===----------------------------------------------------------------------===//

#include "ElementOps.h"
#include "Gather.h"
#include "OnnxLowering.h"
#include "Structured.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

using Sizes = LoweringBuilder::Sizes;

/// Combines what is at the target with an update.
static Value emitUpdate(ImplicitLocOpBuilder &b, StringRef reduction,
                        Value target, Value update, bool isUnsigned) {
  if (reduction == "add")
    return emitAdd(b, target, update);
  if (reduction == "mul")
    return emitMul(b, target, update);
  if (reduction == "max")
    return emitMax(b, target, update, isUnsigned);
  if (reduction == "min")
    return emitMin(b, target, update, isUnsigned);
  return update;
}

/// Writes each element of `updates` where `getTarget` says, given its indices.
static Value createScatter(
    LoweringBuilder &b, Value data, Value updates, StringRef reduction,
    bool isUnsigned,
    llvm::function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, ValueRange)>
        getTarget) {
  SmallVector<Value> lower, upper, steps;
  for (OpFoldResult size : b.getSizes(updates)) {
    lower.push_back(b.constantIndex(0));
    upper.push_back(b.toValue(size));
    steps.push_back(b.constantIndex(1));
  }
  scf::LoopNest nest = scf::buildLoopNest(
      b, b.getLoc(), lower, upper, steps, data,
      [&](OpBuilder &nested, Location loc, ValueRange loops,
          ValueRange state) -> scf::ValueVector {
        ImplicitLocOpBuilder builder(loc, nested);
        SmallVector<Value> target = getTarget(builder, loops);
        Value update = extract(builder, updates, loops);
        if (reduction != "none")
          update =
              emitUpdate(builder, reduction, extract(builder, state[0], target),
                         update, isUnsigned);
        return {tensor::InsertOp::create(builder, update, state[0], target)};
      });
  return nest.results.front();
}

namespace {
struct ScatterElementsLowering final : OnnxLowering<ScatterElementsOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(ScatterElementsOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Value data = adaptor.getData();
    int64_t axis =
        normalizeAxis(static_cast<int64_t>(op.getAxis()), getRank(data));
    Value size = b.toValue(b.getSize(data, axis));
    return SmallVector<Value>{createScatter(
        b, data, adaptor.getUpdates(), op.getReduction(),
        hasUnsignedElements(op.getData()),
        [&](ImplicitLocOpBuilder &nested, ValueRange loops) {
          SmallVector<Value> target(loops);
          Value index = extract(nested, adaptor.getIndices(), loops);
          target[axis] = emitSafeIndex(nested, index, size);
          return target;
        })};
  }
};

/// The last dimension of the indices holds whole index tuples.
struct ScatterNDLowering final : OnnxLowering<ScatterNDOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(ScatterNDOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Value data = adaptor.getData(), indices = adaptor.getIndices();
    int64_t numOuter = getRank(indices) - 1;
    std::optional<int64_t> tuple =
        getConstantIntValue(b.getSize(indices, numOuter));
    if (!tuple)
      return b.refuse("the last dimension of the indices must be known");
    SmallVector<Value> sizes;
    for (int64_t dim = 0; dim < *tuple; ++dim)
      sizes.push_back(b.toValue(b.getSize(data, dim)));
    return SmallVector<Value>{createScatter(
        b, data, adaptor.getUpdates(), op.getReduction(),
        hasUnsignedElements(op.getData()),
        [&](ImplicitLocOpBuilder &nested, ValueRange loops) {
          SmallVector<Value> target, position(loops.take_front(numOuter));
          for (auto [i, size] : llvm::enumerate(sizes)) {
            position.push_back(arith::ConstantIndexOp::create(nested, i));
            Value index = extract(nested, indices, position);
            position.pop_back();
            target.push_back(emitSafeIndex(nested, index, size));
          }
          llvm::append_range(target, loops.drop_front(numOuter));
          return target;
        })};
  }
};
/// Rows that are written to a cache are a slice of it, which bufferization
/// writes in place where it may.
struct TensorScatterLowering final : OnnxLowering<TensorScatterOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(TensorScatterOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Value cache = adaptor.getPastCache(), update = adaptor.getUpdate();
    Value starts = adaptor.getWriteIndices();
    int64_t axis = normalizeAxis(op.getAxis(), getRank(cache));
    for (int64_t dim = 0; dim < getRank(cache); ++dim)
      if (dim != axis)
        checkSameSize(b, update, dim, cache, dim,
                      "new rows and cache must have one shape");
    if (op.getMode() == "circular")
      return SmallVector<Value>{scatterAround(b, cache, update, starts, axis)};
    Value zero = b.constantIndex(0);
    if (isMissing(starts))
      return SmallVector<Value>{append(b, cache, update, axis, zero, zero)};
    if (Value start = b.getOnlyElement(starts))
      return SmallVector<Value>{
          append(b, cache, update, axis, zero, b.toValue(b.toIndex(start)))};

    // Each sequence of the batch has a length of its own.
    auto loop = scf::ForOp::create(b, zero, b.toValue(b.getSize(update, 0)),
                                   b.constantIndex(1), cache);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value batch = loop.getInductionVar();
    Value rows = createSlice(b, update, 0, batch, b.getIndexAttr(1));
    Value start = tensor::ExtractOp::create(b, starts, batch);
    Value appended = append(b, loop.getRegionIterArg(0), rows, axis, batch,
                            b.toValue(b.toIndex(start)));
    scf::YieldOp::create(b, appended);
    return SmallVector<Value>{loop.getResult(0)};
  }

private:
  /// `cache` with `rows` from `start` on along `axis`, which must have room for
  /// them.
  static Value append(LoweringBuilder &b, Value cache, Value rows, int64_t axis,
                      Value batch, Value start) {
    Value isNonNegative = b.createOrFold<arith::CmpIOp>(
        arith::CmpIPredicate::sge, start, b.constantIndex(0));
    OpFoldResult last = b.sub(b.getSize(cache, axis), b.getSize(rows, axis));
    Value hasRoom = b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::sle,
                                                  start, b.toValue(last));
    b.check(b.createOrFold<arith::AndIOp>(isNonNegative, hasRoom),
            "the cache has no room for the new rows behind the past ones");
    return lowbit::CacheAppendOp::create(b, rows, cache, batch, start, axis);
  }

  /// Rows go on at the beginning where the cache ends.
  static Value scatterAround(LoweringBuilder &b, Value cache, Value update,
                             Value starts, int64_t axis) {
    Value capacity = b.toValue(b.getSize(cache, axis));
    return createScatter(
        b, cache, update, "none", /*isUnsigned=*/false,
        [&](ImplicitLocOpBuilder &nested, ValueRange loops) {
          SmallVector<Value> target(loops);
          if (!isMissing(starts)) {
            Value start = arith::IndexCastOp::create(
                nested, nested.getIndexType(),
                extract(nested, starts, loops.front()));
            target[axis] = arith::AddIOp::create(nested, target[axis], start);
          }
          target[axis] =
              emitMod(nested, target[axis], capacity, /*isUnsigned=*/false,
                      /*truncated=*/false);
          return target;
        });
  }
};
} // namespace

void populateScatterLowerings(RewritePatternSet &patterns,
                              const TypeConverter &typeConverter,
                              const SymbolicShapes &shapes) {
  patterns
      .add<ScatterElementsLowering, ScatterNDLowering, TensorScatterLowering>(
          typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
