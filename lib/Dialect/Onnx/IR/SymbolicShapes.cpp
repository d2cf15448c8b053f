//===- SymbolicShapes.cpp - what is known of shapes -----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Onnx/IR/SymbolicShapes.h"
#include "lowbit/Dialect/Onnx/IR/SymbolicArithmetic.h"
#include "llvm/ADT/SmallVectorExtras.h"

using namespace mlir;
using namespace lowbit::onnx;

//===----------------------------------------------------------------------===//
// Symbols
//===----------------------------------------------------------------------===//

AffineExpr SymbolicShapes::addSymbol(StringRef name, bool negative) {
  unsigned position = names.size();
  names.push_back(name.str());
  mayBeNegative.push_back(negative);
  return getAffineSymbolExpr(position, context);
}

AffineExpr SymbolicShapes::getSymbol(StringRef name) {
  auto [it, isNew] = positions.try_emplace(name, names.size());
  if (isNew)
    return addSymbol(name, /*negative=*/false);
  return normalize(getAffineSymbolExpr(it->second, context));
}

AffineExpr SymbolicShapes::makeSymbol() {
  return addSymbol("", /*negative=*/false);
}

AffineExpr SymbolicShapes::makeInteger() {
  return addSymbol("", /*negative=*/true);
}

void SymbolicShapes::setEqual(AffineSymbolExpr symbol, AffineExpr expression) {
  DenseMap<AffineExpr, AffineExpr> one = {{symbol, expression}};
  for (auto &entry : equalities)
    entry.second = normalizeExpression(entry.second.replace(one));
  equalities[symbol] = expression;
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

AffineExpr SymbolicShapes::normalize(AffineExpr expression) const {
  if (expression && !equalities.empty())
    expression = expression.replace(equalities);
  return normalizeExpression(expression);
}

AffineExpr SymbolicShapes::add(AffineExpr a, AffineExpr b) const {
  return a && b ? normalize(a + b) : AffineExpr();
}

AffineExpr SymbolicShapes::subtract(AffineExpr a, AffineExpr b) const {
  return a && b ? normalize(a - b) : AffineExpr();
}

AffineExpr SymbolicShapes::multiply(AffineExpr a, AffineExpr b) const {
  return a && b ? normalize(a * b) : AffineExpr();
}

/// Affine division is defined for positive divisors only. A dimension is never
/// divided by if it is zero.
static bool isDivisor(AffineExpr expression) {
  auto constant = dyn_cast_or_null<AffineConstantExpr>(expression);
  return expression && (!constant || constant.getValue() > 0);
}

AffineExpr SymbolicShapes::floorDivide(AffineExpr a, AffineExpr b) const {
  return a && isDivisor(b) ? normalize(a.floorDiv(b)) : AffineExpr();
}

AffineExpr SymbolicShapes::remainder(AffineExpr a, AffineExpr b) const {
  return a && isDivisor(b) ? normalize(a % b) : AffineExpr();
}

AffineExpr SymbolicShapes::product(ArrayRef<AffineExpr> factors) const {
  AffineExpr result = getConstant(1);
  for (AffineExpr factor : factors)
    result = multiply(result, factor);
  return result;
}

bool SymbolicShapes::isNonNegative(AffineExpr expression) const {
  return expression &&
         isNonNegativeExpression(expression, [&](AffineExpr atom) {
           auto symbol = dyn_cast<AffineSymbolExpr>(atom);
           return symbol && !mayBeNegative[symbol.getPosition()];
         });
}

std::optional<bool> SymbolicShapes::isLessOrEqual(AffineExpr a,
                                                  AffineExpr b) const {
  if (isNonNegative(subtract(b, a)))
    return true;
  if (isNonNegative(subtract(subtract(a, b), getConstant(1))))
    return false;
  return std::nullopt;
}

std::optional<bool> SymbolicShapes::isLess(AffineExpr a, AffineExpr b) const {
  std::optional<bool> converse = isLessOrEqual(b, a);
  return converse ? std::optional(!*converse) : std::nullopt;
}

std::optional<bool> SymbolicShapes::isEqual(AffineExpr a, AffineExpr b) const {
  AffineExpr difference = subtract(a, b);
  if (!difference)
    return std::nullopt;
  if (difference == getConstant(0))
    return true;
  if (isLess(a, b).value_or(false) || isLess(b, a).value_or(false))
    return false;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

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
  // The argument may lie in the map, which moves when it grows.
  Expressions normalized = llvm::map_to_vector(expressions, [&](AffineExpr e) {
    AffineExpr normal = normalize(e);
    return normal ? normal : makeSymbol();
  });
  dims[value] = std::move(normalized);
}

AffineExpr SymbolicShapes::getDim(Value value, int64_t index) const {
  std::optional<ArrayRef<AffineExpr>> all = getDims(value);
  if (!all)
    return {};
  int64_t rank = all->size();
  if (index < 0)
    index += rank;
  return index >= 0 && index < rank ? (*all)[index] : AffineExpr();
}

bool SymbolicShapes::haveEqualDims(Value a, Value b) const {
  std::optional<ArrayRef<AffineExpr>> x = getDims(a), y = getDims(b);
  return x && y && *x == *y;
}

std::optional<ArrayRef<AffineExpr>>
SymbolicShapes::getElements(Value value) const {
  return lookUp(elements, value);
}

void SymbolicShapes::setElements(Value value,
                                 ArrayRef<AffineExpr> expressions) {
  Expressions normalized = llvm::map_to_vector(expressions, [&](AffineExpr e) {
    AffineExpr normal = normalize(e);
    return normal ? normal : makeInteger();
  });
  elements[value] = std::move(normalized);
}

std::optional<SmallVector<int64_t>>
SymbolicShapes::getConstantElements(Value value) const {
  std::optional<ArrayRef<AffineExpr>> expressions = getElements(value);
  if (!expressions)
    return std::nullopt;
  SmallVector<int64_t> result;
  for (AffineExpr expression : *expressions) {
    auto constant = dyn_cast<AffineConstantExpr>(expression);
    if (!constant)
      return std::nullopt;
    result.push_back(constant.getValue());
  }
  return result;
}

void SymbolicShapes::erase(Value value) {
  dims.erase(value);
  elements.erase(value);
}

void SymbolicShapes::clearValues() {
  dims.clear();
  elements.clear();
}
