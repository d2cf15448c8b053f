//===- Indexing.cpp - shapes of ops that pick elements --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Inference.h"

using namespace mlir;
using namespace lowbit::onnx;

#define SAME_SHAPE(OP)                                                         \
  LogicalResult OP::inferShapes(SymbolicShapes &shapes) {                      \
    return inferSameShape(*this, shapes);                                      \
  }
SAME_SHAPE(ScatterElementsOp)
SAME_SHAPE(ScatterNDOp)
SAME_SHAPE(TensorScatterOp)
#undef SAME_SHAPE

LogicalResult ConcatOp::inferShapes(SymbolicShapes &shapes) {
  SymbolicShapes::Expressions dims, elements;
  bool allElements = true;
  for (auto [number, input] : llvm::enumerate(getInputs())) {
    std::optional<ArrayRef<AffineExpr>> own = shapes.getDims(input);
    if (!own)
      return success();
    std::optional<ArrayRef<AffineExpr>> values = shapes.getElements(input);
    allElements &= values.has_value();
    if (values)
      elements.append(values->begin(), values->end());
    if (number == 0) {
      dims.assign(own->begin(), own->end());
      continue;
    }
    if (own->size() != dims.size())
      return emitOpError() << "inputs must have one rank, got " << dims.size()
                           << " and " << own->size();
    std::optional<int64_t> axis = normalizeAxis(getAxis(), dims.size());
    for (auto [index, dim] : llvm::enumerate(*own)) {
      AffineExpr &to = dims[index];
      to = static_cast<int64_t>(index) == axis
               ? shapes.add(to, dim)
               : unifyDims(*this, shapes, to, dim);
      if (!to && static_cast<int64_t>(index) != axis)
        return failure();
    }
  }
  shapes.setDims(getConcatResult(), dims);
  // In row-major order only what is joined along the first axis is a list.
  if (allElements && dims.size() == 1 && elements.size() <= kMaxElements)
    shapes.setElements(getConcatResult(), elements);
  return success();
}

LogicalResult SplitOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(getInput());
  if (!dims)
    return success();
  std::optional<int64_t> axis = normalizeAxis(getAxis(), dims->size());
  if (!axis)
    return success();
  SymbolicShapes::Expressions result(*dims), sizes;
  int64_t count = getOutputs().size();
  AffineExpr size = result[*axis];
  if (isPresent(getSplit())) {
    if (std::optional<SymbolicShapes::Expressions> listed =
            getShapeOperand(shapes, getSplit()))
      sizes = *listed;
    if (!sizes.empty() && static_cast<int64_t>(sizes.size()) != count)
      return emitOpError() << "'split' must have " << count << " entries, got "
                           << sizes.size();
  } else {
    // Equal parts, the last of which may be shorter.
    AffineExpr part =
        shapes.floorDivide(shapes.add(size, shapes.getConstant(count - 1)),
                           shapes.getConstant(count));
    if (shapes.remainder(size, shapes.getConstant(count)) ==
        shapes.getConstant(0))
      part = shapes.floorDivide(size, shapes.getConstant(count));
    sizes.assign(count, part);
    sizes.back() = shapes.subtract(
        size, shapes.multiply(part, shapes.getConstant(count - 1)));
  }
  if (sizes.empty())
    sizes = makeDims(shapes, count);
  for (auto [output, part] : llvm::zip(getOutputs(), sizes)) {
    result[*axis] = part;
    shapes.setDims(output, result);
  }
  std::optional<ArrayRef<AffineExpr>> elements = shapes.getElements(getInput());
  if (!elements || result.size() != 1)
    return success();
  SymbolicShapes::Expressions all(*elements);
  ArrayRef<AffineExpr> rest(all);
  for (auto [output, part] : llvm::zip(getOutputs(), sizes)) {
    auto length = dyn_cast<AffineConstantExpr>(part);
    if (!length || length.getValue() < 0 ||
        static_cast<size_t>(length.getValue()) > rest.size())
      break;
    shapes.setElements(output, rest.take_front(length.getValue()));
    rest = rest.drop_front(length.getValue());
  }
  return success();
}

