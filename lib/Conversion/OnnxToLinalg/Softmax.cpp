//===- Softmax.cpp - lowering of softmax ----------------------------------===//
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

/// The largest element of each row. NaN shows up in the sum, so the cheaper
/// maximum that ignores it will do.
static Value createRowMax(LoweringBuilder &b, Value tensor, int64_t axis) {
  Value lowest = emitInfinity(b, getElementType(tensor), false, false);
  return createReduction(b, tensor, axis, lowest,
                         [](ImplicitLocOpBuilder &nested, ValueRange args) {
                           return arith::MaxNumFOp::create(nested, args[0],
                                                           args[1]);
                         });
}

static Value createRowSum(LoweringBuilder &b, Value tensor, int64_t axis) {
  Value zero = b.constant(getElementType(tensor), 0);
  return createReduction(b, tensor, axis, zero,
                         [](ImplicitLocOpBuilder &nested, ValueRange args) {
                           return emitAdd(nested, args[1], args[0]);
                         });
}

/// Applies `body` to the elements of a tensor and those of its rows.
static Value mapRows(LoweringBuilder &b, Value tensor, ValueRange rows,
                     int64_t axis, ElementFn body) {
  int64_t rank = getRank(tensor);
  SmallVector<AffineMap> maps{b.getMultiDimIdentityMap(rank)};
  maps.append(rows.size(), getMapWithout(axis, rank, b.getContext()));
  maps.push_back(maps.front());
  SmallVector<Value> inputs{tensor};
  llvm::append_range(inputs, rows);
  Value init = b.empty(b.getSizes(tensor), getElementType(tensor));
  return createGeneric(
      b, inputs, init, maps,
      [&](ImplicitLocOpBuilder &nested, ValueRange args) -> SmallVector<Value> {
        return {body(nested, args)};
      })[0];
}

static Value createShiftedExp(LoweringBuilder &b, Value tensor, Value max,
                              int64_t axis) {
  return mapRows(
      b, tensor, max, axis, [](ImplicitLocOpBuilder &nested, ValueRange args) {
        return math::ExpOp::create(nested, emitSub(nested, args[0], args[1]));
      });
}

/// Puts `replacement` in the place of `special`.
static Value createReplace(LoweringBuilder &b, Value tensor, Value special,
                           Value replacement) {
  return createElementwise(
      b, tensor, getElementType(tensor),
      [&](ImplicitLocOpBuilder &nested, ValueRange args) {
        Value isSpecial = emitCompare(nested, Comparison::Equal, args[0],
                                      special, /*isUnsigned=*/false);
        return arith::SelectOp::create(nested, isSpecial, replacement, args[0]);
      });
}

Value createSoftmax(LoweringBuilder &b, Value tensor, int64_t axis,
                    bool maskedRowsAreZero) {
  Type type = getElementType(tensor);
  Value max = createRowMax(b, tensor, axis);
  if (maskedRowsAreZero)
    max = createReplace(b, max, emitInfinity(b, type, false, false),
                        b.constant(type, 0));
  Value powers = createShiftedExp(b, tensor, max, axis);
  Value sum = createRowSum(b, powers, axis);
  if (maskedRowsAreZero)
    sum = createReplace(b, sum, b.constant(type, 0), b.constant(type, 1));
  return mapRows(b, powers, sum, axis,
                 [](ImplicitLocOpBuilder &nested, ValueRange args) {
                   return emitDiv(nested, args[0], args[1], false);
                 });
}

static Value createLogSoftmax(LoweringBuilder &b, Value tensor, int64_t axis) {
  Value max = createRowMax(b, tensor, axis);
  Value sum = createRowSum(b, createShiftedExp(b, tensor, max, axis), axis);
  return mapRows(b, tensor, {max, sum}, axis,
                 [](ImplicitLocOpBuilder &nested, ValueRange args) {
                   Value shifted = emitSub(nested, args[0], args[1]);
                   return emitSub(nested, shifted,
                                  math::LogOp::create(nested, args[2]));
                 });
}

namespace {
template <typename OpTy>
struct SoftmaxLowering final : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;

  LoweredResults lower(OpTy op, typename OpTy::Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Type type = getElementType(adaptor.getInput());
    Value tensor =
        createFloatCast(b, adaptor.getInput(), getAccumulatorType(type));
    int64_t axis = normalizeAxis(op.getAxis(), getRank(tensor));
    Value result;
    if constexpr (std::is_same_v<OpTy, SoftmaxOp>)
      result = createSoftmax(b, tensor, axis, /*maskedRowsAreZero=*/false);
    else
      result = createLogSoftmax(b, tensor, axis);
    return SmallVector<Value>{createFloatCast(b, result, type)};
  }
};
} // namespace

void populateSoftmaxLowerings(RewritePatternSet &patterns,
                              const TypeConverter &typeConverter,
                              const SymbolicShapes &shapes) {
  patterns.add<SoftmaxLowering<SoftmaxOp>, SoftmaxLowering<LogSoftmaxOp>>(
      typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
