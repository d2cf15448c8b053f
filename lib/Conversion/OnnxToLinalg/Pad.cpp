//===- Pad.cpp - lowering of Pad ------------------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnnxLowering.h"
#include "Structured.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

using Sizes = LoweringBuilder::Sizes;

namespace {
struct PadLowering final : OnnxLowering<PadOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(PadOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override;
};
} // namespace

/// A negative pad crops, so the tensor is cropped and then put into a larger
/// one.
static Value padWithConstant(LoweringBuilder &b, Value data, Value element,
                             ArrayRef<OpFoldResult> low,
                             ArrayRef<OpFoldResult> high,
                             ArrayRef<OpFoldResult> sizes) {
  OpFoldResult zero = b.getIndexAttr(0);
  Sizes kept = b.getSizes(data), sources, targets;
  Sizes strides(kept.size(), b.getIndexAttr(1));
  for (auto [size, before, after] : llvm::zip(kept, low, high)) {
    OpFoldResult cropped = b.max(b.sub(zero, before), zero);
    size = b.sub(size, b.add(cropped, b.max(b.sub(zero, after), zero)));
    sources.push_back(cropped);
    targets.push_back(b.max(before, zero));
  }
  Value part = tensor::ExtractSliceOp::create(b, data, sources, kept, strides);
  return tensor::InsertSliceOp::create(b, part, b.filled(sizes, element),
                                       targets, kept, strides);
}

/// Where the element at `index`, which may lie outside of a dimension of `size`
/// elements, comes from.
static Value getSource(ImplicitLocOpBuilder &b, StringRef mode, Value index,
                       Value size) {
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value last = b.createOrFold<arith::SubIOp>(size, one);
  auto modulo = [&](Value x, Value period) -> Value {
    Value remainder = b.createOrFold<arith::RemSIOp>(x, period);
    Value isNegative = b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::slt,
                                                     remainder, zero);
    Value shifted = b.createOrFold<arith::AddIOp>(remainder, period);
    return b.createOrFold<arith::SelectOp>(isNegative, shifted, remainder);
  };
  if (mode == "wrap")
    return modulo(index, size);
  if (mode == "edge")
    return b.createOrFold<arith::MaxSIOp>(
        b.createOrFold<arith::MinSIOp>(index, last), zero);
  // Reflections repeat after going forth and back; one element reflects itself.
  Value period = b.createOrFold<arith::MaxSIOp>(
      b.createOrFold<arith::AddIOp>(last, last), one);
  Value position = modulo(index, period);
  Value back = b.createOrFold<arith::SubIOp>(period, position);
  Value isBack =
      b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::sgt, position, last);
  return b.createOrFold<arith::SelectOp>(isBack, back, position);
}

LoweredResults PadLowering::lower(PadOp op, Adaptor adaptor,
                                  LoweringBuilder &b) const {
  Value data = adaptor.getData();
  int64_t rank = getRank(data);
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(rank));
  if (!isMissing(op.getAxes())) {
    auto constants = b.getConstants(adaptor.getAxes());
    if (!constants)
      return b.refuse("'axes' must be constant");
    axes = *constants;
  }
  Sizes low(rank, b.getIndexAttr(0)), high = low, sizes = b.getSizes(data);
  auto type = cast<RankedTensorType>(op.getOutput().getType());
  for (auto [position, axis] : llvm::enumerate(axes)) {
    int64_t dim = normalizeAxis(axis, rank);
    low[dim] = b.getIndexElement(adaptor.getPads(), position);
    high[dim] = b.getIndexElement(adaptor.getPads(), position + axes.size());
    sizes[dim] = type.isDynamicDim(dim)
                     ? b.add(sizes[dim], b.add(low[dim], high[dim]))
                     : b.getIndexAttr(type.getDimSize(dim));
  }
  Type elementType = getElementType(data);
  if (op.getMode() == "constant") {
    Value element = isMissing(op.getConstantValue())
                        ? b.constant(elementType, 0)
                        : b.getElement(adaptor.getConstantValue(), 0);
    return SmallVector<Value>{
        padWithConstant(b, data, element, low, high, sizes)};
  }
  SmallVector<Value> before, bounds;
  for (int64_t dim = 0; dim < rank; ++dim) {
    before.push_back(b.toValue(low[dim]));
    bounds.push_back(b.toValue(b.getSize(data, dim)));
  }
  return SmallVector<Value>{createFromIndices(
      b, sizes, elementType,
      [&](ImplicitLocOpBuilder &nested, ValueRange loops) {
        SmallVector<Value> indices;
        for (int64_t dim = 0; dim < rank; ++dim) {
          Value index =
              nested.createOrFold<arith::SubIOp>(loops[dim], before[dim]);
          indices.push_back(
              isConstantIntValue(low[dim], 0) &&
                      isConstantIntValue(high[dim], 0)
                  ? loops[dim]
                  : getSource(nested, op.getMode(), index, bounds[dim]));
        }
        return extract(nested, data, indices);
      })};
}

void populatePadLowerings(RewritePatternSet &patterns,
                          const TypeConverter &typeConverter,
                          const SymbolicShapes &shapes) {
  patterns.add<PadLowering>(typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
