//===- MatMul.cpp - shapes of matrix products -----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Inference.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace lowbit::onnx;

LogicalResult MatMulOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> a = shapes.getDims(getA());
  std::optional<ArrayRef<AffineExpr>> b = shapes.getDims(getB());
  if (!a || !b || a->empty() || b->empty())
    return success();
  // A vector is a row on the left, a column on the right.
  AffineExpr inner = b->size() == 1 ? b->back() : (*b)[b->size() - 2];
  if (!unifyDims(*this, shapes, a->back(), inner))
    return failure();
  std::optional<SymbolicShapes::Expressions> dims =
      broadcastDims(*this, shapes, a->drop_back(std::min<size_t>(a->size(), 2)),
                    b->drop_back(std::min<size_t>(b->size(), 2)));
  if (!dims)
    return failure();
  if (a->size() > 1)
    dims->push_back((*a)[a->size() - 2]);
  if (b->size() > 1)
    dims->push_back(b->back());
  shapes.setDims(getY(), *dims);
  return success();
}

LogicalResult GemmOp::inferShapes(SymbolicShapes &shapes) {
  AffineExpr rows = shapes.getDim(getA(), getTransA() ? 1 : 0);
  AffineExpr columns = shapes.getDim(getB(), getTransB() ? 0 : 1);
  AffineExpr a = shapes.getDim(getA(), getTransA() ? 0 : 1);
  AffineExpr b = shapes.getDim(getB(), getTransB() ? 1 : 0);
  if (a && b && !unifyDims(*this, shapes, a, b))
    return failure();
  shapes.setDims(getY(), {rows, columns});
  return success();
}

/// "bij,bjk->bik", with or without the arrow. An ellipsis is left to the run
/// time.
LogicalResult EinsumOp::inferShapes(SymbolicShapes &shapes) {
  std::string equation = getEquation().str();
  llvm::erase(equation, ' ');
  StringRef left(equation), right;
  bool hasArrow = left.contains("->");
  std::tie(left, right) = left.split("->");
  if (equation.find('.') != std::string::npos)
    return success();
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (terms.size() != getInputs().size())
    return emitOpError() << "equation names " << terms.size()
                         << " operands, got " << getInputs().size();
  std::map<char, AffineExpr> sizes;
  std::map<char, int> uses;
  for (auto [term, input] : llvm::zip(terms, getInputs())) {
    std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(input);
    if (!dims)
      return success();
    if (dims->size() != term.size())
      return emitOpError() << "operand of rank " << dims->size()
                           << " cannot be '" << term << "'";
    for (auto [letter, dim] : llvm::zip(term, *dims)) {
      ++uses[letter];
      auto [it, isNew] = sizes.try_emplace(letter, dim);
      if (!isNew && !(it->second = unifyDims(*this, shapes, it->second, dim)))
        return failure();
    }
  }
  std::string output = right.str();
  if (!hasArrow)
    for (auto [letter, count] : uses)
      if (count == 1)
        output.push_back(letter);
  SymbolicShapes::Expressions dims;
  for (char letter : output) {
    auto it = sizes.find(letter);
    if (it == sizes.end())
      return emitOpError() << "no operand has the index '" << letter << "'";
    dims.push_back(it->second);
  }
  shapes.setDims(getOutput(), dims);
  return success();
}
