//===- Shape.cpp - lowering of Shape and Size -----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnnxLowering.h"
#include "Structured.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

namespace {
struct ShapeLowering final : OnnxLowering<ShapeOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(ShapeOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Value data = adaptor.getData();
    int64_t rank = getRank(data);
    int64_t start = std::clamp<int64_t>(
        normalizeAxis(static_cast<int64_t>(op.getStart()), rank), 0, rank);
    int64_t end = rank;
    if (std::optional<uint64_t> given = op.getEnd())
      end = std::clamp<int64_t>(
          normalizeAxis(static_cast<int64_t>(*given), rank), 0, rank);
    LoweringBuilder::Sizes sizes;
    for (int64_t dim = start; dim < end; ++dim)
      sizes.push_back(b.getSize(data, dim));
    auto type = RankedTensorType::get(static_cast<int64_t>(sizes.size()),
                                      b.getI64Type());
    return SmallVector<Value>{b.fromElements(type, sizes)};
  }
};

struct SizeLowering final : OnnxLowering<SizeOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(SizeOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    OpFoldResult size = b.product(b.getSizes(adaptor.getData()));
    return SmallVector<Value>{
        b.fromElements(RankedTensorType::get({}, b.getI64Type()), size)};
  }
};
} // namespace

void populateShapeLowerings(RewritePatternSet &patterns,
                            const TypeConverter &typeConverter,
                            const SymbolicShapes &shapes) {
  patterns.add<ShapeLowering, SizeLowering>(typeConverter,
                                            patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
