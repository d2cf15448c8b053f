//===- FormatEmitter.h - what the code of formats is made of ----*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_DIALECT_LOWBIT_IR_FORMATEMITTER_H
#define LOWBIT_LIB_DIALECT_LOWBIT_IR_FORMATEMITTER_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lowbit {

/// A builder that takes constants as C++ numbers, and builds what several
/// formats compute.
struct FormatEmitter : mlir::ImplicitLocOpBuilder {
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  mlir::Value index(int64_t value);
  mlir::Value i32(int64_t value);
  mlir::Value f32(float value);
  /// Between the float types.
  mlir::Value convert(mlir::Value value, mlir::Type type);
  mlir::Value extractF32(mlir::Value tensor, mlir::ValueRange indices);
  /// Rounds to an integer within [lo, hi], floats of integral value; a NaN
  /// becomes one of the bounds.
  mlir::Value toInteger(mlir::Value value, mlir::Value lo, mlir::Value hi);
  /// The code of `bits` bits at `indices` of a tensor whose last dimension is
  /// packed as `packBits` does it, as an i32.
  mlir::Value unpack(mlir::Value packed, unsigned bits, bool isSigned,
                     llvm::ArrayRef<mlir::Value> indices);
  /// The place of the element at `indices` in a tensor of one element for each
  /// group; 0 stands for a whole dimension.
  llvm::SmallVector<mlir::Value>
  groupIndices(int64_t groupRows, int64_t groupCols,
               llvm::ArrayRef<mlir::Value> indices);
};

} // namespace lowbit

#endif // LOWBIT_LIB_DIALECT_LOWBIT_IR_FORMATEMITTER_H
