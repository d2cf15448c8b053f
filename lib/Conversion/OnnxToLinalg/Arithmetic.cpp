//===- Arithmetic.cpp - lowering of arithmetic ops ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

static bool isUnsigned(Operation *op) {
  return hasUnsignedElements(op->getOperand(0));
}

static Value emitElement(AddOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  return emitAdd(b, args[0], args[1]);
}

static Value emitElement(SubOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  return emitSub(b, args[0], args[1]);
}

static Value emitElement(MulOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  return emitMul(b, args[0], args[1]);
}

static Value emitElement(DivOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  return emitDiv(b, args[0], args[1], isUnsigned(op));
}

static Value emitElement(ModOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  return emitMod(b, args[0], args[1], isUnsigned(op),
                 /*truncated=*/op.getFmod());
}

static Value emitElement(PowOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  return emitPow(b, args[0], args[1], hasUnsignedElements(op.getY()));
}

static Value emitElement(NegOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  return emitNeg(b, args[0]);
}

static Value emitElement(AbsOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  return emitAbs(b, args[0], isUnsigned(op));
}

static Value emitElement(MaxOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  Value result = args.front();
  for (Value arg : args.drop_front())
    result = emitMax(b, result, arg, isUnsigned(op));
  return result;
}

static Value emitElement(MinOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  Value result = args.front();
  for (Value arg : args.drop_front())
    result = emitMin(b, result, arg, isUnsigned(op));
  return result;
}

namespace {
struct ClipLowering final : OnnxLowering<ClipOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(ClipOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    SmallVector<Value> operands{adaptor.getInput()};
    bool hasMin = !isMissing(op.getMin()), hasMax = !isMissing(op.getMax());
    if (hasMin)
      operands.push_back(adaptor.getMin());
    if (hasMax)
      operands.push_back(adaptor.getMax());
    // The limits are scalars, which some models write as tensors of one
    // element.
    for (Value &limit : MutableArrayRef(operands).drop_front())
      limit = createReshape(b, limit, {});
    bool isUnsigned = hasUnsignedElements(op.getInput());
    // A comparison that NaN fails keeps it.
    auto replaceIf = [&](ImplicitLocOpBuilder &nested, Comparison comparison,
                         Value x, Value limit) -> Value {
      Value condition = emitCompare(nested, comparison, x, limit, isUnsigned);
      return nested.createOrFold<arith::SelectOp>(condition, limit, x);
    };
    return SmallVector<Value>{createElementwise(
        b, operands, getElementType(adaptor.getInput()),
        [&](ImplicitLocOpBuilder &nested, ValueRange args) {
          Value x = args.front();
          if (hasMin)
            x = replaceIf(nested, Comparison::Less, x, args[1]);
          if (hasMax)
            x = replaceIf(nested, Comparison::Greater, x, args.back());
          return x;
        })};
  }
};
} // namespace

void populateArithmeticLowerings(RewritePatternSet &patterns,
                                 const TypeConverter &typeConverter,
                                 const SymbolicShapes &shapes) {
  patterns.add<ElementwiseLowering<AbsOp, emitElement>,
               ElementwiseLowering<AddOp, emitElement>,
               ElementwiseLowering<DivOp, emitElement>,
               ElementwiseLowering<MaxOp, emitElement>,
               ElementwiseLowering<MinOp, emitElement>,
               ElementwiseLowering<ModOp, emitElement>,
               ElementwiseLowering<MulOp, emitElement>,
               ElementwiseLowering<NegOp, emitElement>,
               ElementwiseLowering<PowOp, emitElement>,
               ElementwiseLowering<SubOp, emitElement>, ClipLowering>(
      typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
