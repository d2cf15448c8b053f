//===- Cast.cpp - lowering of conversions ---------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

static Value emitElement(CastOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  return emitCast(b, args[0], hasUnsignedElements(op.getInput()),
                  getSignlessType(op.getTo()),
                  hasUnsignedElements(op.getOutput()));
}

namespace {
/// The second operand only names a type.
struct CastLikeLowering final : OnnxLowering<CastLikeOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(CastLikeOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Type elementType = getElementType(adaptor.getTargetType());
    return SmallVector<Value>{createElementwise(
        b, adaptor.getInput(), elementType,
        [&](ImplicitLocOpBuilder &nested, ValueRange args) {
          return emitCast(nested, args[0], hasUnsignedElements(op.getInput()),
                          elementType, hasUnsignedElements(op.getTargetType()));
        })};
  }
};
} // namespace

void populateCastLowerings(RewritePatternSet &patterns,
                           const TypeConverter &typeConverter,
                           const SymbolicShapes &shapes) {
  patterns.add<ElementwiseLowering<CastOp, emitElement>, CastLikeLowering>(
      typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
