//===- Quantization.cpp - lowering of QuantizeLinear and DequantizeLinear -===//
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

/// How scales and zero points are indexed by the loops over the tensor: not at
/// all, by the axis, or by all dimensions, of which the axis is cut into
/// blocks.
static FailureOr<AffineMap> getParameterMap(LoweringBuilder &b, Value parameter,
                                            int64_t rank, int64_t axis,
                                            int64_t blockSize) {
  int64_t parameterRank = getRank(parameter);
  auto type = getTensorType(parameter);
  if (blockSize != 0) {
    if (parameterRank != rank)
      return b.refuse("blocked scales must have the rank of the operand");
    SmallVector<AffineExpr> exprs;
    for (int64_t dim = 0; dim < rank; ++dim)
      exprs.push_back(b.getAffineDimExpr(dim));
    exprs[axis] = exprs[axis].floorDiv(blockSize);
    return AffineMap::get(rank, 0, exprs, b.getContext());
  }
  if (parameterRank == 0)
    return AffineMap::get(rank, 0, b.getContext());
  if (parameterRank != 1)
    return b.refuse("scales must be a scalar or a vector");
  if (type.getDimSize(0) == 1)
    return AffineMap::get(rank, 0, b.getAffineConstantExpr(0));
  return AffineMap::get(rank, 0, b.getAffineDimExpr(axis));
}

/// Computes from an element, its scale and its zero point, if there is one.
static LoweredResults createWithParameters(LoweringBuilder &b, Value x,
                                           Value scale, Value zeroPoint,
                                           int64_t axis, int64_t blockSize,
                                           Type type, ElementFn body) {
  int64_t rank = getRank(x);
  axis = normalizeAxis(axis, rank);
  AffineMap identity = b.getMultiDimIdentityMap(rank);
  SmallVector<Value> inputs{x, scale};
  if (!isMissing(zeroPoint))
    inputs.push_back(zeroPoint);
  SmallVector<AffineMap> maps{identity};
  for (Value parameter : ArrayRef(inputs).drop_front()) {
    FailureOr<AffineMap> map =
        getParameterMap(b, parameter, rank, axis, blockSize);
    if (failed(map))
      return failure();
    maps.push_back(*map);
  }
  maps.push_back(identity);
  return createGeneric(
      b, inputs, b.empty(b.getSizes(x), type), maps,
      [&](ImplicitLocOpBuilder &nested, ValueRange args) -> SmallVector<Value> {
        return {body(nested, args.drop_back())};
      });
}

namespace {
/// saturate(round(x / scale) + zero point), rounding half to even.
struct QuantizeLinearLowering final : OnnxLowering<QuantizeLinearOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(QuantizeLinearOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    bool isUnsigned = hasUnsignedElements(op.getY());
    Type type =
        getSignlessType(cast<TensorType>(op.getY().getType()).getElementType());
    Type wide = b.getF32Type();
    return createWithParameters(
        b, adaptor.getX(), adaptor.getYScale(), adaptor.getYZeroPoint(),
        static_cast<int64_t>(op.getAxis()), op.getBlockSize(), type,
        [&](ImplicitLocOpBuilder &nested, ValueRange args) {
          Value x = emitCast(nested, args[0], false, wide, false);
          Value scale = emitCast(nested, args[1], false, wide, false);
          Value code = math::RoundEvenOp::create(
              nested, emitDiv(nested, x, scale, false));
          if (args.size() == 3)
            code = emitAdd(nested, code,
                           emitCast(nested, args[2], isUnsigned, wide, false));
          return emitCast(nested, code, false, type, isUnsigned);
        });
  }
};

/// (x - zero point) * scale
struct DequantizeLinearLowering final : OnnxLowering<DequantizeLinearOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(DequantizeLinearOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    bool isUnsigned = hasUnsignedElements(op.getX());
    Type type = cast<TensorType>(op.getY().getType()).getElementType();
    Type codeType = b.getI32Type(), wide = b.getF32Type();
    return createWithParameters(
        b, adaptor.getX(), adaptor.getXScale(), adaptor.getXZeroPoint(),
        static_cast<int64_t>(op.getAxis()), op.getBlockSize(), type,
        [&](ImplicitLocOpBuilder &nested, ValueRange args) {
          Value code = emitCast(nested, args[0], isUnsigned, codeType, false);
          if (args.size() == 3)
            code =
                emitSub(nested, code,
                        emitCast(nested, args[2], isUnsigned, codeType, false));
          Value scale = emitFloatCast(nested, args[1], wide);
          Value number = emitCast(nested, code, false, wide, false);
          return emitFloatCast(nested, emitMul(nested, number, scale), type);
        });
  }
};
} // namespace

void populateQuantizationLowerings(RewritePatternSet &patterns,
                                   const TypeConverter &typeConverter,
                                   const SymbolicShapes &shapes) {
  patterns.add<DequantizeLinearLowering, QuantizeLinearLowering>(
      typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
