//===- Reduction.cpp - lowering of reductions -----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementOps.h"
#include "OnnxLowering.h"
#include "Structured.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

namespace {
enum class ReductionKind { Sum, SumSquare, L2, Mean, Prod, Max, Min };

template <typename OpTy, ReductionKind kind>
struct ReductionLowering final : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;

  LoweredResults lower(OpTy op, typename OpTy::Adaptor adaptor,
                       LoweringBuilder &b) const override;
};
} // namespace

/// The axes that an op reduces, from the shape of its operand and its result,
/// which still has them with size 1.
static std::optional<SmallVector<int64_t>>
getAxesFromShapes(Value data, RankedTensorType resultType) {
  if (!getTensorType(data).hasStaticShape() || !resultType.hasStaticShape())
    return std::nullopt;
  SmallVector<int64_t> axes;
  for (int64_t dim = 0; dim < resultType.getRank(); ++dim)
    if (getTensorType(data).getDimSize(dim) != resultType.getDimSize(dim))
      axes.push_back(dim);
  return axes;
}

/// The axes that an op reduces; a missing or empty list stands for all of them,
/// or for none.
static FailureOr<SmallVector<int64_t>> getAxes(LoweringBuilder &b, Value data,
                                               Value axesOperand,
                                               bool emptyIsNone,
                                               bool keepDims) {
  int64_t rank = getRank(data);
  SmallVector<int64_t> axes;
  if (!isMissing(axesOperand)) {
    std::optional<SmallVector<int64_t>> constants = b.getConstants(axesOperand);
    if (!constants) {
      auto type = cast<RankedTensorType>(b.getOp()->getResult(0).getType());
      if (auto shown = getAxesFromShapes(data, type); keepDims && shown)
        return *shown;
      return b.refuse("'axes' must be constant");
    }
    for (int64_t axis : *constants)
      axes.push_back(normalizeAxis(axis, rank));
  }
  if (axes.empty() && !emptyIsNone)
    axes = llvm::to_vector(llvm::seq<int64_t>(rank));
  return axes;
}

static Value emitInit(LoweringBuilder &b, ReductionKind kind, Type type,
                      bool isUnsigned) {
  switch (kind) {
  case ReductionKind::Prod:
    return b.constant(type, 1);
  case ReductionKind::Max:
    return emitInfinity(b, type, isUnsigned, /*positive=*/false);
  case ReductionKind::Min:
    return emitInfinity(b, type, isUnsigned, /*positive=*/true);
  default:
    return b.constant(type, 0);
  }
}

static Value emitCombine(ImplicitLocOpBuilder &b, ReductionKind kind,
                         Value element, Value accumulated, bool isUnsigned) {
  switch (kind) {
  case ReductionKind::Sum:
  case ReductionKind::Mean:
    return emitAdd(b, accumulated, element);
  case ReductionKind::SumSquare:
  case ReductionKind::L2:
    return emitAdd(b, accumulated, emitMul(b, element, element));
  case ReductionKind::Prod:
    return emitMul(b, accumulated, element);
  case ReductionKind::Max:
    return emitMax(b, accumulated, element, isUnsigned);
  case ReductionKind::Min:
    return emitMin(b, accumulated, element, isUnsigned);
  }
  llvm_unreachable("unknown reduction");
}

/// What is left to do with the accumulated value; `count` is the number of
/// elements in it.
static Value emitFinish(ImplicitLocOpBuilder &b, ReductionKind kind,
                        Value accumulated, Value count, Type type,
                        bool isUnsigned) {
  Type wide = accumulated.getType();
  bool isFloat = isa<FloatType>(wide);
  if (kind == ReductionKind::Mean) {
    accumulated = emitDiv(b, accumulated, count, isUnsigned);
  } else if (kind == ReductionKind::L2) {
    Type rootType = isFloat ? wide : Type(b.getF64Type());
    Value root = math::SqrtOp::create(
        b, emitCast(b, accumulated, isUnsigned, rootType, false));
    accumulated = emitCast(b, root, false, wide, isUnsigned);
  }
  return isFloat ? emitFloatCast(b, accumulated, type) : accumulated;
}