LogicalResult GatherOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> data = shapes.getDims(getData());
  std::optional<ArrayRef<AffineExpr>> indices = shapes.getDims(getIndices());
  if (!data || !indices)
    return success();
  std::optional<int64_t> axis = normalizeAxis(getAxis(), data->size());
  if (!axis)
    return success();
  int64_t rank = data->size();
  SymbolicShapes::Expressions dims(data->take_front(*axis));
  llvm::append_range(dims, *indices);
  llvm::append_range(dims, data->drop_front(*axis + 1));
  std::optional<ArrayRef<AffineExpr>> elements = shapes.getElements(getData());
  std::optional<SmallVector<int64_t>> positions =
      shapes.getConstantElements(getIndices());
  if (elements && positions && rank == 1) {
    SymbolicShapes::Expressions picked;
    for (int64_t position : *positions) {
      std::optional<int64_t> index = normalizeAxis(position, elements->size());
      if (!index)
        return emitOpError() << "index " << position << " is out of range for "
                             << elements->size() << " elements";
      picked.push_back((*elements)[*index]);
    }
    shapes.setElements(getOutput(), picked);
  }
  shapes.setDims(getOutput(), dims);
  return success();
}

LogicalResult GatherElementsOp::inferShapes(SymbolicShapes &shapes) {
  if (std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(getIndices()))
    shapes.setDims(getOutput(), *dims);
  return success();
}

LogicalResult GatherNDOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> data = shapes.getDims(getData());
  std::optional<ArrayRef<AffineExpr>> indices = shapes.getDims(getIndices());
  if (!data || !indices || indices->empty())
    return success();
  auto depth = dyn_cast<AffineConstantExpr>(indices->back());
  int64_t rank = data->size(), batch = getBatchDims();
  if (!depth || batch < 0 || depth.getValue() < 0 || batch > rank ||
      depth.getValue() > rank - batch)
    return success();
  SymbolicShapes::Expressions dims(indices->drop_back());
  llvm::append_range(dims, data->drop_front(batch + depth.getValue()));
  shapes.setDims(getOutput(), dims);
  return success();
}

LogicalResult TopKOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> data = shapes.getDims(getX());
  std::optional<SymbolicShapes::Expressions> k =
      getShapeOperand(shapes, getK());
  if (!data)
    return success();
  SymbolicShapes::Expressions dims(*data);
  if (std::optional<int64_t> axis = normalizeAxis(getAxis(), dims.size()))
    dims[*axis] = k && k->size() == 1 ? k->front() : shapes.makeSymbol();
  shapes.setDims(getValues(), dims);
  shapes.setDims(getIndices(), dims);
  return success();
}

//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

/// A position counted from the front and held within [0, size]; null if that
/// depends on symbols.
static AffineExpr clampPosition(SymbolicShapes &shapes, AffineExpr position,
                                AffineExpr size) {
  auto constant = dyn_cast<AffineConstantExpr>(position);
  if (constant && constant.getValue() < 0) {
    // INT64_MIN and its like stand for the front of tensors of any size.
    if (constant.getValue() <= std::numeric_limits<int32_t>::min())
      return shapes.getConstant(0);
    position = shapes.add(size, position);
    if (isa_and_nonnull<AffineConstantExpr>(position) &&
        shapes.isLess(position, shapes.getConstant(0)).value_or(false))
      return shapes.getConstant(0);
  }
  // Likewise for the end.
  if (constant && constant.getValue() >= std::numeric_limits<int32_t>::max())
    return size;
  if (!shapes.isNonNegative(position))
    return {};
  std::optional<bool> isInside = shapes.isLessOrEqual(position, size);
  if (!isInside)
    return {};
  return *isInside ? position : size;
}

/// What a slice with constant step leaves of a dimension.
static AffineExpr getSliceSize(SymbolicShapes &shapes, AffineExpr start,
                               AffineExpr end, int64_t step, AffineExpr size) {
  if (step < 0) {
    // Only the reversal of a whole dimension is of any use.
    auto first = dyn_cast<AffineConstantExpr>(start);
    auto last = dyn_cast<AffineConstantExpr>(end);
    bool isWhole = step == -1 && first && last &&
                   (first.getValue() == -1 ||
                    first.getValue() >= std::numeric_limits<int32_t>::max()) &&
                   last.getValue() <= std::numeric_limits<int32_t>::min();
    return isWhole ? size : AffineExpr();
  }
  start = clampPosition(shapes, start, size);
  end = clampPosition(shapes, end, size);
  AffineExpr length = shapes.subtract(end, start);
  if (!length)
    return {};
  if (shapes.isLess(length, shapes.getConstant(0)).value_or(false))
    return shapes.getConstant(0);
  if (!shapes.isNonNegative(length))
    return {};
  return shapes.floorDivide(shapes.add(length, shapes.getConstant(step - 1)),
                            shapes.getConstant(step));
}

