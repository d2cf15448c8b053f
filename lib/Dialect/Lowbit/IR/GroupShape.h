//===- GroupShape.h - blocks of elements that share a scale -----*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_DIALECT_LOWBIT_IR_GROUPSHAPE_H
#define LOWBIT_LIB_DIALECT_LOWBIT_IR_GROUPSHAPE_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OpImplementation.h"

namespace lowbit {

/// The shape of a group, as formats spell it: `group = [rows, columns]`. 0
/// stands for the whole dimension, `*`. A tensor of any rank is a matrix here:
/// its last dimension is the columns.
struct GroupShape {
  int64_t rows;
  int64_t cols;

  static mlir::FailureOr<GroupShape> parse(mlir::AsmParser &parser);
  void print(mlir::AsmPrinter &printer) const;

  /// Whether groups do not divide a tensor of this shape.
  bool needsPadding(llvm::ArrayRef<int64_t> shape) const;
  /// Whether a tensor of this shape has such groups. `what` is "a ... format".
  llvm::LogicalResult
  verify(llvm::ArrayRef<int64_t> shape, bool padded, llvm::StringRef what,
         llvm::function_ref<mlir::InFlightDiagnostic()> emitError) const;

  /// The columns of a group in a tensor of this shape.
  int64_t getCols(llvm::ArrayRef<int64_t> shape) const {
    return cols == 0 ? shape.back() : cols;
  }
  /// The shape of a tensor of one element per group.
  llvm::SmallVector<int64_t> getGrid(llvm::ArrayRef<int64_t> shape) const;
};

} // namespace lowbit

#endif // LOWBIT_LIB_DIALECT_LOWBIT_IR_GROUPSHAPE_H
