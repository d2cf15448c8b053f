//===- FormatEmitter.h - builds what formats compute ------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_DIALECT_LOWBIT_IR_FORMATEMITTER_H
#define LOWBIT_LIB_DIALECT_LOWBIT_IR_FORMATEMITTER_H

#include "GroupShape.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lowbit {

/// A builder of scalar arithmetic that takes constants as C++ numbers.
struct FormatEmitter : mlir::ImplicitLocOpBuilder {
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  mlir::Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(*this, value);
  }
  mlir::Value i32(int64_t value) {
    return mlir::arith::ConstantIntOp::create(*this, getI32Type(), value);
  }
  mlir::Value f32(float value) {
    return mlir::arith::ConstantFloatOp::create(*this, getF32Type(),
                                                llvm::APFloat(value));
  }
  /// Between the float types.
  mlir::Value convert(mlir::Value value, mlir::Type type);
  mlir::Value extractF32(mlir::Value tensor, mlir::ValueRange indices) {
    return convert(mlir::tensor::ExtractOp::create(*this, tensor, indices),
                   getF32Type());
  }

  /// Rounds to an integer within [lo, hi], floats of integral value; a NaN
  /// becomes one of the bounds.
  mlir::Value toInteger(mlir::Value value, mlir::Value lo, mlir::Value hi);

  /// The code at `indices` of a tensor whose last dimension is packed to bits,
  /// as i32.
  mlir::Value unpack(unsigned bits, bool isSigned, mlir::Value packed,
                     llvm::ArrayRef<mlir::Value> indices);
  /// The place of the element at `indices` in a tensor of one element per
  /// group.
  llvm::SmallVector<mlir::Value>
  groupIndices(GroupShape group, llvm::ArrayRef<mlir::Value> indices);
  /// `table[index]`, with an i32 index that is smaller than the table.
  mlir::Value lookUp(llvm::ArrayRef<float> table, mlir::Value index);
};

} // namespace lowbit

#endif // LOWBIT_LIB_DIALECT_LOWBIT_IR_FORMATEMITTER_H