template <typename OpTy, ReductionKind kind>
LoweredResults
ReductionLowering<OpTy, kind>::lower(OpTy op, typename OpTy::Adaptor adaptor,
                                     LoweringBuilder &b) const {
  Value data = adaptor.getData();
  FailureOr<SmallVector<int64_t>> axes = getAxes(
      b, data, adaptor.getAxes(), op.getNoopWithEmptyAxes(), op.getKeepdims());
  if (failed(axes))
    return failure();
  Type type = getElementType(data), wide = getAccumulatorType(type);
  bool isUnsigned = hasUnsignedElements(op.getData()) || type.isInteger(1);
  Value result = createReduction(
      b, data, *axes, emitInit(b, kind, wide, isUnsigned),
      [&](ImplicitLocOpBuilder &nested, ValueRange args) {
        Value element = args[0];
        if (wide != type)
          element = emitFloatCast(nested, element, wide);
        return emitCombine(nested, kind, element, args[1], isUnsigned);
      });
  if (kind == ReductionKind::Mean || kind == ReductionKind::L2 ||
      wide != type) {
    OpFoldResult size = b.getIndexAttr(1);
    for (int64_t axis : *axes)
      size = b.mul(size, b.getSize(data, axis));
    Value count =
        kind == ReductionKind::Mean ? b.fromIndex(size, wide) : Value();
    result = createElementwise(
        b, result, type, [&](ImplicitLocOpBuilder &nested, ValueRange args) {
          return emitFinish(nested, kind, args[0], count, type, isUnsigned);
        });
  }
  if (op.getKeepdims())
    result = createUnsqueeze(b, result, *axes);
  return SmallVector<Value>{result};
}

namespace {
/// The position of the largest element along an axis.
struct ArgMaxLowering final : OnnxLowering<ArgMaxOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(ArgMaxOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Value data = adaptor.getData();
    int64_t rank = getRank(data), axis = normalizeAxis(op.getAxis(), rank);
    Type type = getElementType(data), indexType = b.getI64Type();
    bool isUnsigned = hasUnsignedElements(op.getData());
    LoweringBuilder::Sizes sizes = b.getSizes(data);
    sizes.erase(sizes.begin() + axis);
    // Any first element is better than none, minus infinity too.
    Value none = b.constantInt(indexType, -1);
    Value best = b.filled(sizes, b.constant(type, 0));
    Value position = b.filled(sizes, none);
    AffineMap map = getMapWithout(axis, rank, b.getContext());
    Comparison better = op.getSelectLastIndex() ? Comparison::GreaterOrEqual
                                                : Comparison::Greater;
    auto body = [&](ImplicitLocOpBuilder &nested,
                    ValueRange args) -> SmallVector<Value> {
      Value index = arith::IndexCastOp::create(
          nested, indexType, linalg::IndexOp::create(nested, axis));
      Value isFirst = nested.createOrFold<arith::CmpIOp>(
          arith::CmpIPredicate::eq, args[2], none);
      Value take = arith::OrIOp::create(
          nested, isFirst,
          emitCompare(nested, better, args[0], args[1], isUnsigned));
      return {arith::SelectOp::create(nested, take, args[0], args[1]),
              arith::SelectOp::create(nested, take, index, args[2])};
    };
    Value result =
        createGeneric(b, data, {best, position},
                      {b.getMultiDimIdentityMap(rank), map, map}, body)[1];
    if (op.getKeepdims())
      result = createUnsqueeze(b, result, axis);
    return SmallVector<Value>{result};
  }
};
} // namespace

void populateReductionLowerings(RewritePatternSet &patterns,
                                const TypeConverter &typeConverter,
                                const SymbolicShapes &shapes) {
  patterns.add<ReductionLowering<ReduceL2Op, ReductionKind::L2>,
               ReductionLowering<ReduceMaxOp, ReductionKind::Max>,
               ReductionLowering<ReduceMeanOp, ReductionKind::Mean>,
               ReductionLowering<ReduceMinOp, ReductionKind::Min>,
               ReductionLowering<ReduceProdOp, ReductionKind::Prod>,
               ReductionLowering<ReduceSumOp, ReductionKind::Sum>,
               ReductionLowering<ReduceSumSquareOp, ReductionKind::SumSquare>,
               ArgMaxLowering>(typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
