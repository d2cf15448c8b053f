//===- SymbolicShapes.h - what is known of shapes ---------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_ONNX_IR_SYMBOLICSHAPES_H
#define LOWBIT_DIALECT_ONNX_IR_SYMBOLICSHAPES_H

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include <optional>
#include <string>

namespace lowbit::onnx {

/// What is known about the values of a function: their dimensions, and the
/// elements of the small integer tensors that shapes are computed with. Both
/// are affine expressions over symbols, which stand for the dimensions that the
/// model leaves open ("batch", "sequence", ...).
///
/// Expressions that the class hands out or stores are in a normal form
/// (SymbolicArithmetic.h): two that are always equal are the same expression.
class SymbolicShapes {
public:
  using Expressions = llvm::SmallVector<mlir::AffineExpr>;

  explicit SymbolicShapes(mlir::MLIRContext *context) : context(context) {}

  mlir::MLIRContext *getContext() const { return context; }

  //===--------------------------------------------------------------------===//
  // Symbols
  //===--------------------------------------------------------------------===//

  /// The dimension of that name; equal names are equal symbols.
  mlir::AffineExpr getSymbol(llvm::StringRef name);
  /// A dimension that is equal to no other.
  mlir::AffineExpr makeSymbol();
  /// An integer of which nothing is known, not even its sign.
  mlir::AffineExpr makeInteger();
  /// The name of a symbol, or "" for one that has none.
  llvm::StringRef getSymbolName(unsigned position) const {
    return names[position];
  }
  mlir::AffineExpr getConstant(int64_t value) const {
    return mlir::getAffineConstantExpr(value, context);
  }

  /// Records that a symbol always has the value of an expression in which it
  /// does not occur. Values that are set from now on no longer mention it.
  void setEqual(mlir::AffineSymbolExpr symbol, mlir::AffineExpr expression);

  //===--------------------------------------------------------------------===//
  // Arithmetic. The result is null if an operand is, or if it cannot be told.
  //===--------------------------------------------------------------------===//

  mlir::AffineExpr normalize(mlir::AffineExpr expression) const;
  mlir::AffineExpr add(mlir::AffineExpr a, mlir::AffineExpr b) const;
  mlir::AffineExpr subtract(mlir::AffineExpr a, mlir::AffineExpr b) const;
  mlir::AffineExpr multiply(mlir::AffineExpr a, mlir::AffineExpr b) const;
  /// Division that rounds down; the divisor is taken not to be zero.
  mlir::AffineExpr floorDivide(mlir::AffineExpr a, mlir::AffineExpr b) const;
  mlir::AffineExpr remainder(mlir::AffineExpr a, mlir::AffineExpr b) const;
  mlir::AffineExpr product(llvm::ArrayRef<mlir::AffineExpr> factors) const;

  /// Whether the expression is >= 0 whatever the symbols are.
  bool isNonNegative(mlir::AffineExpr expression) const;
  /// Whether a <= b, a < b, a == b hold always (true), never (false), or
  /// depending on the symbols (nothing).
  std::optional<bool> isLessOrEqual(mlir::AffineExpr a,
                                    mlir::AffineExpr b) const;
  std::optional<bool> isLess(mlir::AffineExpr a, mlir::AffineExpr b) const;
  std::optional<bool> isEqual(mlir::AffineExpr a, mlir::AffineExpr b) const;

  //===--------------------------------------------------------------------===//
  // Values
  //===--------------------------------------------------------------------===//

  /// The dimensions of a tensor; nothing if not even its rank is known.
  std::optional<llvm::ArrayRef<mlir::AffineExpr>> getDims(mlir::Value) const;
  void setDims(mlir::Value value, llvm::ArrayRef<mlir::AffineExpr> dims);
  /// One dimension, where a negative index counts from the end. Null if it is
  /// not known or does not exist.
  mlir::AffineExpr getDim(mlir::Value value, int64_t index) const;
  /// Whether the dimensions of both are known and always equal.
  bool haveEqualDims(mlir::Value a, mlir::Value b) const;

  /// The elements of a tensor of integers, in row-major order.
  std::optional<llvm::ArrayRef<mlir::AffineExpr>>
  getElements(mlir::Value value) const;
  void setElements(mlir::Value value,
                   llvm::ArrayRef<mlir::AffineExpr> elements);
  /// The elements, if all of them are constants.
  std::optional<llvm::SmallVector<int64_t>>
  getConstantElements(mlir::Value value) const;

  /// Forgets a value. To be called before its memory is used for another one.
  void erase(mlir::Value value);
  /// Forgets all values, but no symbol and no equality.
  void clearValues();

private:
  mlir::AffineExpr addSymbol(llvm::StringRef name, bool mayBeNegative);

  mlir::MLIRContext *context;
  std::vector<std::string> names;
  llvm::BitVector mayBeNegative;
  llvm::StringMap<unsigned> positions;
  /// What symbols are equal to; the expressions mention no key of the map.
  llvm::DenseMap<mlir::AffineExpr, mlir::AffineExpr> equalities;
  llvm::DenseMap<mlir::Value, Expressions> dims;
  llvm::DenseMap<mlir::Value, Expressions> elements;
};

} // namespace lowbit::onnx

#endif // LOWBIT_DIALECT_ONNX_IR_SYMBOLICSHAPES_H
