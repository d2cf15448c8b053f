//===- Matchers.h - what the recognizing patterns share ---------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_MATCHERS_H
#define LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_MATCHERS_H

#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "mlir/IR/PatternMatch.h"

namespace lowbit::onnx {

/// The value of a constant with one element.
std::optional<double> getScalar(mlir::Value value);

/// Whether a constant of the model is a number, up to the rounding of f32 (of
/// the constant itself, and of a division that made it).
bool isClose(double constant, double number);

/// The constant's elements as integers.
std::optional<llvm::SmallVector<int64_t>> getIntegers(mlir::Value value);

/// A tensor of integers, as ONNX's axes, shapes and the like are.
mlir::Value createIntegers(mlir::OpBuilder &builder, mlir::Location loc,
                           llvm::ArrayRef<int64_t> values);
/// A constant of rank 0.
mlir::Value createScalar(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::FloatType type, double value);

mlir::FloatType getFloatElementType(mlir::Value value);
/// The rank, or -1.
int64_t getRank(mlir::Value value);
/// A dimension that the type tells, or kDynamic; negative indices count from
/// the end.
int64_t getKnownDim(mlir::Value value, int64_t index);

/// `value` as `other` times or plus a number: the operands of a commutative op
/// may stand either way. The number does not change the shape.
struct WithScalar {
  mlir::Value other;
  double scalar;
};
std::optional<WithScalar> matchAddScalar(mlir::Value value);
/// Also division by a constant.
std::optional<WithScalar> matchMulScalar(mlir::Value value);

/// A product, as the constants in it and its other factors. Multiplications are
/// followed as long as nothing else uses their results.
struct Factors {
  double scalar = 1;
  llvm::SmallVector<mlir::Value, 4> values;
};
Factors collectFactors(mlir::Value value);

/// `value` as scalar * base^degree, with degree > 0.
struct Power {
  double scalar;
  int degree;
};
std::optional<Power> matchPower(mlir::Value value, mlir::Value base);

/// The operand of x * x, x^2.
mlir::Value matchSquare(mlir::Value value);

/// The operand of a mean over the last dimension, which is kept as 1.
mlir::Value matchMeanOfLast(mlir::Value value);

/// x / sqrt(mean(square) + epsilon), in any spelling, over the last dimension:
/// what the norms have in common. `x` and `square` need not be related.
struct RootMeanSquare {
  mlir::Value x;
  mlir::Value square;
  double epsilon;
};
std::optional<RootMeanSquare> matchRootMeanSquare(mlir::Operation *op);

/// The op that is the only user of a value, if it is of the type asked for.
template <typename OpTy>
OpTy getOnlyUser(mlir::Value value) {
  return value.hasOneUse() ? llvm::dyn_cast<OpTy>(*value.user_begin()) : OpTy();
}

/// The operand of a binary op that is not `value`.
template <typename OpTy>
mlir::Value getOtherOperand(OpTy op, mlir::Value value) {
  return op.getA() == value ? op.getB() : op.getA();
}

} // namespace lowbit::onnx

#endif // LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_MATCHERS_H
