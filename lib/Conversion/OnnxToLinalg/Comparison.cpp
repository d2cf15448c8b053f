//===- Comparison.cpp - lowering of comparisons and logic -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

#define LOWBIT_COMPARISON(NAME)                                                \
  static Value emitElement(NAME##Op op, ImplicitLocOpBuilder &b,               \
                           ValueRange args) {                                  \
    return emitCompare(b, Comparison::NAME, args[0], args[1],                  \
                       hasUnsignedElements(op.getA()));                        \
  }
LOWBIT_COMPARISON(Equal)
LOWBIT_COMPARISON(Greater)
LOWBIT_COMPARISON(GreaterOrEqual)
LOWBIT_COMPARISON(Less)
LOWBIT_COMPARISON(LessOrEqual)
#undef LOWBIT_COMPARISON

static Value emitElement(AndOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  return b.createOrFold<arith::AndIOp>(args[0], args[1]);
}

static Value emitElement(OrOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  return b.createOrFold<arith::OrIOp>(args[0], args[1]);
}

static Value emitElement(XorOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  return b.createOrFold<arith::XOrIOp>(args[0], args[1]);
}

static Value emitElement(NotOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  Value one = emitConstant(b, args[0].getType(), 1);
  return b.createOrFold<arith::XOrIOp>(args[0], one);
}

static Value emitElement(IsNaNOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  return emitIsNaN(b, args[0]);
}

static Value emitElement(WhereOp op, ImplicitLocOpBuilder &b, ValueRange args) {
  return b.createOrFold<arith::SelectOp>(args[0], args[1], args[2]);
}

void populateComparisonLowerings(RewritePatternSet &patterns,
                                 const TypeConverter &typeConverter,
                                 const SymbolicShapes &shapes) {
  patterns.add<ElementwiseLowering<AndOp, emitElement>,
               ElementwiseLowering<EqualOp, emitElement>,
               ElementwiseLowering<GreaterOp, emitElement>,
               ElementwiseLowering<GreaterOrEqualOp, emitElement>,
               ElementwiseLowering<IsNaNOp, emitElement>,
               ElementwiseLowering<LessOp, emitElement>,
               ElementwiseLowering<LessOrEqualOp, emitElement>,
               ElementwiseLowering<NotOp, emitElement>,
               ElementwiseLowering<OrOp, emitElement>,
               ElementwiseLowering<WhereOp, emitElement>,
               ElementwiseLowering<XorOp, emitElement>>(
      typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
