//===- Generators.cpp - shapes of ops that make tensors -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Inference.h"
#include "llvm/ADT/SmallVectorExtras.h"

using namespace mlir;
using namespace lowbit::onnx;

/// The integers of a small constant.
static std::optional<SmallVector<int64_t>> getIntegers(Attribute attribute) {
  auto dense = dyn_cast_or_null<DenseIntElementsAttr>(attribute);
  if (!dense || dense.getNumElements() > kMaxElements)
    return std::nullopt;
  // A truth value is 1, not the -1 that one signed bit would be.
  Type type = dense.getElementType();
  bool isUnsigned = type.isUnsignedInteger() || type.isInteger(1);
  SmallVector<int64_t> integers;
  for (const APInt &value : dense.getValues<APInt>())
    integers.push_back(isUnsigned ? value.getZExtValue()
                                  : value.getSExtValue());
  return integers;
}

LogicalResult ConstantOp::inferShapes(SymbolicShapes &shapes) {
  auto toExpression = [&](int64_t value) { return shapes.getConstant(value); };
  auto type = cast<RankedTensorType>(getType());
  shapes.setDims(getOutput(),
                 llvm::map_to_vector(type.getShape(), toExpression));
  if (std::optional<SmallVector<int64_t>> integers = getIntegers(getValue()))
    shapes.setElements(getOutput(),
                       llvm::map_to_vector(*integers, toExpression));
  return success();
}

LogicalResult ConstantOfShapeOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<SymbolicShapes::Expressions> dims =
      getShapeOperand(shapes, getInput());
  if (!dims)
    return success();
  shapes.setDims(getOutput(), *dims);
  std::optional<int64_t> size = getSmallSize(*dims);
  std::optional<SmallVector<int64_t>> value = getIntegers(getValueAttr());
  if (size && value && value->size() == 1)
    shapes.setElements(
        getOutput(),
        SymbolicShapes::Expressions(*size, shapes.getConstant(value->front())));
  return success();
}

LogicalResult RangeOp::inferShapes(SymbolicShapes &shapes) {
  auto getScalar = [&](Value value) {
    std::optional<ArrayRef<AffineExpr>> elements = shapes.getElements(value);
    return elements && elements->size() == 1 ? elements->front() : AffineExpr();
  };
  AffineExpr start = getScalar(getStart()), limit = getScalar(getLimit());
  auto delta = dyn_cast_or_null<AffineConstantExpr>(getScalar(getDelta()));
  AffineExpr size;
  if (delta && delta.getValue() > 0) {
    // The number of steps, rounded up; none if the limit lies behind.
    AffineExpr distance = shapes.subtract(limit, start);
    if (shapes.isNonNegative(distance))
      size = shapes.floorDivide(
          shapes.add(distance, shapes.getConstant(delta.getValue() - 1)),
          delta);
    else if (isa_and_nonnull<AffineConstantExpr>(distance))
      size = shapes.getConstant(0);
  }
  shapes.setDims(getOutput(), {size});
  std::optional<int64_t> count =
      size ? getSmallSize({size}) : std::optional<int64_t>();
  if (!count)
    return success();
  SymbolicShapes::Expressions elements;
  for (int64_t i = 0; i < *count; ++i)
    elements.push_back(
        shapes.add(start, shapes.multiply(delta, shapes.getConstant(i))));
  shapes.setElements(getOutput(), elements);
  return success();
}

LogicalResult ShapeOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(getData());
  if (!dims)
    return success();
  // Unlike axes, these are clamped.
  int64_t rank = dims->size();
  auto clamp = [&](int64_t index) {
    return std::clamp<int64_t>(index < 0 ? index + rank : index, 0, rank);
  };
  int64_t start = clamp(getStart()), end = clamp(getEnd().value_or(rank));
  SymbolicShapes::Expressions elements(
      dims->slice(start, std::max<int64_t>(end - start, 0)));
  shapes.setDims(getShape(), {shapes.getConstant(elements.size())});
  shapes.setElements(getShape(), elements);
  return success();
}

LogicalResult SizeOp::inferShapes(SymbolicShapes &shapes) {
  shapes.setDims(getSize(), {});
  if (std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(getData()))
    shapes.setElements(getSize(), {shapes.product(*dims)});
  return success();
}

LogicalResult OneHotOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> indices = shapes.getDims(getIndices());
  if (!indices)
    return success();
  SymbolicShapes::Expressions dims(*indices);
  std::optional<int64_t> axis = normalizeAxis(getAxis(), dims.size() + 1);
  if (!axis)
    return success();
  std::optional<ArrayRef<AffineExpr>> depth = shapes.getElements(getDepth());
  dims.insert(dims.begin() + *axis,
              depth && depth->size() == 1 && shapes.isNonNegative((*depth)[0])
                  ? (*depth)[0]
                  : shapes.makeSymbol());
  shapes.setDims(getOutput(), dims);
  return success();
}

LogicalResult NonZeroOp::inferShapes(SymbolicShapes &shapes) {
  if (std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(getX()))
    shapes.setDims(getY(),
                   {shapes.getConstant(dims->size()), shapes.makeSymbol()});
  return success();
}
