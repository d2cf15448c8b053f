//===- Constant.cpp - lowering of constants -------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnnxLowering.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

/// Constants of at most this many elements are worth folding; larger ones are
/// data, of which lowered code holds only the address.
static constexpr int64_t kMaxFoldedElements = 64;

/// `value` with signless elements.
static TypedAttr getSignlessAttr(TypedAttr value) {
  auto type = cast<RankedTensorType>(getSignlessType(value.getType()));
  if (type == value.getType())
    return value;
  if (auto external = dyn_cast<ExternalAttr>(value))
    return ExternalAttr::get(value.getContext(), type, external.getFile(),
                             external.getKey(), external.getOffset(),
                             external.getLength());
  auto dense = cast<DenseElementsAttr>(value);
  return DenseElementsAttr::getFromRawBuffer(type, dense.getRawData());
}

namespace {
struct ConstantLowering final : OnnxLowering<ConstantOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(ConstantOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    if (isa<DenseResourceElementsAttr>(op.getValue()))
      return b.refuse("a constant must be dense or external");
    TypedAttr value = getSignlessAttr(op.getValue());
    auto dense = dyn_cast<DenseElementsAttr>(value);
    bool isFolded = dense && (dense.isSplat() ||
                              dense.getNumElements() <= kMaxFoldedElements);
    if (isFolded)
      return SmallVector<Value>{arith::ConstantOp::create(b, value)};
    return SmallVector<Value>{WeightOp::create(b, value)};
  }
};
} // namespace

void populateConstantLowerings(RewritePatternSet &patterns,
                               const TypeConverter &typeConverter,
                               const SymbolicShapes &shapes) {
  patterns.add<ConstantLowering>(typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