LogicalResult SliceOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> data = shapes.getDims(getData());
  if (!data)
    return success();
  int64_t rank = data->size();
  std::optional<ArrayRef<AffineExpr>> starts = shapes.getElements(getStarts());
  std::optional<ArrayRef<AffineExpr>> ends = shapes.getElements(getEnds());
  SmallVector<int64_t> axes, steps;
  std::optional<SmallVector<int64_t>> listed;
  if (isPresent(getAxes()))
    listed = lowbit::onnx::getAxes(shapes, getAxes(), rank);
  else if (starts)
    listed = llvm::to_vector(llvm::seq<int64_t>(starts->size()));
  if (!listed) {
    // Any dimension may be cut.
    shapes.setDims(getOutput(), makeDims(shapes, rank));
    return success();
  }
  axes = *listed;
  if (isPresent(getSteps())) {
    if (std::optional<SmallVector<int64_t>> constant =
            shapes.getConstantElements(getSteps()))
      steps = *constant;
  } else {
    steps.assign(axes.size(), 1);
  }
  if (axes.size() > static_cast<size_t>(rank) ||
      (starts && starts->size() != axes.size()) ||
      (ends && ends->size() != axes.size()) ||
      (!steps.empty() && steps.size() != axes.size()))
    return emitOpError() << "starts, ends, axes and steps must have one length "
                            "of at most "
                         << rank;
  if (llvm::is_contained(steps, 0))
    return emitOpError("step must not be 0");
  SymbolicShapes::Expressions dims(*data);
  for (auto [index, axis] : llvm::enumerate(axes)) {
    AffineExpr size;
    if (starts && ends && !steps.empty())
      size = getSliceSize(shapes, (*starts)[index], (*ends)[index],
                          steps[index], dims[axis]);
    dims[axis] = size;
  }
  // A list of integers that is cut at constant positions.
  std::optional<ArrayRef<AffineExpr>> elements = shapes.getElements(getData());
  std::optional<SmallVector<int64_t>> first =
      shapes.getConstantElements(getStarts());
  if (elements && rank == 1 && axes.size() == 1 && first && dims[0] &&
      steps == ArrayRef<int64_t>{1}) {
    int64_t size = elements->size();
    int64_t from = first->front() < 0 ? first->front() + size : first->front();
    from = std::clamp<int64_t>(from, 0, size);
    SymbolicShapes::Expressions cut(
        elements->slice(from, cast<AffineConstantExpr>(dims[0]).getValue()));
    shapes.setElements(getOutput(), cut);
  }
  shapes.setDims(getOutput(), dims);
  return success();
}

LogicalResult PadOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> data = shapes.getDims(getData());
  if (!data)
    return success();
  int64_t rank = data->size();
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(rank));
  std::optional<ArrayRef<AffineExpr>> pads = shapes.getElements(getPads());
  if (isPresent(getAxes())) {
    std::optional<SmallVector<int64_t>> listed =
        lowbit::onnx::getAxes(shapes, getAxes(), rank);
    if (!listed)
      pads = std::nullopt;
    else
      axes = *listed;
  }
  if (!pads) {
    shapes.setDims(getOutput(), makeDims(shapes, rank));
    return success();
  }
  if (pads->size() != 2 * axes.size())
    return emitOpError() << "needs " << 2 * axes.size() << " pads, got "
                         << pads->size();
  SymbolicShapes::Expressions dims(*data);
  for (auto [index, axis] : llvm::enumerate(axes))
    dims[axis] = shapes.add(
        dims[axis], shapes.add((*pads)[index], (*pads)[axes.size() + index]));
  for (AffineExpr &dim : dims)
    if (!shapes.isNonNegative(dim))
      dim = shapes.makeSymbol();
  shapes.setDims(getOutput(), dims);
  return success();
}
