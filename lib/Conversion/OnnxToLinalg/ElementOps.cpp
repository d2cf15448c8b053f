//===- ElementOps.cpp - arithmetic on single elements ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include <cmath>

using namespace mlir;
using namespace lowbit::onnx;
using namespace lowbit::onnx::lowering;

static bool isFloat(Value value) { return isa<FloatType>(value.getType()); }
static bool isBool(Type type) { return type.isInteger(1); }

Value lowbit::onnx::lowering::emitConstant(ImplicitLocOpBuilder &b, Type type,
                                           double value) {
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(b, b.getFloatAttr(type, value));
  return arith::ConstantOp::create(
      b, b.getIntegerAttr(type, static_cast<int64_t>(value)));
}

static Value emitIntegerLimit(ImplicitLocOpBuilder &b, Type type,
                              bool isUnsigned, bool largest) {
  unsigned width = type.getIntOrFloatBitWidth();
  APInt limit = largest ? (isUnsigned ? APInt::getMaxValue(width)
                                      : APInt::getSignedMaxValue(width))
                        : (isUnsigned ? APInt::getMinValue(width)
                                      : APInt::getSignedMinValue(width));
  return arith::ConstantOp::create(b, b.getIntegerAttr(type, limit));
}

Value lowbit::onnx::lowering::emitLimit(ImplicitLocOpBuilder &b, Type type,
                                        bool isUnsigned, bool largest) {
  auto floatType = dyn_cast<FloatType>(type);
  if (!floatType)
    return emitIntegerLimit(b, type, isUnsigned, largest);
  APFloat limit =
      APFloat::getLargest(floatType.getFloatSemantics(), /*Negative=*/!largest);
  return arith::ConstantOp::create(b, b.getFloatAttr(type, limit));
}

Value lowbit::onnx::lowering::emitInfinity(ImplicitLocOpBuilder &b, Type type,
                                           bool isUnsigned, bool positive) {
  auto floatType = dyn_cast<FloatType>(type);
  if (!floatType)
    return emitIntegerLimit(b, type, isUnsigned, positive);
  APFloat infinity =
      APFloat::getInf(floatType.getFloatSemantics(), /*Negative=*/!positive);
  return arith::ConstantOp::create(b, b.getFloatAttr(type, infinity));
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value lowbit::onnx::lowering::emitAdd(ImplicitLocOpBuilder &b, Value x,
                                      Value y) {
  return isFloat(x) ? b.createOrFold<arith::AddFOp>(x, y)
                    : b.createOrFold<arith::AddIOp>(x, y);
}

Value lowbit::onnx::lowering::emitSub(ImplicitLocOpBuilder &b, Value x,
                                      Value y) {
  return isFloat(x) ? b.createOrFold<arith::SubFOp>(x, y)
                    : b.createOrFold<arith::SubIOp>(x, y);
}

Value lowbit::onnx::lowering::emitMul(ImplicitLocOpBuilder &b, Value x,
                                      Value y) {
  return isFloat(x) ? b.createOrFold<arith::MulFOp>(x, y)
                    : b.createOrFold<arith::MulIOp>(x, y);
}

Value lowbit::onnx::lowering::emitNeg(ImplicitLocOpBuilder &b, Value x) {
  if (isFloat(x))
    return b.createOrFold<arith::NegFOp>(x);
  return emitSub(b, emitConstant(b, x.getType(), 0), x);
}

Value lowbit::onnx::lowering::emitAbs(ImplicitLocOpBuilder &b, Value x,
                                      bool isUnsigned) {
  if (isUnsigned)
    return x;
  return isFloat(x) ? b.createOrFold<math::AbsFOp>(x)
                    : b.createOrFold<math::AbsIOp>(x);
}

static Value emitEquals(ImplicitLocOpBuilder &b, Value x, double constant) {
  return b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq, x,
                                       emitConstant(b, x.getType(), constant));
}

