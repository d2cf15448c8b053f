//===- Slice.cpp - lowering of Slice --------------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A slice of which the axes and steps are constant, and the latter positive, is
// a view. Any other reads each element from where it is.
//
//===----------------------------------------------------------------------===//

#include "OnnxLowering.h"
#include "Structured.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

using Sizes = LoweringBuilder::Sizes;

namespace {
struct SliceLowering final : OnnxLowering<SliceOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(SliceOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override;
};

/// What is taken of each dimension.
struct SliceParameters {
  Sizes offsets, sizes, strides;
};
} // namespace

static Value isNegative(LoweringBuilder &b, OpFoldResult value) {
  return b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::slt,
                                       b.toValue(value), b.constantIndex(0));
}

static OpFoldResult select(LoweringBuilder &b, Value condition, OpFoldResult x,
                           OpFoldResult y) {
  return b.createOrFold<arith::SelectOp>(condition, b.toValue(x), b.toValue(y));
}

/// A position as the model writes it: negative ones count from the end.
static OpFoldResult getPosition(LoweringBuilder &b, OpFoldResult position,
                                OpFoldResult size) {
  if (std::optional<int64_t> constant = getConstantIntValue(position))
    return *constant < 0 ? b.add(position, size) : position;
  return select(b, isNegative(b, position), b.add(position, size), position);
}

/// `position` within `[low, size + high]`.
static OpFoldResult clampPosition(LoweringBuilder &b, OpFoldResult position,
                                  int64_t low, OpFoldResult size,
                                  int64_t high) {
  std::optional<int64_t> constant = getConstantIntValue(position);
  OpFoldResult last = b.add(size, b.getIndexAttr(high));
  // "To the end" is written as the largest number of some integer type.
  if (constant && *constant >= std::numeric_limits<int32_t>::max())
    return last;
  // Sizes are not negative, so that 0 is never too much.
  if (constant && *constant == 0 && low == 0 && high == 0)
    return position;
  return b.max(b.min(position, last), b.getIndexAttr(low));
}

/// The first position and the number of elements taken with a step of constant
/// sign.
static std::pair<OpFoldResult, OpFoldResult>
getRange(LoweringBuilder &b, OpFoldResult start, OpFoldResult end,
         OpFoldResult step, bool isReversed, OpFoldResult size) {
  int64_t high = isReversed ? -1 : 0, low = isReversed ? -1 : 0;
  start = clampPosition(b, getPosition(b, start, size), 0, size, high);
  end = clampPosition(b, getPosition(b, end, size), low, size, high);
  OpFoldResult zero = b.getIndexAttr(0);
  OpFoldResult distance = isReversed ? b.sub(start, end) : b.sub(end, start);
  OpFoldResult length = isReversed ? b.sub(zero, step) : step;
  distance = b.max(distance, zero);
  return {start, isConstantIntValue(length, 1) ? distance
                                               : b.ceilDiv(distance, length)};
}

/// Constant axes and steps.
static LogicalResult getConstantSlice(LoweringBuilder &b, SliceOp::Adaptor op,
                                      ArrayRef<int64_t> axes,
                                      ArrayRef<int64_t> steps,
                                      SliceParameters &slice) {
  int64_t rank = slice.sizes.size();
  for (auto [i, axis] : llvm::enumerate(axes)) {
    int64_t dim = normalizeAxis(axis, rank);
    if (steps[i] == 0)
      return b.refuse("a step is 0");
    slice.strides[dim] = b.getIndexAttr(steps[i]);
    std::tie(slice.offsets[dim], slice.sizes[dim]) =
        getRange(b, b.getIndexElement(op.getStarts(), i),
                 b.getIndexElement(op.getEnds(), i), slice.strides[dim],
                 steps[i] < 0, slice.sizes[dim]);
  }
  return success();
}

/// Axes or steps that are known at run time only: any slice may be that of any
/// dimension, in any direction.
static void getDynamicSlice(LoweringBuilder &b, SliceOp::Adaptor op,
                            SliceParameters &slice) {
  int64_t rank = slice.sizes.size();
  int64_t numSlices = getTensorType(op.getStarts()).getDimSize(0);
  Sizes dataSizes = slice.sizes;
  for (int64_t i = 0; i < numSlices; ++i) {
    OpFoldResult start = b.getIndexElement(op.getStarts(), i);
    OpFoldResult end = b.getIndexElement(op.getEnds(), i);
    OpFoldResult step = isMissing(op.getSteps())
                            ? OpFoldResult(b.getIndexAttr(1))
                            : b.getIndexElement(op.getSteps(), i);
    OpFoldResult axis = isMissing(op.getAxes())
                            ? OpFoldResult(b.getIndexAttr(i))
                            : getPosition(b, b.getIndexElement(op.getAxes(), i),
                                          b.getIndexAttr(rank));
    Value isReversed = isNegative(b, step);
    for (int64_t dim = 0; dim < rank; ++dim) {
      Value isMeant = b.isEqual(axis, b.getIndexAttr(dim));
      auto [offset, size] =
          getRange(b, start, end, step, false, dataSizes[dim]);
      auto [backOffset, backSize] =
          getRange(b, start, end, step, true, dataSizes[dim]);
      slice.offsets[dim] =
          select(b, isMeant, select(b, isReversed, backOffset, offset),
                 slice.offsets[dim]);
      slice.sizes[dim] = select(
          b, isMeant, select(b, isReversed, backSize, size), slice.sizes[dim]);
      slice.strides[dim] = select(b, isMeant, step, slice.strides[dim]);
    }
  }
}

