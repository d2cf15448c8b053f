//===- Inference.cpp - what the ops' shape inference shares ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Inference.h"

using namespace mlir;
using namespace lowbit::onnx;

std::string lowbit::onnx::getText(ArrayRef<AffineExpr> dims) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << '(';
  llvm::interleaveComma(dims, os, [&](AffineExpr dim) { dim.print(os); });
  os << ')';
  return text;
}

std::optional<int64_t> lowbit::onnx::getSmallSize(ArrayRef<AffineExpr> dims) {
  int64_t size = 1;
  for (AffineExpr dim : dims) {
    auto constant = dyn_cast<AffineConstantExpr>(dim);
    if (!constant || constant.getValue() > kMaxElements)
      return std::nullopt;
    size *= constant.getValue();
    if (size > kMaxElements)
      return std::nullopt;
  }
  return size;
}

std::optional<SmallVector<int64_t>>
lowbit::onnx::getAxes(const SymbolicShapes &shapes, Value axes, int64_t rank) {
  std::optional<SmallVector<int64_t>> result = shapes.getConstantElements(axes);
  if (!result)
    return std::nullopt;
  for (int64_t &axis : *result) {
    std::optional<int64_t> normalized = normalizeAxis(axis, rank);
    if (!normalized)
      return std::nullopt;
    axis = *normalized;
  }
  return result;
}

AffineExpr lowbit::onnx::unifyDims(Operation *op, SymbolicShapes &shapes,
                                   AffineExpr a, AffineExpr b) {
  auto x = dyn_cast<AffineConstantExpr>(a), y = dyn_cast<AffineConstantExpr>(b);
  if (x && y && x != y) {
    op->emitOpError() << "dimensions must be equal, got " << x.getValue()
                      << " and " << y.getValue();
    return {};
  }
  return y ? b : a;
}

/// The dimension that two of them broadcast to.
static AffineExpr broadcastDim(SymbolicShapes &shapes, AffineExpr a,
                               AffineExpr b) {
  AffineExpr one = shapes.getConstant(1);
  if (a == b || b == one)
    return a;
  if (a == one)
    return b;
  auto x = dyn_cast<AffineConstantExpr>(a), y = dyn_cast<AffineConstantExpr>(b);
  if (x && y)
    return {};
  // What is not known may be 1 beside a constant, and is the same otherwise.
  if (x)
    return a;
  if (y)
    return b;
  return shapes.makeSymbol();
}

std::optional<SymbolicShapes::Expressions>
lowbit::onnx::broadcastDims(Operation *op, SymbolicShapes &shapes,
                            ArrayRef<AffineExpr> a, ArrayRef<AffineExpr> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  SymbolicShapes::Expressions result(a);
  size_t offset = a.size() - b.size();
  for (auto [index, dim] : llvm::enumerate(b)) {
    AffineExpr &to = result[offset + index];
    AffineExpr common = broadcastDim(shapes, to, dim);
    if (!common) {
      op->emitOpError() << "operands do not broadcast: dimension "
                        << static_cast<int64_t>(index) -
                               static_cast<int64_t>(b.size())
                        << " differs between " << getText(a) << " and "
                        << getText(b);
      return std::nullopt;
    }
    to = common;
  }
  return result;
}

/// The position in a tensor of shape `from` of the element that stands at
/// `position` after broadcasting to `to`.
static int64_t getBroadcastPosition(int64_t position, ArrayRef<AffineExpr> from,
                                    ArrayRef<AffineExpr> to) {
  int64_t result = 0, stride = 1;
  for (size_t i = 0; i < to.size(); ++i) {
    int64_t size = cast<AffineConstantExpr>(to[to.size() - 1 - i]).getValue();
    int64_t index = position % size;
    position /= size;
    if (i >= from.size())
      continue;
    int64_t own =
        cast<AffineConstantExpr>(from[from.size() - 1 - i]).getValue();
    result += (own == 1 ? 0 : index) * stride;
    stride *= own;
  }
  return result;
}

static bool hasIntegerElements(Value value) {
  auto type = dyn_cast<TensorType>(value.getType());
  return type && type.getElementType().isIntOrIndex();
}

static void inferElements(Operation *op, SymbolicShapes &shapes,
                          ArrayRef<AffineExpr> dims, ElementFolder fold) {
  std::optional<int64_t> size = getSmallSize(dims);
  if (!size || !hasIntegerElements(op->getResult(0)))
    return;
  for (Value operand : op->getOperands())
    if (!shapes.getElements(operand) || !getSmallSize(*shapes.getDims(operand)))
      return;
  SymbolicShapes::Expressions elements;
  for (int64_t position = 0; position < *size; ++position) {
    SmallVector<AffineExpr> operands;
    for (Value operand : op->getOperands())
      operands.push_back((*shapes.getElements(operand))[getBroadcastPosition(
          position, *shapes.getDims(operand), dims)]);
    elements.push_back(fold(operands));
  }
  if (size == 0 || llvm::any_of(elements, [](AffineExpr e) { return !!e; }))
    shapes.setElements(op->getResult(0), elements);
}

LogicalResult lowbit::onnx::inferBroadcast(Operation *op,
                                           SymbolicShapes &shapes,
                                           ElementFolder fold) {
  SymbolicShapes::Expressions dims;
  for (Value operand : op->getOperands()) {
    std::optional<ArrayRef<AffineExpr>> own = shapes.getDims(operand);
    if (!own)
      return success();
    std::optional<SymbolicShapes::Expressions> common =
        broadcastDims(op, shapes, dims, *own);
    if (!common)
      return failure();
    dims = std::move(*common);
  }
  shapes.setDims(op->getResult(0), dims);
  if (fold)
    inferElements(op, shapes, dims, fold);
  return success();
}

LogicalResult lowbit::onnx::inferSameShape(Operation *op,
                                           SymbolicShapes &shapes) {
  if (std::optional<ArrayRef<AffineExpr>> dims =
          shapes.getDims(op->getOperand(0))) {
    SymbolicShapes::Expressions copy(*dims);
    for (Value result : op->getResults())
      if (isPresent(result))
        shapes.setDims(result, copy);
  }
  return success();
}

void lowbit::onnx::inferSameElements(Value from, Value to,
                                     SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> elements = shapes.getElements(from);
  if (elements && hasIntegerElements(to))
    shapes.setElements(to, *elements);
}

SymbolicShapes::Expressions lowbit::onnx::makeDims(SymbolicShapes &shapes,
                                                   int64_t rank) {
  SymbolicShapes::Expressions dims;
  for (int64_t i = 0; i < rank; ++i)
    dims.push_back(shapes.makeSymbol());
  return dims;
}

std::optional<SymbolicShapes::Expressions>
lowbit::onnx::getShapeOperand(SymbolicShapes &shapes, Value shape) {
  if (std::optional<ArrayRef<AffineExpr>> elements =
          shapes.getElements(shape)) {
    SymbolicShapes::Expressions dims(*elements);
    for (AffineExpr &dim : dims)
      if (!shapes.isNonNegative(dim))
        dim = shapes.makeSymbol();
    return dims;
  }
  auto rank = dyn_cast_or_null<AffineConstantExpr>(shapes.getDim(shape, 0));
  // Nothing has more dimensions than this, and a damaged model shall not make
  // us allocate them.
  if (!rank || rank.getValue() > kMaxElements)
    return std::nullopt;
  return makeDims(shapes, rank.getValue());
}