/// A divisor by which the hardware divides without a trap: `y`, or 1 where `y`
/// is 0, or -1 (the smallest number has no negative). The caller replaces the
/// results of those two.
static Value emitSafeDivisor(ImplicitLocOpBuilder &b, Value y,
                             bool isUnsigned) {
  APInt constant;
  if (matchPattern(y, m_ConstantInt(&constant)) && !constant.isZero() &&
      (isUnsigned || !constant.isAllOnes()))
    return y;
  Value unsafe = emitEquals(b, y, 0);
  if (!isUnsigned)
    unsafe = b.createOrFold<arith::OrIOp>(unsafe, emitEquals(b, y, -1));
  return b.createOrFold<arith::SelectOp>(unsafe,
                                         emitConstant(b, y.getType(), 1), y);
}

Value lowbit::onnx::lowering::emitDiv(ImplicitLocOpBuilder &b, Value x, Value y,
                                      bool isUnsigned) {
  if (isFloat(x))
    return b.createOrFold<arith::DivFOp>(x, y);
  Value divisor = emitSafeDivisor(b, y, isUnsigned);
  Value quotient = isUnsigned ? b.createOrFold<arith::DivUIOp>(x, divisor)
                              : b.createOrFold<arith::DivSIOp>(x, divisor);
  if (divisor == y)
    return quotient;
  if (!isUnsigned)
    quotient = b.createOrFold<arith::SelectOp>(emitEquals(b, y, -1),
                                               emitNeg(b, x), quotient);
  return b.createOrFold<arith::SelectOp>(
      emitEquals(b, y, 0), emitConstant(b, x.getType(), 0), quotient);
}

Value lowbit::onnx::lowering::emitMod(ImplicitLocOpBuilder &b, Value x, Value y,
                                      bool isUnsigned, bool truncated) {
  if (isFloat(x))
    return b.createOrFold<arith::RemFOp>(x, y);
  // x mod 1 is 0, which is right for -1, and what we say of 0.
  Value divisor = emitSafeDivisor(b, y, isUnsigned);
  if (isUnsigned)
    return b.createOrFold<arith::RemUIOp>(x, divisor);
  Value remainder = b.createOrFold<arith::RemSIOp>(x, divisor);
  if (truncated)
    return remainder;
  Value zero = emitConstant(b, x.getType(), 0);
  Value signsDiffer = b.createOrFold<arith::CmpIOp>(
      arith::CmpIPredicate::slt,
      b.createOrFold<arith::XOrIOp>(remainder, divisor), zero);
  Value isNonZero =
      b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::ne, remainder, zero);
  return b.createOrFold<arith::SelectOp>(
      b.createOrFold<arith::AndIOp>(signsDiffer, isNonZero),
      emitAdd(b, remainder, divisor), remainder);
}

Value lowbit::onnx::lowering::emitMax(ImplicitLocOpBuilder &b, Value x, Value y,
                                      bool isUnsigned) {
  if (isFloat(x))
    return b.createOrFold<arith::MaximumFOp>(x, y);
  if (isUnsigned || isBool(x.getType()))
    return b.createOrFold<arith::MaxUIOp>(x, y);
  return b.createOrFold<arith::MaxSIOp>(x, y);
}

Value lowbit::onnx::lowering::emitMin(ImplicitLocOpBuilder &b, Value x, Value y,
                                      bool isUnsigned) {
  if (isFloat(x))
    return b.createOrFold<arith::MinimumFOp>(x, y);
  if (isUnsigned || isBool(x.getType()))
    return b.createOrFold<arith::MinUIOp>(x, y);
  return b.createOrFold<arith::MinSIOp>(x, y);
}

/// Powers that need no library function; null for others.
static Value emitConstantPow(ImplicitLocOpBuilder &b, Value x,
                             double exponent) {
  if (exponent == 1.0)
    return x;
  if (exponent == 2.0)
    return emitMul(b, x, x);
  if (exponent == 3.0)
    return emitMul(b, emitMul(b, x, x), x);
  if (!isFloat(x))
    return Value();
  if (exponent == 0.5)
    return math::SqrtOp::create(b, x);
  if (exponent == -1.0)
    return emitDiv(b, emitConstant(b, x.getType(), 1), x, false);
  return Value();
}

