//===- Search.cpp - lowering of the ops that look for elements ------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementOps.h"
#include "OnnxLowering.h"
#include "Structured.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

using Sizes = LoweringBuilder::Sizes;

namespace {
/// Selects the best of the remaining elements k times, all rows in parallel. A
/// remaining element is one that comes after the one selected last, in the
/// order of values and then of indices, so that nothing has to be remembered.
struct TopKLowering final : OnnxLowering<TopKOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(TopKOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override;
};

/// The element of a row at an index.
struct Candidate {
  Value value, index;
};
} // namespace

/// Whether `x` comes before `y`. NaN comes before all numbers, as the largest.
static Value emitIsBefore(ImplicitLocOpBuilder &b, Candidate x, Candidate y,
                          bool largest, bool isUnsigned) {
  Value isBetter =
      emitCompare(b, largest ? Comparison::Greater : Comparison::Less, x.value,
                  y.value, isUnsigned);
  Value isEqual =
      emitCompare(b, Comparison::Equal, x.value, y.value, isUnsigned);
  if (isa<FloatType>(x.value.getType())) {
    Value nanX = emitIsNaN(b, x.value), nanY = emitIsNaN(b, y.value);
    Value onlyFirst = emitCompare(
        b, largest ? Comparison::Greater : Comparison::Less, nanX, nanY, true);
    isBetter = arith::OrIOp::create(b, isBetter, onlyFirst);
    isEqual =
        arith::OrIOp::create(b, isEqual, arith::AndIOp::create(b, nanX, nanY));
  }
  Value isEarlier =
      emitCompare(b, Comparison::Less, x.index, y.index, /*isUnsigned=*/false);
  return arith::OrIOp::create(b, isBetter,
                              arith::AndIOp::create(b, isEqual, isEarlier));
}

LoweredResults TopKLowering::lower(TopKOp op, Adaptor adaptor,
                                   LoweringBuilder &b) const {
  Value x = adaptor.getX();
  int64_t rank = getRank(x);
  int64_t axis = normalizeAxis(static_cast<int64_t>(op.getAxis()), rank);
  bool isUnsigned = hasUnsignedElements(op.getX());
  Type type = getElementType(x), indexType = b.getI64Type();
  Sizes sizes = b.getSizes(x), rowSizes = sizes;
  rowSizes.erase(rowSizes.begin() + axis);
  auto resultType = cast<RankedTensorType>(op.getValues().getType());
  OpFoldResult count = resultType.isDynamicDim(axis)
                           ? b.getIndexElement(adaptor.getK(), 0)
                           : b.getIndexAttr(resultType.getDimSize(axis));
  b.check(b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::ule,
                                        b.toValue(count),
                                        b.toValue(sizes[axis])),
          "K is more than the size of dimension " + Twine(axis));
  Sizes resultSizes = sizes;
  resultSizes[axis] = count;
  Value none = b.constantInt(indexType, -1);
  AffineMap rowMap = getMapWithout(axis, rank, b.getContext());
  SmallVector<AffineMap> maps{b.getMultiDimIdentityMap(rank), rowMap, rowMap,
                              rowMap, rowMap};

  Value noValues = b.filled(rowSizes, b.constant(type, 0));
  Value noIndices = b.filled(rowSizes, none);
  SmallVector<Value> state{noValues, noIndices, b.empty(resultSizes, type),
                           b.empty(resultSizes, indexType)};
  auto loop = scf::ForOp::create(b, b.constantIndex(0), b.toValue(count),
                                 b.constantIndex(1), state);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Block::BlockArgListType last = loop.getRegionIterArgs();
  auto body = [&](ImplicitLocOpBuilder &nested,
                  ValueRange args) -> SmallVector<Value> {
    Value position = arith::IndexCastOp::create(
        nested, indexType, linalg::IndexOp::create(nested, axis));
    Candidate candidate{args[0], position}, previous{args[1], args[2]},
        best{args[3], args[4]};
    auto isNone = [&](Candidate which) {
      return emitCompare(nested, Comparison::Equal, which.index, none, false);
    };
    Value isLeft = arith::OrIOp::create(
        nested, isNone(previous),
        emitIsBefore(nested, previous, candidate, op.getLargest(), isUnsigned));
    Value isBetter = arith::OrIOp::create(
        nested, isNone(best),
        emitIsBefore(nested, candidate, best, op.getLargest(), isUnsigned));
    Value take = arith::AndIOp::create(nested, isLeft, isBetter);
    return {arith::SelectOp::create(nested, take, args[0], args[3]),
            arith::SelectOp::create(nested, take, position, args[4])};
  };
  SmallVector<Value> best = createGeneric(b, {x, last[0], last[1]},
                                          {noValues, noIndices}, maps, body);
  Sizes offsets(rank, b.getIndexAttr(0)), strides(rank, b.getIndexAttr(1));
  offsets[axis] = loop.getInductionVar();
  Sizes sliceSizes = resultSizes;
  sliceSizes[axis] = b.getIndexAttr(1);
  SmallVector<Value> results(best);
  for (int64_t i = 0; i < 2; ++i)
    results.push_back(tensor::InsertSliceOp::create(
        b, best[i], last[2 + i], offsets, sliceSizes, strides));
  scf::YieldOp::create(b, results);
  return SmallVector<Value>{loop.getResult(2), loop.getResult(3)};
}

