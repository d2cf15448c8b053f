//===- SymbolicShapes.cpp - what is known of shapes -----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Onnx/IR/SymbolicShapes.h"

using namespace mlir;
using namespace lowbit::onnx;

AffineExpr SymbolicShapes::getSymbol(StringRef name) {
  auto [it, isNew] = positions.try_emplace(name, names.size());
  if (isNew)
    names.push_back(name.str());
  return getAffineSymbolExpr(it->second, context);
}

AffineExpr SymbolicShapes::makeSymbol() {
  names.emplace_back();
  return getAffineSymbolExpr(names.size() - 1, context);
}

static std::optional<ArrayRef<AffineExpr>>
lookUp(const DenseMap<Value, SymbolicShapes::Expressions> &map, Value value) {
  auto it = map.find(value);
  if (it == map.end())
    return std::nullopt;
  return ArrayRef<AffineExpr>(it->second);
}

std::optional<ArrayRef<AffineExpr>> SymbolicShapes::getDims(Value value) const {
  return lookUp(dims, value);
}

void SymbolicShapes::setDims(Value value, ArrayRef<AffineExpr> expressions) {
  dims[value].assign(expressions.begin(), expressions.end());
}

std::optional<ArrayRef<AffineExpr>>
SymbolicShapes::getElements(Value value) const {
  return lookUp(elements, value);
}

void SymbolicShapes::setElements(Value value,
                                 ArrayRef<AffineExpr> expressions) {
  elements[value].assign(expressions.begin(), expressions.end());
}
