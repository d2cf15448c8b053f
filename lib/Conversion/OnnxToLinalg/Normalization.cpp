//===- Normalization.cpp - lowering of normalizations ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Each normalization is a few passes over rows: the sums, a scale per row, and
// the result. Statistics are computed in f32 at least, whatever the type of the
// tensor, and the two-pass variance is used, which does not cancel.
//
//===----------------------------------------------------------------------===//

#include "ElementOps.h"
#include "OnnxLowering.h"
#include "Structured.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

namespace {
/// The rows that a normalization works on: all dimensions from an axis on.
struct Rows {
  Rows(LoweringBuilder &b, Value tensor, int64_t axis)
      : tensor(tensor), rank(getRank(tensor)),
        type(getAccumulatorType(getElementType(tensor))) {
    OpFoldResult size = b.getIndexAttr(1);
    for (int64_t dim = normalizeAxis(axis, rank); dim < rank; ++dim) {
      axes.push_back(dim);
      size = b.mul(size, b.getSize(tensor, dim));
    }
    count = b.fromIndex(size, type);
  }

  Value tensor;
  int64_t rank;
  /// The type that statistics have.
  Type type;
  SmallVector<int64_t> axes;
  /// The number of elements of a row, in that type.
  Value count;
};
} // namespace

/// The mean over each row of what `body` makes of an element and of the row's
/// entry in `perRow`.
static Value createRowMean(LoweringBuilder &b, const Rows &rows,
                           ValueRange perRow, ElementFn body) {
  AffineMap identity = b.getMultiDimIdentityMap(rows.rank);
  AffineMap rowMap = getMapWithout(rows.axes, rows.rank, b.getContext());
  LoweringBuilder::Sizes sizes = b.getSizes(rows.tensor);
  sizes.resize(rowMap.getNumResults());
  SmallVector<Value> inputs{rows.tensor};
  llvm::append_range(inputs, perRow);
  SmallVector<AffineMap> maps(1 + perRow.size() + 1, rowMap);
  maps.front() = identity;
  Value sum = createGeneric(
      b, inputs, b.filled(sizes, b.constant(rows.type, 0)), maps,
      [&](ImplicitLocOpBuilder &nested, ValueRange args) -> SmallVector<Value> {
        SmallVector<Value> elements(args.drop_back());
        elements.front() = emitFloatCast(nested, args.front(), rows.type);
        return {emitAdd(nested, args.back(), body(nested, elements))};
      })[0];
  return createElementwise(b, sum, rows.type,
                           [&](ImplicitLocOpBuilder &nested, ValueRange args) {
                             return emitDiv(nested, args[0], rows.count, false);
                           });
}

/// 1 / sqrt(variance + epsilon)
static Value createInverseDeviation(LoweringBuilder &b, Value variance,
                                    double epsilon) {
  Type type = getElementType(variance);
  return createElementwise(
      b, variance, type, [&](ImplicitLocOpBuilder &nested, ValueRange args) {
        Value sum =
            emitAdd(nested, args[0], emitConstant(nested, type, epsilon));
        return emitDiv(nested, emitConstant(nested, type, 1),
                       math::SqrtOp::create(nested, sum), false);
      });
}

/// Computes the result from an element, the row's statistics, and the elements
/// of `parameters`, which broadcast to the shape of the tensor.
static Value createNormalized(LoweringBuilder &b, const Rows &rows,
                              ValueRange statistics, ValueRange parameters,
                              ElementFn body) {
  LoweringBuilder::Sizes sizes = b.getSizes(rows.tensor);
  SmallVector<Value> inputs{rows.tensor};
  SmallVector<AffineMap> maps{b.getMultiDimIdentityMap(rows.rank)};
  for (Value statistic : statistics) {
    inputs.push_back(statistic);
    maps.push_back(getMapWithout(rows.axes, rows.rank, b.getContext()));
  }
  for (Value parameter : parameters) {
    auto [input, map] = broadcastOperand(b, parameter, sizes, rows.tensor);
    inputs.push_back(input);
    maps.push_back(map);
  }
  maps.push_back(maps.front());
  Type type = getElementType(rows.tensor);
  return createGeneric(
      b, inputs, b.empty(sizes, type), maps,
      [&](ImplicitLocOpBuilder &nested, ValueRange args) -> SmallVector<Value> {
        SmallVector<Value> elements;
        for (Value arg : args.drop_back())
          elements.push_back(emitFloatCast(nested, arg, rows.type));
        return {emitFloatCast(nested, body(nested, elements), type)};
      })[0];
}

namespace {
struct LayerNormalizationLowering final : OnnxLowering<LayerNormalizationOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(LayerNormalizationOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Rows rows(b, adaptor.getX(), op.getAxis());
    Value mean =
        createRowMean(b, rows, {}, [](ImplicitLocOpBuilder &, ValueRange args) {
          return args[0];
        });
    Value variance = createRowMean(
        b, rows, mean, [](ImplicitLocOpBuilder &nested, ValueRange args) {
          Value centered = emitSub(nested, args[0], args[1]);
          return emitMul(nested, centered, centered);
        });
    Value inverse = createInverseDeviation(b, variance, op.getEpsilon());
    SmallVector<Value> parameters{adaptor.getScale()};
    if (!isMissing(op.getB()))
      parameters.push_back(adaptor.getB());
    Value result = createNormalized(
        b, rows, {mean, inverse}, parameters,
        [](ImplicitLocOpBuilder &nested, ValueRange args) {
          Value centered = emitSub(nested, args[0], args[1]);
          Value scaled =
              emitMul(nested, emitMul(nested, centered, args[2]), args[3]);
          return args.size() == 4 ? scaled : emitAdd(nested, scaled, args[4]);
        });
    auto getStatistic = [&](Value statistic, Value wanted) {
      if (isMissing(wanted))
        return Value();
      auto type = cast<TensorType>(wanted.getType()).getElementType();
      return createUnsqueeze(b, createFloatCast(b, statistic, type), rows.axes);
    };
    return SmallVector<Value>{result, getStatistic(mean, op.getMean()),
                              getStatistic(inverse, op.getInvStdDev())};
  }
};

struct RMSNormalizationLowering final : OnnxLowering<RMSNormalizationOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(RMSNormalizationOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Rows rows(b, adaptor.getX(), op.getAxis());
    Value meanSquare = createRowMean(
        b, rows, {}, [](ImplicitLocOpBuilder &nested, ValueRange args) {
          return emitMul(nested, args[0], args[0]);
        });
    Value inverse = createInverseDeviation(b, meanSquare, op.getEpsilon());
    return SmallVector<Value>{createNormalized(
        b, rows, inverse, adaptor.getScale(),
        [](ImplicitLocOpBuilder &nested, ValueRange args) {
          return emitMul(nested, emitMul(nested, args[0], args[1]), args[2]);
        })};
  }
};
} // namespace

void populateNormalizationLowerings(RewritePatternSet &patterns,
                                    const TypeConverter &typeConverter,
                                    const SymbolicShapes &shapes) {
  patterns.add<LayerNormalizationLowering, RMSNormalizationLowering>(
      typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
