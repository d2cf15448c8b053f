//===- Activation.cpp - lowering of functions of one real number ----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <numbers>

using namespace mlir;

namespace lowbit::onnx::lowering {

/// Computes in f32 what the shorter float types have no instructions for.
static Value emitWide(ImplicitLocOpBuilder &b, Value x,
                      llvm::function_ref<Value(Value x)> function) {
  Type type = x.getType();
  Value wide = emitFloatCast(b, x, getAccumulatorType(type));
  return emitFloatCast(b, function(wide), type);
}

template <typename MathOp>
static Value emitWide(ImplicitLocOpBuilder &b, Value x) {
  return emitWide(
      b, x, [&](Value wide) -> Value { return b.createOrFold<MathOp>(wide); });
}

/// 1 / (1 + exp(-x)); exact at both ends, where exp is 0 or infinite.
static Value emitSigmoid(ImplicitLocOpBuilder &b, Value x) {
  Value one = emitConstant(b, x.getType(), 1);
  Value power = math::ExpOp::create(b, emitNeg(b, x));
  return emitDiv(b, one, emitAdd(b, one, power), /*isUnsigned=*/false);
}

#define LOWBIT_MATH_FUNCTION(OP, MATH_OP)                                      \
  static Value emitElement(OP op, ImplicitLocOpBuilder &b, ValueRange args) {  \
    return emitWide<MATH_OP>(b, args[0]);                                      \
  }
LOWBIT_MATH_FUNCTION(CeilOp, math::CeilOp)
LOWBIT_MATH_FUNCTION(CosOp, math::CosOp)
LOWBIT_MATH_FUNCTION(ExpOp, math::ExpOp)
LOWBIT_MATH_FUNCTION(FloorOp, math::FloorOp)
LOWBIT_MATH_FUNCTION(LogOp, math::LogOp)
LOWBIT_MATH_FUNCTION(RoundOp, math::RoundEvenOp)
LOWBIT_MATH_FUNCTION(SinOp, math::SinOp)
LOWBIT_MATH_FUNCTION(SqrtOp, math::SqrtOp)
LOWBIT_MATH_FUNCTION(TanhOp, math::TanhOp)
#undef LOWBIT_MATH_FUNCTION

static Value emitElement(ErfOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  Value x = args[0];
  if (isa<FloatType>(x.getType()))
    return emitWide<math::ErfOp>(b, x);
  // The values at integers are 0 and nearly 1, which truncation makes 0.
  return emitConstant(b, x.getType(), 0);
}

static Value emitElement(ReciprocalOp op, ImplicitLocOpBuilder &b,
                         ValueRange args) {
  return emitDiv(b, emitConstant(b, args[0].getType(), 1), args[0],
                 /*isUnsigned=*/false);
}

static Value emitElement(ReluOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  Value zero = emitConstant(b, args[0].getType(), 0);
  // A comparison that NaN fails keeps it.
  Value isNegative = emitCompare(b, Comparison::Less, args[0], zero,
                                 /*isUnsigned=*/false);
  return arith::SelectOp::create(b, isNegative, zero, args[0]);
}

static Value emitElement(SigmoidOp op, ImplicitLocOpBuilder &b,
                         ValueRange args) {
  return emitWide(b, args[0], [&](Value x) { return emitSigmoid(b, x); });
}

static Value emitElement(SwishOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  return emitWide(b, args[0], [&](Value x) {
    Value scaled = x;
    if (op.getAlpha() != 1.0)
      scaled = emitMul(b, x, emitConstant(b, x.getType(), op.getAlpha()));
    return emitMul(b, x, emitSigmoid(b, scaled));
  });
}

static Value emitElement(GeluOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  return emitWide(b, args[0], [&](Value x) {
    auto constant = [&](double value) {
      return emitConstant(b, x.getType(), value);
    };
    Value distribution;
    if (op.getApproximate() == "tanh") {
      Value cube = emitMul(b, x, emitMul(b, x, x));
      Value inner = emitAdd(b, x, emitMul(b, constant(0.044715), cube));
      double scale = std::sqrt(2.0 * std::numbers::inv_pi);
      distribution =
          math::TanhOp::create(b, emitMul(b, constant(scale), inner));
    } else {
      double scale = 1.0 / std::numbers::sqrt2;
      distribution = math::ErfOp::create(b, emitMul(b, x, constant(scale)));
    }
    return emitMul(b, emitMul(b, constant(0.5), x),
                   emitAdd(b, constant(1.0), distribution));
  });
}

void populateActivationLowerings(RewritePatternSet &patterns,
                                 const TypeConverter &typeConverter,
                                 const SymbolicShapes &shapes) {
  patterns.add<ElementwiseLowering<CeilOp, emitElement>,
               ElementwiseLowering<CosOp, emitElement>,
               ElementwiseLowering<ErfOp, emitElement>,
               ElementwiseLowering<ExpOp, emitElement>,
               ElementwiseLowering<FloorOp, emitElement>,
               ElementwiseLowering<GeluOp, emitElement>,
               ElementwiseLowering<LogOp, emitElement>,
               ElementwiseLowering<ReciprocalOp, emitElement>,
               ElementwiseLowering<ReluOp, emitElement>,
               ElementwiseLowering<RoundOp, emitElement>,
               ElementwiseLowering<SigmoidOp, emitElement>,
               ElementwiseLowering<SinOp, emitElement>,
               ElementwiseLowering<SqrtOp, emitElement>,
               ElementwiseLowering<SwishOp, emitElement>,
               ElementwiseLowering<TanhOp, emitElement>>(
      typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
