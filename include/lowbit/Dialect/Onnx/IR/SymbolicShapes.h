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
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include <optional>
#include <string>

namespace lowbit::onnx {

/// What is known about the values of a function: their dimensions, and the
/// elements of the small integer tensors that shapes are computed with. Both
/// are affine expressions over symbols, which stand for the dimensions that the
/// model leaves open ("batch", "sequence", ...).
class SymbolicShapes {
public:
  using Expressions = llvm::SmallVector<mlir::AffineExpr>;

  explicit SymbolicShapes(mlir::MLIRContext *context) : context(context) {}

  mlir::MLIRContext *getContext() const { return context; }

  /// The symbol of that name; equal names are equal symbols.
  mlir::AffineExpr getSymbol(llvm::StringRef name);
  /// A symbol that is equal to no other.
  mlir::AffineExpr makeSymbol();
  /// The name of a symbol, or "" for one that has none.
  llvm::StringRef getSymbolName(unsigned position) const {
    return names[position];
  }

  /// The dimensions of a tensor; nothing if not even its rank is known.
  std::optional<llvm::ArrayRef<mlir::AffineExpr>> getDims(mlir::Value) const;
  void setDims(mlir::Value value, llvm::ArrayRef<mlir::AffineExpr> dims);

  /// The elements of a tensor of integers, in row-major order.
  std::optional<llvm::ArrayRef<mlir::AffineExpr>>
  getElements(mlir::Value value) const;
  void setElements(mlir::Value value,
                   llvm::ArrayRef<mlir::AffineExpr> elements);

private:
  mlir::MLIRContext *context;
  std::vector<std::string> names;
  llvm::StringMap<unsigned> positions;
  llvm::DenseMap<mlir::Value, Expressions> dims;
  llvm::DenseMap<mlir::Value, Expressions> elements;
};

} // namespace lowbit::onnx

#endif // LOWBIT_DIALECT_ONNX_IR_SYMBOLICSHAPES_H