/// x to the power of y by squaring. A negative power is 0, unless x is 1 or -1.
static Value emitIntegerPow(ImplicitLocOpBuilder &b, Value x, Value y) {
  Type type = x.getType();
  Value zero = emitConstant(b, type, 0), one = emitConstant(b, type, 1);
  auto isOdd = [&](Value value) -> Value {
    Value bit = arith::AndIOp::create(b, value, one);
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, bit, zero);
  };
  Value start = arith::ConstantIndexOp::create(b, 0);
  Value end = arith::ConstantIndexOp::create(b, type.getIntOrFloatBitWidth());
  Value step = arith::ConstantIndexOp::create(b, 1);
  auto loop = scf::ForOp::create(b, start, end, step, ValueRange{one, x, y});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    auto [product, base, exponent] =
        std::tuple(loop.getRegionIterArg(0), loop.getRegionIterArg(1),
                   loop.getRegionIterArg(2));
    Value next = arith::SelectOp::create(b, isOdd(exponent),
                                         emitMul(b, product, base), product);
    scf::YieldOp::create(b,
                         ValueRange{next, emitMul(b, base, base),
                                    arith::ShRUIOp::create(b, exponent, one)});
  }
  Value minusOne = emitConstant(b, type, -1);
  auto isEqual = [&](Value constant) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, x, constant);
  };
  Value sign = arith::SelectOp::create(b, isOdd(y), minusOne, one);
  Value inverse = arith::SelectOp::create(b, isEqual(minusOne), sign, zero);
  inverse = arith::SelectOp::create(b, isEqual(one), one, inverse);
  Value isNegative =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, y, zero);
  return arith::SelectOp::create(b, isNegative, inverse, loop.getResult(0));
}

