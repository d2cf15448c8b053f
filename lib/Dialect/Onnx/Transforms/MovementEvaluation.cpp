//===- MovementEvaluation.cpp - movements of constant data ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A result element comes from one element of one operand, so that it is enough
// to tell, for each op, which. What only gets another shape is not copied: a
// weight stays in its file.
//
//===----------------------------------------------------------------------===//

#include "ConstantEvaluation.h"
#include "Matchers.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"

using namespace mlir;
using namespace lowbit;
using namespace lowbit::onnx;

using Index = SmallVector<int64_t>;

static Index toIndex(int64_t position, ArrayRef<int64_t> shape) {
  Index index(shape.size());
  for (size_t i = shape.size(); i-- > 0;) {
    index[i] = position % shape[i];
    position /= shape[i];
  }
  return index;
}

static int64_t toPosition(ArrayRef<int64_t> index, ArrayRef<int64_t> shape) {
  int64_t position = 0;
  for (auto [at, size] : llvm::zip(index, shape))
    position = position * size + at;
  return position;
}

static std::optional<SmallVector<int64_t>> toIntegers(Attribute attribute) {
  auto dense = dyn_cast_or_null<DenseIntElementsAttr>(attribute);
  if (!dense)
    return std::nullopt;
  SmallVector<int64_t> integers;
  for (const APInt &value : dense.getValues<APInt>())
    integers.push_back(value.getSExtValue());
  return integers;
}

/// The result whose element at an index is that of `data` at `source(index)`;
/// null if there is none.
static TypedAttr
move(DenseElementsAttr data, RankedTensorType type,
     function_ref<std::optional<Index>(const Index &)> source) {
  if (data.isSplat())
    return data.resizeSplat(type);
  ArrayRef<int64_t> from = data.getType().getShape();
  auto elements = data.getValues<Attribute>();
  SmallVector<Attribute> result;
  for (int64_t i = 0, e = type.getNumElements(); i < e; ++i) {
    std::optional<Index> index = source(toIndex(i, type.getShape()));
    if (!index)
      return {};
    for (auto [at, size] : llvm::zip(*index, from))
      if (at < 0 || at >= size)
        return {};
    result.push_back(elements[toPosition(*index, from)]);
  }
  return DenseElementsAttr::get(type, result);
}

static TypedAttr evaluateTranspose(TransposeOp op, DenseElementsAttr data,
                                   RankedTensorType type) {
  SmallVector<int64_t> perm;
  if (op.getPerm())
    perm = llvm::to_vector(*op.getPerm());
  else
    perm = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(type.getRank())));
  return move(data, type, [&](const Index &index) {
    Index from(index.size());
    for (auto [to, axis] : llvm::enumerate(perm))
      from[axis] = index[to];
    return std::optional(from);
  });
}

static TypedAttr evaluateExpand(DenseElementsAttr data, RankedTensorType type) {
  ArrayRef<int64_t> shape = data.getType().getShape();
  return move(data, type, [&](const Index &index) {
    Index from(ArrayRef<int64_t>(index).take_back(shape.size()));
    for (auto [at, size] : llvm::zip(from, shape))
      at = size == 1 ? 0 : at;
    return std::optional(from);
  });
}

static TypedAttr evaluateGather(GatherOp op, DenseElementsAttr data,
                                Attribute indices, RankedTensorType type) {
  std::optional<SmallVector<int64_t>> rows = toIntegers(indices);
  if (!rows)
    return {};
  ArrayRef<int64_t> shape = data.getType().getShape();
  ArrayRef<int64_t> listShape =
      cast<ShapedType>(cast<DenseElementsAttr>(indices).getType()).getShape();
  int64_t rank = shape.size();
  int64_t axis = op.getAxis() < 0 ? op.getAxis() + rank : op.getAxis();
  return move(data, type, [&](const Index &index) {
    ArrayRef<int64_t> to(index);
    int64_t row =
        (*rows)[toPosition(to.slice(axis, listShape.size()), listShape)];
    Index from(to.take_front(axis));
    from.push_back(row < 0 ? row + shape[axis] : row);
    llvm::append_range(from, to.drop_front(axis + listShape.size()));
    return std::optional(from);
  });
}

