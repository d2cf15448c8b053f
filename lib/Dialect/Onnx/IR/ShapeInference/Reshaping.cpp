//===- Reshaping.cpp - shapes of ops that reorder dimensions --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Inference.h"

using namespace mlir;
using namespace lowbit::onnx;

/// Removes from both lists the dimensions that they share, so that what is left
/// divides where products of sums would not.
static void cancel(SymbolicShapes::Expressions &a,
                   SymbolicShapes::Expressions &b) {
  for (AffineExpr *it = b.begin(); it != b.end();) {
    AffineExpr *common = llvm::find(a, *it);
    if (common == a.end()) {
      ++it;
      continue;
    }
    a.erase(common);
    it = b.erase(it);
  }
}

LogicalResult ReshapeOp::inferShapes(SymbolicShapes &shapes) {
  inferSameElements(getData(), getReshaped(), shapes);
  std::optional<ArrayRef<AffineExpr>> data = shapes.getDims(getData());
  std::optional<SymbolicShapes::Expressions> dims =
      getShapeOperand(shapes, getShape());
  if (!dims)
    return success();
  std::optional<ArrayRef<AffineExpr>> elements = shapes.getElements(getShape());
  if (!elements || !data) {
    // A zero stands for a dimension of data, of which nothing is known here.
    for (AffineExpr &dim : *dims)
      if (dim == shapes.getConstant(0) && !getAllowzero())
        dim = shapes.makeSymbol();
    shapes.setDims(getReshaped(), *dims);
    return success();
  }
  std::optional<size_t> inferred;
  bool allKnown = true;
  for (auto [index, element] : llvm::enumerate(*elements)) {
    auto constant = dyn_cast<AffineConstantExpr>(element);
    if (constant && constant.getValue() == -1) {
      if (inferred)
        return emitOpError("shape must have at most one -1");
      inferred = index;
    } else if (constant && constant.getValue() == 0 && !getAllowzero()) {
      if (index >= data->size())
        return emitOpError()
               << "shape has a 0 at position " << index
               << ", but the data has only " << data->size() << " dimensions";
      (*dims)[index] = (*data)[index];
    } else if (constant && constant.getValue() < 0) {
      return emitOpError() << "shape must not contain " << constant.getValue();
    } else if (!shapes.isNonNegative(element)) {
      // Perhaps a -1.
      allKnown = false;
    }
  }
  SymbolicShapes::Expressions from(*data), to(*dims);
  if (inferred)
    to.erase(to.begin() + *inferred);
  cancel(from, to);
  AffineExpr fromSize = shapes.product(from), toSize = shapes.product(to);
  auto fromConstant = dyn_cast_or_null<AffineConstantExpr>(fromSize);
  auto toConstant = dyn_cast_or_null<AffineConstantExpr>(toSize);
  if (fromConstant && toConstant && allKnown) {
    int64_t have = fromConstant.getValue(), want = toConstant.getValue();
    if (inferred ? want != 0 && have % want != 0 : have != want)
      return emitOpError() << "cannot reshape " << getText(*data) << " to "
                           << getText(*elements);
  }
  if (inferred && allKnown)
    if (AffineExpr quotient = shapes.floorDivide(fromSize, toSize))
      (*dims)[*inferred] = quotient;
  shapes.setDims(getReshaped(), *dims);
  return success();
}

LogicalResult FlattenOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(getInput());
  if (!dims)
    return success();
  int64_t rank = dims->size();
  int64_t axis = getAxis() < 0 ? getAxis() + rank : getAxis();
  if (axis < 0 || axis > rank)
    return success();
  AffineExpr rows = shapes.product(dims->take_front(axis));
  AffineExpr columns = shapes.product(dims->drop_front(axis));
  shapes.setDims(getOutput(), {rows, columns});
  return success();
}