/// The slice of a small tensor whose elements are known as scalars.
static Value sliceScalars(LoweringBuilder &b, Value data,
                          const SliceParameters &slice) {
  std::optional<Sizes> elements = b.getElements(data);
  if (getRank(data) != 1 || !elements)
    return Value();
  std::optional<int64_t> start = getConstantIntValue(slice.offsets[0]);
  std::optional<int64_t> size = getConstantIntValue(slice.sizes[0]);
  std::optional<int64_t> step = getConstantIntValue(slice.strides[0]);
  if (!start || !size || !step)
    return Value();
  Sizes results;
  for (int64_t i = 0; i < *size; ++i)
    results.push_back((*elements)[*start + i * *step]);
  return b.fromElements(RankedTensorType::get(*size, getElementType(data)),
                        results);
}

LoweredResults SliceLowering::lower(SliceOp op, Adaptor adaptor,
                                    LoweringBuilder &b) const {
  Value data = adaptor.getData();
  int64_t rank = getRank(data);
  int64_t numSlices = getTensorType(adaptor.getStarts()).getDimSize(0);
  if (ShapedType::isDynamic(numSlices))
    return b.refuse("the number of 'starts' must be known");
  std::optional<SmallVector<int64_t>> axes =
      llvm::to_vector(llvm::seq<int64_t>(numSlices));
  std::optional<SmallVector<int64_t>> steps =
      SmallVector<int64_t>(numSlices, 1);
  if (!isMissing(op.getAxes()))
    axes = b.getConstants(adaptor.getAxes());
  if (!isMissing(op.getSteps()))
    steps = b.getConstants(adaptor.getSteps());

  SliceParameters slice{Sizes(rank, b.getIndexAttr(0)), b.getSizes(data),
                        Sizes(rank, b.getIndexAttr(1))};
  bool isConstant = axes && steps;
  if (!isConstant)
    getDynamicSlice(b, adaptor, slice);
  else if (failed(getConstantSlice(b, adaptor, *axes, *steps, slice)))
    return failure();
  auto type = cast<RankedTensorType>(op.getOutput().getType());
  for (int64_t dim = 0; dim < rank; ++dim)
    if (!type.isDynamicDim(dim))
      slice.sizes[dim] = b.getIndexAttr(type.getDimSize(dim));
  if (Value scalars = sliceScalars(b, data, slice))
    return SmallVector<Value>{scalars};
  // No view may begin where the tensor ends.
  if (llvm::any_of(slice.sizes, [](OpFoldResult size) {
        return isConstantIntValue(size, 0);
      }))
    return SmallVector<Value>{b.empty(slice.sizes, getElementType(data))};
  if (isConstant && llvm::all_of(*steps, [](int64_t step) { return step > 0; }))
    return SmallVector<Value>{tensor::ExtractSliceOp::create(
        b, data, slice.offsets, slice.sizes, slice.strides)};

  SmallVector<Value> offsets, strides;
  for (int64_t dim = 0; dim < rank; ++dim) {
    offsets.push_back(b.toValue(slice.offsets[dim]));
    strides.push_back(b.toValue(slice.strides[dim]));
  }
  return SmallVector<Value>{createFromIndices(
      b, slice.sizes, getElementType(data),
      [&](ImplicitLocOpBuilder &nested, ValueRange loops) {
        SmallVector<Value> indices;
        for (auto [loop, offset, stride] : llvm::zip(loops, offsets, strides)) {
          Value scaled = nested.createOrFold<arith::MulIOp>(loop, stride);
          indices.push_back(nested.createOrFold<arith::AddIOp>(scaled, offset));
        }
        return extract(nested, data, indices);
      })};
}

void populateSliceLowerings(RewritePatternSet &patterns,
                            const TypeConverter &typeConverter,
                            const SymbolicShapes &shapes) {
  patterns.add<SliceLowering>(typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
