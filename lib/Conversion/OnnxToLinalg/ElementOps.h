//===- ElementOps.h - arithmetic on single elements -------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_ONNXTOLINALG_ELEMENTOPS_H
#define LOWBIT_LIB_CONVERSION_ONNXTOLINALG_ELEMENTOPS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

// Arithmetic with ONNX's semantics on signless integers, booleans and floats.
// Nothing here is undefined: a division by zero gives zero, what does not fit
// into an integer saturates, and NaN is passed on.

namespace lowbit::onnx::lowering {

using mlir::ImplicitLocOpBuilder;
using mlir::Type;
using mlir::Value;

Value emitConstant(ImplicitLocOpBuilder &b, Type type, double value);
/// The largest or smallest finite value of a type.
Value emitLimit(ImplicitLocOpBuilder &b, Type type, bool isUnsigned,
                bool largest);
/// Infinity of a float type, the limit of an integer type.
Value emitInfinity(ImplicitLocOpBuilder &b, Type type, bool isUnsigned,
                   bool positive);

Value emitAdd(ImplicitLocOpBuilder &b, Value x, Value y);
Value emitSub(ImplicitLocOpBuilder &b, Value x, Value y);
Value emitMul(ImplicitLocOpBuilder &b, Value x, Value y);
/// Integers are truncated toward zero.
Value emitDiv(ImplicitLocOpBuilder &b, Value x, Value y, bool isUnsigned);
/// The remainder, with the sign of `x` if `truncated` and of `y` if not.
Value emitMod(ImplicitLocOpBuilder &b, Value x, Value y, bool isUnsigned,
              bool truncated);
Value emitNeg(ImplicitLocOpBuilder &b, Value x);
Value emitAbs(ImplicitLocOpBuilder &b, Value x, bool isUnsigned);
Value emitMax(ImplicitLocOpBuilder &b, Value x, Value y, bool isUnsigned);
Value emitMin(ImplicitLocOpBuilder &b, Value x, Value y, bool isUnsigned);
/// `x` to the power of `y`, in the type of `x`.
Value emitPow(ImplicitLocOpBuilder &b, Value x, Value y, bool isUnsignedY);

enum class Comparison { Equal, Less, LessOrEqual, Greater, GreaterOrEqual };
Value emitCompare(ImplicitLocOpBuilder &b, Comparison comparison, Value x,
                  Value y, bool isUnsigned);
Value emitIsNaN(ImplicitLocOpBuilder &b, Value x);

/// Converts to `to`; `fromUnsigned` and `toUnsigned` say how signless integers
/// are meant.
Value emitCast(ImplicitLocOpBuilder &b, Value x, bool fromUnsigned, Type to,
               bool toUnsigned);
/// Converts between float types.
Value emitFloatCast(ImplicitLocOpBuilder &b, Value x, Type to);

/// The type to sum elements of `type` in: f32 for the shorter floats.
Type getAccumulatorType(Type type);

} // namespace lowbit::onnx::lowering

#endif // LOWBIT_LIB_CONVERSION_ONNXTOLINALG_ELEMENTOPS_H
