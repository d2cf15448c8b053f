//===- SymbolicArithmetic.h - a normal form of expressions ------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_ONNX_IR_SYMBOLICARITHMETIC_H
#define LOWBIT_DIALECT_ONNX_IR_SYMBOLICARITHMETIC_H

#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace lowbit::onnx {

/// Writes an expression as a sum of products of atoms (dimensions, symbols and
/// what remains of divisions) in a fixed order. MLIR's own simplification is
/// not made for products of symbols, which the numbers of elements of tensors
/// are: it leaves s0 * s1 and s1 * s0 apart. Null on overflow.
mlir::AffineExpr normalizeExpression(mlir::AffineExpr expression);

/// Whether an expression in normal form is >= 0 for all values of its atoms;
/// `isNonNegativeAtom` tells of which dimensions and symbols it is known.
bool isNonNegativeExpression(
    mlir::AffineExpr expression,
    llvm::function_ref<bool(mlir::AffineExpr)> isNonNegativeAtom);

} // namespace lowbit::onnx

#endif // LOWBIT_DIALECT_ONNX_IR_SYMBOLICARITHMETIC_H