Value lowbit::onnx::lowering::emitPow(ImplicitLocOpBuilder &b, Value x, Value y,
                                      bool isUnsignedY) {
  APFloat exponent(0.0);
  APInt integerExponent;
  Value result;
  if (matchPattern(y, m_ConstantFloat(&exponent)))
    result = emitConstantPow(b, x, exponent.convertToDouble());
  else if (matchPattern(y, m_ConstantInt(&integerExponent)) && !isUnsignedY)
    result = emitConstantPow(
        b, x, static_cast<double>(integerExponent.getSExtValue()));
  if (result)
    return result;
  Type type = x.getType();
  if (!isFloat(x) && !isFloat(y)) {
    // The exponent in the type of the base; a larger one than fits overflows
    // the result anyway.
    Value power = emitCast(b, y, isUnsignedY, type, /*toUnsigned=*/false);
    return emitIntegerPow(b, x, power);
  }
  // Doubles hold all 32-bit integers.
  Type wide = isFloat(x) ? getAccumulatorType(type) : Type(b.getF64Type());
  Value power = math::PowFOp::create(b, emitCast(b, x, false, wide, false),
                                     emitCast(b, y, isUnsignedY, wide, false));
  return emitCast(b, power, false, type, false);
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

static arith::CmpFPredicate getFloatPredicate(Comparison comparison) {
  switch (comparison) {
  case Comparison::Equal:
    return arith::CmpFPredicate::OEQ;
  case Comparison::Less:
    return arith::CmpFPredicate::OLT;
  case Comparison::LessOrEqual:
    return arith::CmpFPredicate::OLE;
  case Comparison::Greater:
    return arith::CmpFPredicate::OGT;
  case Comparison::GreaterOrEqual:
    return arith::CmpFPredicate::OGE;
  }
  llvm_unreachable("unknown comparison");
}

static arith::CmpIPredicate getIntegerPredicate(Comparison comparison,
                                                bool isUnsigned) {
  switch (comparison) {
  case Comparison::Equal:
    return arith::CmpIPredicate::eq;
  case Comparison::Less:
    return isUnsigned ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt;
  case Comparison::LessOrEqual:
    return isUnsigned ? arith::CmpIPredicate::ule : arith::CmpIPredicate::sle;
  case Comparison::Greater:
    return isUnsigned ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::sgt;
  case Comparison::GreaterOrEqual:
    return isUnsigned ? arith::CmpIPredicate::uge : arith::CmpIPredicate::sge;
  }
  llvm_unreachable("unknown comparison");
}

Value lowbit::onnx::lowering::emitCompare(ImplicitLocOpBuilder &b,
                                          Comparison comparison, Value x,
                                          Value y, bool isUnsigned) {
  if (isFloat(x))
    return b.createOrFold<arith::CmpFOp>(getFloatPredicate(comparison), x, y);
  return b.createOrFold<arith::CmpIOp>(
      getIntegerPredicate(comparison, isUnsigned), x, y);
}

Value lowbit::onnx::lowering::emitIsNaN(ImplicitLocOpBuilder &b, Value x) {
  return b.createOrFold<arith::CmpFOp>(arith::CmpFPredicate::UNO, x, x);
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

Type lowbit::onnx::lowering::getAccumulatorType(Type type) {
  if (isa<FloatType>(type) && type.getIntOrFloatBitWidth() < 32)
    return Float32Type::get(type.getContext());
  return type;
}

Value lowbit::onnx::lowering::emitFloatCast(ImplicitLocOpBuilder &b, Value x,
                                            Type to) {
  Type from = x.getType();
  if (from == to)
    return x;
  unsigned fromWidth = from.getIntOrFloatBitWidth();
  unsigned toWidth = to.getIntOrFloatBitWidth();
  if (fromWidth < toWidth)
    return b.createOrFold<arith::ExtFOp>(to, x);
  if (fromWidth > toWidth)
    return b.createOrFold<arith::TruncFOp>(to, x);
  // f16 and bf16 hold different numbers; f32 holds both.
  return b.createOrFold<arith::TruncFOp>(
      to, b.createOrFold<arith::ExtFOp>(b.getF32Type(), x));
}

/// Saturates; NaN becomes 0.
static Value emitFloatToInt(ImplicitLocOpBuilder &b, Value x, Type to,
                            bool toUnsigned) {
  if (x.getType().getIntOrFloatBitWidth() < 32)
    x = emitFloatCast(b, x, b.getF32Type());
  Value result = toUnsigned ? b.createOrFold<arith::FPToUIOp>(to, x)
                            : b.createOrFold<arith::FPToSIOp>(to, x);
  Attribute constant;
  if (matchPattern(result, m_Constant(&constant)))
    return result;
  // The limits are powers of two, and therefore exact.
  int width = to.getIntOrFloatBitWidth() - (toUnsigned ? 0 : 1);
  Value above = emitConstant(b, x.getType(), std::ldexp(1.0, width));
  Value below =
      emitConstant(b, x.getType(), toUnsigned ? 0.0 : -std::ldexp(1.0, width));
  auto select = [&](arith::CmpFPredicate predicate, Value bound, Value then) {
    Value condition = arith::CmpFOp::create(b, predicate, x, bound);
    result = arith::SelectOp::create(b, condition, then, result);
  };
  select(arith::CmpFPredicate::OGE, above,
         emitIntegerLimit(b, to, toUnsigned, /*largest=*/true));
  select(arith::CmpFPredicate::OLE, below,
         emitIntegerLimit(b, to, toUnsigned, /*largest=*/false));
  select(arith::CmpFPredicate::UNO, x, emitConstant(b, to, 0));
  return result;
}

Value lowbit::onnx::lowering::emitCast(ImplicitLocOpBuilder &b, Value x,
                                       bool fromUnsigned, Type to,
                                       bool toUnsigned) {
  Type from = x.getType();
  if (from == to)
    return x;
  // Booleans are 0 and 1 in every other type.
  bool zeroExtend = fromUnsigned || isBool(from);
  if (isBool(to)) {
    Value zero = emitConstant(b, from, 0);
    return isFloat(x) ? b.createOrFold<arith::CmpFOp>(arith::CmpFPredicate::UNE,
                                                      x, zero)
                      : b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::ne,
                                                      x, zero);
  }
  if (isFloat(x))
    return isa<FloatType>(to) ? emitFloatCast(b, x, to)
                              : emitFloatToInt(b, x, to, toUnsigned);
  if (isa<FloatType>(to))
    return zeroExtend ? b.createOrFold<arith::UIToFPOp>(to, x)
                      : b.createOrFold<arith::SIToFPOp>(to, x);
  if (to.getIntOrFloatBitWidth() < from.getIntOrFloatBitWidth())
    return b.createOrFold<arith::TruncIOp>(to, x);
  return zeroExtend ? b.createOrFold<arith::ExtUIOp>(to, x)
                    : b.createOrFold<arith::ExtSIOp>(to, x);
}