namespace {
/// Counts, then writes down the indices of the elements that are not zero.
struct NonZeroLowering final : OnnxLowering<NonZeroOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(NonZeroOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override;
};
} // namespace

LoweredResults NonZeroLowering::lower(NonZeroOp op, Adaptor adaptor,
                                      LoweringBuilder &b) const {
  Value x = adaptor.getX();
  int64_t rank = getRank(x);
  Type indexType = b.getI64Type(), boolType = b.getI1Type();
  auto isNonZero = [&](ImplicitLocOpBuilder &nested, Value element) {
    return emitCast(nested, element, /*fromUnsigned=*/true, boolType, true);
  };
  Value count =
      createReduction(b, x, llvm::to_vector(llvm::seq<int64_t>(rank)),
                      b.constantInt(indexType, 0),
                      [&](ImplicitLocOpBuilder &nested, ValueRange args) {
                        Value one = arith::ExtUIOp::create(
                            nested, indexType, isNonZero(nested, args[0]));
                        return emitAdd(nested, args[1], one);
                      });
  OpFoldResult size = b.toIndex(b.getElement(count, 0));
  Value init = b.empty({b.getIndexAttr(rank), size}, indexType);
  SmallVector<Value> lower, upper, steps;
  for (OpFoldResult bound : b.getSizes(x)) {
    lower.push_back(b.constantIndex(0));
    upper.push_back(b.toValue(bound));
    steps.push_back(b.constantIndex(1));
  }
  scf::LoopNest nest = scf::buildLoopNest(
      b, b.getLoc(), lower, upper, steps, ValueRange{init, b.constantIndex(0)},
      [&](OpBuilder &nested, Location loc, ValueRange loops,
          ValueRange state) -> scf::ValueVector {
        ImplicitLocOpBuilder builder(loc, nested);
        Value condition = isNonZero(builder, extract(builder, x, loops));
        auto ifOp = scf::IfOp::create(builder, TypeRange(state), condition,
                                      /*withElseRegion=*/true);
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPointToStart(ifOp.thenBlock());
        Value result = state[0];
        for (auto [dim, loop] : llvm::enumerate(loops)) {
          Value row = arith::ConstantIndexOp::create(builder, dim);
          Value index = arith::IndexCastOp::create(builder, indexType, loop);
          result = tensor::InsertOp::create(builder, index, result,
                                            ValueRange{row, state[1]});
        }
        Value one = arith::ConstantIndexOp::create(builder, 1);
        Value next = arith::AddIOp::create(builder, state[1], one);
        scf::YieldOp::create(builder, ValueRange{result, next});
        builder.setInsertionPointToStart(ifOp.elseBlock());
        scf::YieldOp::create(builder, state);
        return {ifOp.getResult(0), ifOp.getResult(1)};
      });
  return SmallVector<Value>{nest.results.front()};
}

void populateSearchLowerings(RewritePatternSet &patterns,
                             const TypeConverter &typeConverter,
                             const SymbolicShapes &shapes) {
  patterns.add<NonZeroLowering, TopKLowering>(typeConverter,
                                              patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