static TypedAttr evaluateSlice(ArrayRef<Attribute> operands,
                               RankedTensorType type) {
  auto data = cast<DenseElementsAttr>(operands[0]);
  ArrayRef<int64_t> shape = data.getType().getShape();
  int64_t rank = shape.size();
  std::optional<SmallVector<int64_t>> starts = toIntegers(operands[1]);
  std::optional<SmallVector<int64_t>> axes, steps;
  if (!starts)
    return {};
  axes = operands[3] ? toIntegers(operands[3])
                     : llvm::to_vector(llvm::seq<int64_t>(starts->size()));
  steps = operands[4] ? toIntegers(operands[4])
                      : SmallVector<int64_t>(starts->size(), 1);
  if (!axes || !steps || axes->size() != starts->size() ||
      steps->size() != starts->size())
    return {};
  Index begin(rank, 0), stride(rank, 1);
  for (auto [axis, start, step] : llvm::zip(*axes, *starts, *steps)) {
    int64_t at = axis < 0 ? axis + rank : axis;
    if (at < 0 || at >= rank || step == 0)
      return {};
    int64_t first = start < 0 ? start + shape[at] : start;
    begin[at] =
        std::clamp<int64_t>(first, 0, step < 0 ? shape[at] - 1 : shape[at]);
    stride[at] = step;
  }
  return move(data, type, [&](const Index &index) {
    Index from;
    for (int64_t i = 0; i < rank; ++i)
      from.push_back(begin[i] + index[i] * stride[i]);
    return std::optional(from);
  });
}

static TypedAttr evaluateConcat(ConcatOp op, ArrayRef<Attribute> operands,
                                RankedTensorType type) {
  int64_t rank = type.getRank();
  int64_t axis = op.getAxis() < 0 ? op.getAxis() + rank : op.getAxis();
  SmallVector<Attribute> result(type.getNumElements());
  int64_t offset = 0;
  for (Attribute operand : operands) {
    auto data = dyn_cast_or_null<DenseElementsAttr>(operand);
    if (!data)
      return {};
    ArrayRef<int64_t> shape = data.getType().getShape();
    for (auto [position, element] :
         llvm::enumerate(data.getValues<Attribute>())) {
      Index index = toIndex(position, shape);
      index[axis] += offset;
      result[toPosition(index, type.getShape())] = element;
    }
    offset += shape[axis];
  }
  return DenseElementsAttr::get(type, result);
}

TypedAttr lowbit::onnx::evaluateMovement(Operation *op, RankedTensorType type,
                                         ArrayRef<Attribute> operands) {
  if (auto fill = dyn_cast<ConstantOfShapeOp>(op)) {
    auto value = dyn_cast_or_null<DenseElementsAttr>(fill.getValueAttr());
    return value && value.isSplat() ? TypedAttr(value.resizeSplat(type))
                                    : TypedAttr();
  }
  if (auto concat = dyn_cast<ConcatOp>(op))
    return evaluateConcat(concat, operands, type);
  if (isa<IdentityOp, ReshapeOp, UnsqueezeOp, SqueezeOp, FlattenOp>(op)) {
    if (auto external = dyn_cast_or_null<ExternalAttr>(operands[0]))
      return ExternalAttr::get(type.getContext(), type, external.getFile(),
                               external.getKey(), external.getOffset(),
                               external.getLength());
    auto data = dyn_cast_or_null<DenseElementsAttr>(operands[0]);
    return data ? TypedAttr(data.reshape(type)) : TypedAttr();
  }
  auto data = operands.empty()
                  ? DenseElementsAttr()
                  : dyn_cast_or_null<DenseElementsAttr>(operands[0]);
  if (!data)
    return {};
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return evaluateTranspose(transpose, data, type);
  if (auto gather = dyn_cast<GatherOp>(op))
    return evaluateGather(gather, data, operands[1], type);
  if (isa<SliceOp>(op))
    return evaluateSlice(operands, type);
  return isa<ExpandOp>(op) ? evaluateExpand(data, type) : TypedAttr();
}
