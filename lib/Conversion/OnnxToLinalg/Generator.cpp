//===- Generator.cpp - lowering of the ops that make tensors of numbers ---===//
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
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

using Sizes = LoweringBuilder::Sizes;

namespace {
struct ConstantOfShapeLowering final : OnnxLowering<ConstantOfShapeOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(ConstantOfShapeOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    auto type = cast<RankedTensorType>(op.getOutput().getType());
    Type elementType = getSignlessType(type.getElementType());
    Sizes sizes;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      sizes.push_back(type.isDynamicDim(dim)
                          ? b.getIndexElement(adaptor.getInput(), dim)
                          : b.getIndexAttr(type.getDimSize(dim)));
    Value element = b.constant(elementType, 0);
    if (std::optional<ElementsAttr> value = op.getValue()) {
      if (isa<FloatType>(elementType))
        element = arith::ConstantOp::create(
            b, b.getFloatAttr(elementType, *value->value_begin<APFloat>()));
      else
        element = arith::ConstantOp::create(
            b, b.getIntegerAttr(elementType, *value->value_begin<APInt>()));
    }
    // A small one is most likely part of a shape, of which all is scalar.
    if (type.hasStaticShape() && type.getNumElements() <= 16) {
      Sizes elements(type.getNumElements(), getAsOpFoldResult(element));
      return SmallVector<Value>{b.fromElements(
          RankedTensorType::get(type.getShape(), elementType), elements)};
    }
    return SmallVector<Value>{b.filled(sizes, element)};
  }
};

struct RangeLowering final : OnnxLowering<RangeOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(RangeOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Value start = b.getElement(adaptor.getStart(), 0);
    Value limit = b.getElement(adaptor.getLimit(), 0);
    Value delta = b.getElement(adaptor.getDelta(), 0);
    auto type = cast<RankedTensorType>(op.getOutput().getType());
    Type elementType = type.getElementType();
    OpFoldResult size = type.isDynamicDim(0)
                            ? getCount(b, start, limit, delta)
                            : b.getIndexAttr(type.getDimSize(0));
    return SmallVector<Value>{createFromIndices(
        b, size, elementType,
        [&](ImplicitLocOpBuilder &nested, ValueRange loops) {
          Value index =
              arith::IndexCastOp::create(nested, nested.getI64Type(), loops[0]);
          Value steps = emitCast(nested, index, false, elementType, false);
          return emitAdd(nested, start, emitMul(nested, steps, delta));
        })};
  }

  /// max(ceil((limit - start) / delta), 0)
  static OpFoldResult getCount(LoweringBuilder &b, Value start, Value limit,
                               Value delta) {
    Type type = start.getType();
    Value distance = emitSub(b, limit, start);
    Value count;
    if (isa<FloatType>(type)) {
      Value quotient = emitDiv(b, distance, delta, /*isUnsigned=*/false);
      count = emitCast(b, math::CeilOp::create(b, quotient), false,
                       b.getI64Type(), false);
    } else {
      // Division truncates; one more step covers what is left over.
      count = emitDiv(b, distance, delta, /*isUnsigned=*/false);
      Value remainder = emitMod(b, distance, delta, /*isUnsigned=*/false,
                                /*truncated=*/true);
      Value zero = emitConstant(b, type, 0);
      Value isUneven = b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::ne,
                                                     remainder, zero);
      // A step in the wrong direction leads nowhere.
      Value isForward = emitCompare(
          b, Comparison::GreaterOrEqual,
          b.createOrFold<arith::XOrIOp>(distance, delta), zero, false);
      Value rest = b.createOrFold<arith::SelectOp>(
          isUneven, emitConstant(b, type, 1), zero);
      count = b.createOrFold<arith::SelectOp>(isForward,
                                              emitAdd(b, count, rest), zero);
    }
    return b.max(b.toIndex(getAsOpFoldResult(count)), b.getIndexAttr(0));
  }
};

/// Compares indices with the position along a new axis.
struct OneHotLowering final : OnnxLowering<OneHotOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(OneHotOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Value indices = adaptor.getIndices();
    int64_t rank = getRank(indices) + 1;
    int64_t axis = normalizeAxis(static_cast<int64_t>(op.getAxis()), rank);
    Type index64 = b.getI64Type();
    Value depth = emitCast(b, b.getElement(adaptor.getDepth(), 0),
                           hasUnsignedElements(op.getDepth()), index64, false);
    Sizes sizes = b.getSizes(indices);
    auto type = cast<RankedTensorType>(op.getOutput().getType());
    sizes.insert(sizes.begin() + axis,
                 type.isDynamicDim(axis)
                     ? b.toIndex(getAsOpFoldResult(depth))
                     : b.getIndexAttr(type.getDimSize(axis)));
    Value off = b.getElement(adaptor.getValues(), 0);
    Value on = b.getElement(adaptor.getValues(), 1);
    return createGeneric(
        b, indices, b.empty(sizes, off.getType()),
        {getMapWithout(axis, rank, b.getContext()),
         b.getMultiDimIdentityMap(rank)},
        [&](ImplicitLocOpBuilder &nested,
            ValueRange args) -> SmallVector<Value> {
          Value hot =
              emitCast(nested, args[0], hasUnsignedElements(op.getIndices()),
                       index64, false);
          Value isNegative =
              emitCompare(nested, Comparison::Less, hot,
                          emitConstant(nested, index64, 0), false);
          hot = arith::SelectOp::create(nested, isNegative,
                                        emitAdd(nested, hot, depth), hot);
          Value position = arith::IndexCastOp::create(
              nested, index64, linalg::IndexOp::create(nested, axis));
          Value isHot =
              emitCompare(nested, Comparison::Equal, hot, position, false);
          return {arith::SelectOp::create(nested, isHot, on, off)};
        });
  }
};