LogicalResult TransposeOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(getData());
  if (!dims)
    return success();
  SymbolicShapes::Expressions result;
  if (std::optional<ArrayRef<int64_t>> perm = getPerm()) {
    if (perm->size() != dims->size())
      return emitOpError() << "'perm' must have " << dims->size()
                           << " entries, got " << perm->size();
    for (int64_t from : *perm)
      result.push_back((*dims)[from]);
  } else {
    result.append(dims->rbegin(), dims->rend());
  }
  shapes.setDims(getTransposed(), result);
  return success();
}

LogicalResult UnsqueezeOp::inferShapes(SymbolicShapes &shapes) {
  inferSameElements(getData(), getExpanded(), shapes);
  std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(getData());
  std::optional<SmallVector<int64_t>> listed =
      shapes.getConstantElements(getAxes());
  if (!dims || !listed)
    return success();
  int64_t rank = dims->size() + listed->size();
  std::optional<SmallVector<int64_t>> axes =
      lowbit::onnx::getAxes(shapes, getAxes(), rank);
  if (axes)
    llvm::sort(*axes);
  if (!axes || std::adjacent_find(axes->begin(), axes->end()) != axes->end())
    return emitOpError() << "axes must be different and in [" << -rank << ", "
                         << rank - 1 << "]";
  SymbolicShapes::Expressions result(*dims);
  for (int64_t axis : *axes)
    result.insert(result.begin() + axis, shapes.getConstant(1));
  shapes.setDims(getExpanded(), result);
  return success();
}

LogicalResult SqueezeOp::inferShapes(SymbolicShapes &shapes) {
  inferSameElements(getData(), getSqueezed(), shapes);
  std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(getData());
  if (!dims)
    return success();
  AffineExpr one = shapes.getConstant(1);
  SymbolicShapes::Expressions result;
  if (!isPresent(getAxes())) {
    // Which dimensions go depends on all that are not known.
    if (!llvm::all_of(*dims, llvm::IsaPred<AffineConstantExpr>))
      return success();
    llvm::copy_if(*dims, std::back_inserter(result),
                  [&](AffineExpr dim) { return dim != one; });
    shapes.setDims(getSqueezed(), result);
    return success();
  }
  if (!shapes.getConstantElements(getAxes()))
    return success();
  int64_t rank = dims->size();
  std::optional<SmallVector<int64_t>> axes =
      lowbit::onnx::getAxes(shapes, getAxes(), rank);
  if (!axes)
    return emitOpError() << "axes must be in [" << -rank << ", " << rank - 1
                         << "]";
  for (auto [index, dim] : llvm::enumerate(*dims)) {
    if (!llvm::is_contained(*axes, static_cast<int64_t>(index)))
      result.push_back(dim);
    else if (isa<AffineConstantExpr>(dim) && dim != one)
      return emitOpError() << "cannot remove dimension " << index << " of "
                           << getText(*dims) << ", which is not 1";
  }
  shapes.setDims(getSqueezed(), result);
  return success();
}

LogicalResult ExpandOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(getInput());
  std::optional<SymbolicShapes::Expressions> shape =
      getShapeOperand(shapes, getShape());
  if (!dims || !shape)
    return success();
  std::optional<SymbolicShapes::Expressions> result =
      broadcastDims(*this, shapes, *dims, *shape);
  if (!result)
    return failure();
  shapes.setDims(getOutput(), *result);
  std::optional<int64_t> size = getSmallSize(*result);
  std::optional<ArrayRef<AffineExpr>> elements = shapes.getElements(getInput());
  if (size && elements && elements->size() == 1)
    shapes.setElements(getOutput(),
                       SymbolicShapes::Expressions(*size, elements->front()));
  return success();
}

LogicalResult TileOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(getInput());
  std::optional<SymbolicShapes::Expressions> repeats =
      getShapeOperand(shapes, getRepeats());
  if (!dims || !repeats)
    return success();
  if (dims->size() != repeats->size())
    return emitOpError() << "needs " << dims->size() << " repeats, got "
                         << repeats->size();
  SymbolicShapes::Expressions result;
  for (auto [dim, repeat] : llvm::zip(*dims, *repeats))
    result.push_back(shapes.multiply(dim, repeat));
  shapes.setDims(getOutput(), result);
  return success();
}
