//===- FlattenRows.h - tensors as matrices of rows --------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_LOWBITTOLINALG_FLATTENROWS_H
#define LOWBIT_LIB_CONVERSION_LOWBITTOLINALG_FLATTENROWS_H

#include "mlir/IR/Builders.h"

namespace lowbit {

/// `tensor`, of rank 1 or more, as a matrix of its rows.
mlir::Value flattenRows(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value tensor);

/// The inverse, to a tensor of the given shape and sizes.
mlir::Value unflattenRows(mlir::OpBuilder &builder, mlir::Location loc,
                          mlir::Value matrix, llvm::ArrayRef<int64_t> shape,
                          llvm::ArrayRef<mlir::OpFoldResult> sizes);

} // namespace lowbit

#endif // LOWBIT_LIB_CONVERSION_LOWBITTOLINALG_FLATTENROWS_H
