//===- ShapeInference.h - shapes of whole functions -------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_ONNX_IR_SHAPEINFERENCE_H
#define LOWBIT_DIALECT_ONNX_IR_SHAPEINFERENCE_H

#include "lowbit/Dialect/Onnx/IR/SymbolicShapes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace lowbit::onnx {

/// Computes what can be known of the shapes of a function's values before it
/// runs, from the types of the arguments and the names of their dimensions
/// (`onnx.dim_params`). Fails, with a diagnostic, if the function contradicts
/// itself. No type is changed; see `refineTypes`.
///
/// The names that the model gives the dimensions of its results are believed:
/// if a cache is declared `total` long and is computed `past + sequence` long,
/// then `total` is `past + sequence` wherever it occurs.
mlir::FailureOr<SymbolicShapes> inferShapes(mlir::func::FuncOp function);

/// The same for one op (but not the ops in its regions), whose operands
/// `shapes` knows.
llvm::LogicalResult inferShapes(mlir::Operation *op, SymbolicShapes &shapes);

/// Replaces `?` in the types of a function's values, and of its results, where
/// `shapes` knows better.
void refineTypes(mlir::func::FuncOp function, const SymbolicShapes &shapes);

/// The type of a tensor whose dimensions are constant where `dims` are.
mlir::RankedTensorType getTensorType(llvm::ArrayRef<mlir::AffineExpr> dims,
                                     mlir::Type elementType);

} // namespace lowbit::onnx

#endif // LOWBIT_DIALECT_ONNX_IR_SHAPEINFERENCE_H