/// Keeps one triangle of the matrices in the last two dimensions.
struct TriluLowering final : OnnxLowering<TriluOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(TriluOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Value input = adaptor.getInput();
    int64_t rank = getRank(input);
    if (rank < 2)
      return b.refuse("the operand must have at least two dimensions");
    Type type = getElementType(input);
    Value diagonal = isMissing(op.getK())
                         ? b.constantIndex(0)
                         : b.toValue(b.getIndexElement(adaptor.getK(), 0));
    Value zero = b.constant(type, 0);
    AffineMap identity = b.getMultiDimIdentityMap(rank);
    return createGeneric(
        b, input, b.empty(b.getSizes(input), type), {identity, identity},
        [&](ImplicitLocOpBuilder &nested,
            ValueRange args) -> SmallVector<Value> {
          Value row = linalg::IndexOp::create(nested, rank - 2);
          Value column = linalg::IndexOp::create(nested, rank - 1);
          Value isKept =
              emitCompare(nested,
                          op.getUpper() ? Comparison::GreaterOrEqual
                                        : Comparison::LessOrEqual,
                          column, emitAdd(nested, row, diagonal), false);
          return {arith::SelectOp::create(nested, isKept, args[0], zero)};
        });
  }
};

struct CumSumLowering final : OnnxLowering<CumSumOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(CumSumOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override;
};
} // namespace

/// Walks along the axis and adds one slice after the other.
static Value createCumSum(LoweringBuilder &b, CumSumOp op, Value x,
                          int64_t axis) {
  int64_t rank = getRank(x);
  Type type = getElementType(x);
  Sizes sizes = b.getSizes(x), sliceSizes = sizes;
  sliceSizes[axis] = b.getIndexAttr(1);
  Sizes offsets(rank, b.getIndexAttr(0)), strides(rank, b.getIndexAttr(1));
  Value length = b.toValue(sizes[axis]), zero = b.constantIndex(0);
  Value one = b.constantIndex(1);
  Value last = b.toValue(b.sub(sizes[axis], b.getIndexAttr(1)));
  Value start = b.filled(sliceSizes, b.constant(type, 0));
  auto loop = scf::ForOp::create(b, zero, length, one,
                                 ValueRange{start, b.empty(sizes, type)});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value step = loop.getInductionVar(), soFar = loop.getRegionIterArg(0);
  offsets[axis] =
      op.getReverse() ? b.createOrFold<arith::SubIOp>(last, step) : step;
  Value slice =
      tensor::ExtractSliceOp::create(b, x, offsets, sliceSizes, strides);
  Value sum =
      createElementwise(b, {soFar, slice}, type,
                        [](ImplicitLocOpBuilder &nested, ValueRange args) {
                          return emitAdd(nested, args[0], args[1]);
                        });
  sum = b.castTensor(sum, soFar.getType());
  Value result = tensor::InsertSliceOp::create(
      b, op.getExclusive() ? soFar : sum, loop.getRegionIterArg(1), offsets,
      sliceSizes, strides);
  scf::YieldOp::create(b, ValueRange{sum, result});
  return loop.getResult(1);
}

/// The sum along that one of the axes from `axis` on that is meant at run time.
static Value createCumSumAlong(LoweringBuilder &b, CumSumOp op, Value x,
                               OpFoldResult meant, int64_t axis) {
  if (axis + 1 == getRank(x))
    return createCumSum(b, op, x, axis);
  Value isMeant = b.createOrFold<arith::OrIOp>(
      b.isEqual(meant, b.getIndexAttr(axis)),
      b.isEqual(meant, b.getIndexAttr(axis - getRank(x))));
  auto ifOp = scf::IfOp::create(b, TypeRange(x.getType()), isMeant,
                                /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(ifOp.thenBlock());
  Value result = createCumSum(b, op, x, axis);
  scf::YieldOp::create(b, b.castTensor(result, x.getType()));
  b.setInsertionPointToStart(ifOp.elseBlock());
  result = createCumSumAlong(b, op, x, meant, axis + 1);
  scf::YieldOp::create(b, b.castTensor(result, x.getType()));
  return ifOp.getResult(0);
}

LoweredResults CumSumLowering::lower(CumSumOp op, Adaptor adaptor,
                                     LoweringBuilder &b) const {
  Value x = adaptor.getX();
  if (getRank(x) == 0)
    return b.refuse("the operand must have at least one dimension");
  if (auto axis = b.getConstants(adaptor.getAxis()))
    return SmallVector<Value>{
        createCumSum(b, op, x, normalizeAxis(axis->front(), getRank(x)))};
  return SmallVector<Value>{
      createCumSumAlong(b, op, x, b.getIndexElement(adaptor.getAxis(), 0), 0)};
}

void populateGeneratorLowerings(RewritePatternSet &patterns,
                                const TypeConverter &typeConverter,
                                const SymbolicShapes &shapes) {
  patterns.add<ConstantOfShapeLowering, CumSumLowering, OneHotLowering,
               RangeLowering, TriluLowering>(typeConverter,
                                             patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
