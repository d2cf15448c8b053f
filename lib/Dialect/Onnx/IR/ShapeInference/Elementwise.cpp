//===- Elementwise.cpp - shapes and elements of elementwise ops -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Inference.h"

using namespace mlir;
using namespace lowbit::onnx;

//===----------------------------------------------------------------------===//
// Ops that keep the shape and say nothing about elements
//===----------------------------------------------------------------------===//

#define SAME_SHAPE(OP)                                                         \
  LogicalResult OP::inferShapes(SymbolicShapes &shapes) {                      \
    return inferSameShape(*this, shapes);                                      \
  }
SAME_SHAPE(CastLikeOp)
SAME_SHAPE(CeilOp)
SAME_SHAPE(ClipOp)
SAME_SHAPE(CosOp)
SAME_SHAPE(CumSumOp)
SAME_SHAPE(DequantizeLinearOp)
SAME_SHAPE(DropoutOp)
SAME_SHAPE(ErfOp)
SAME_SHAPE(ExpOp)
SAME_SHAPE(FloorOp)
SAME_SHAPE(GeluOp)
SAME_SHAPE(IsNaNOp)
SAME_SHAPE(LogOp)
SAME_SHAPE(LogSoftmaxOp)
SAME_SHAPE(QuantizeLinearOp)
SAME_SHAPE(ReciprocalOp)
SAME_SHAPE(ReluOp)
SAME_SHAPE(RoundOp)
SAME_SHAPE(SigmoidOp)
SAME_SHAPE(SinOp)
SAME_SHAPE(SoftmaxOp)
SAME_SHAPE(SqrtOp)
SAME_SHAPE(SwishOp)
SAME_SHAPE(TanhOp)
SAME_SHAPE(TriluOp)
#undef SAME_SHAPE

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

LogicalResult IdentityOp::inferShapes(SymbolicShapes &shapes) {
  inferSameElements(getInput(), getOutput(), shapes);
  return inferSameShape(*this, shapes);
}

/// Whether an integer fits into a type, where what is not constant is taken for
/// a dimension, which fits into 32 bits.
static bool fits(AffineExpr expression, IntegerType type) {
  auto constant = dyn_cast<AffineConstantExpr>(expression);
  if (!constant)
    return type.getWidth() >= 32;
  if (type.getWidth() >= 64)
    return type.isSignless() || constant.getValue() >= 0;
  return type.isUnsigned() ? llvm::isUIntN(type.getWidth(), constant.getValue())
                           : llvm::isIntN(type.getWidth(), constant.getValue());
}

LogicalResult CastOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> elements = shapes.getElements(getInput());
  auto type = dyn_cast<IntegerType>(getTo());
  if (elements && type) {
    SymbolicShapes::Expressions result(*elements);
    for (AffineExpr &element : result) {
      if (type.getWidth() == 1) {
        std::optional<bool> isZero =
            shapes.isEqual(element, shapes.getConstant(0));
        element = isZero ? shapes.getConstant(!*isZero) : AffineExpr();
      } else if (!fits(element, type)) {
        element = AffineExpr();
      }
    }
    shapes.setElements(getOutput(), result);
  }
  return inferSameShape(*this, shapes);
}

LogicalResult AddOp::inferShapes(SymbolicShapes &shapes) {
  return inferBroadcast(*this, shapes, [&](ArrayRef<AffineExpr> x) {
    return shapes.add(x[0], x[1]);
  });
}

LogicalResult SubOp::inferShapes(SymbolicShapes &shapes) {
  return inferBroadcast(*this, shapes, [&](ArrayRef<AffineExpr> x) {
    return shapes.subtract(x[0], x[1]);
  });
}

LogicalResult MulOp::inferShapes(SymbolicShapes &shapes) {
  return inferBroadcast(*this, shapes, [&](ArrayRef<AffineExpr> x) {
    return shapes.multiply(x[0], x[1]);
  });
}

LogicalResult NegOp::inferShapes(SymbolicShapes &shapes) {
  return inferBroadcast(*this, shapes, [&](ArrayRef<AffineExpr> x) {
    return shapes.multiply(x[0], shapes.getConstant(-1));
  });
}

LogicalResult AbsOp::inferShapes(SymbolicShapes &shapes) {
  return inferBroadcast(*this, shapes, [&](ArrayRef<AffineExpr> x) {
    return shapes.isNonNegative(x[0]) ? x[0] : AffineExpr();
  });
}

/// Division in ONNX rounds towards zero, which is down for what is not
/// negative.
LogicalResult DivOp::inferShapes(SymbolicShapes &shapes) {
  return inferBroadcast(*this, shapes, [&](ArrayRef<AffineExpr> x) {
    return shapes.isNonNegative(x[0]) && shapes.isNonNegative(x[1])
               ? shapes.floorDivide(x[0], x[1])
               : AffineExpr();
  });
}

LogicalResult ModOp::inferShapes(SymbolicShapes &shapes) {
  return inferBroadcast(*this, shapes, [&](ArrayRef<AffineExpr> x) {
    return shapes.isNonNegative(x[0]) && shapes.isNonNegative(x[1])
               ? shapes.remainder(x[0], x[1])
               : AffineExpr();
  });
}

LogicalResult PowOp::inferShapes(SymbolicShapes &shapes) {
  return inferBroadcast(*this, shapes);
}

/// One of the operands, if it is always the least (or the greatest).
static LogicalResult inferExtremum(Operation *op, SymbolicShapes &shapes,
                                   bool least) {
  return inferBroadcast(op, shapes, [&](ArrayRef<AffineExpr> x) {
    AffineExpr best = x.front();
    for (AffineExpr next : x.drop_front()) {
      std::optional<bool> keeps =
          best ? shapes.isLessOrEqual(best, next) : std::nullopt;
      if (!keeps)
        return AffineExpr();
      best = *keeps == least ? best : next;
    }
    return best;
  });
}

LogicalResult MaxOp::inferShapes(SymbolicShapes &shapes) {
  return inferExtremum(*this, shapes, /*least=*/false);
}

LogicalResult MinOp::inferShapes(SymbolicShapes &shapes) {
  return inferExtremum(*this, shapes, /*least=*/true);
}

//===----------------------------------------------------------------------===//
// Truth values
//===----------------------------------------------------------------------===//

static AffineExpr toElement(SymbolicShapes &shapes, std::optional<bool> truth) {
  return truth ? shapes.getConstant(*truth) : AffineExpr();
}

/// A truth value, if it is a constant.
static std::optional<bool> toTruth(AffineExpr element) {
  auto constant = dyn_cast<AffineConstantExpr>(element);
  return constant ? std::optional(constant.getValue() != 0) : std::nullopt;
}

#define COMPARISON(OP, RELATION, LEFT, RIGHT)                                  \
  LogicalResult OP::inferShapes(SymbolicShapes &shapes) {                      \
    return inferBroadcast(*this, shapes, [&](ArrayRef<AffineExpr> x) {         \
      return toElement(shapes, shapes.RELATION(x[LEFT], x[RIGHT]));            \
    });                                                                        \
  }
COMPARISON(EqualOp, isEqual, 0, 1)
COMPARISON(LessOp, isLess, 0, 1)
COMPARISON(LessOrEqualOp, isLessOrEqual, 0, 1)
COMPARISON(GreaterOp, isLess, 1, 0)
COMPARISON(GreaterOrEqualOp, isLessOrEqual, 1, 0)
#undef COMPARISON

LogicalResult NotOp::inferShapes(SymbolicShapes &shapes) {
  return inferBroadcast(*this, shapes, [&](ArrayRef<AffineExpr> x) {
    std::optional<bool> truth = toTruth(x[0]);
    return toElement(shapes, truth ? std::optional(!*truth) : std::nullopt);
  });
}

/// `decisive` on one side decides, whatever the other side is.
static LogicalResult inferLogical(Operation *op, SymbolicShapes &shapes,
                                  bool decisive) {
  return inferBroadcast(op, shapes, [&](ArrayRef<AffineExpr> x) {
    std::optional<bool> a = toTruth(x[0]), b = toTruth(x[1]);
    if (a == decisive || b == decisive)
      return shapes.getConstant(decisive);
    return a && b ? shapes.getConstant(!decisive) : AffineExpr();
  });
}

LogicalResult AndOp::inferShapes(SymbolicShapes &shapes) {
  return inferLogical(*this, shapes, /*decisive=*/false);
}

LogicalResult OrOp::inferShapes(SymbolicShapes &shapes) {
  return inferLogical(*this, shapes, /*decisive=*/true);
}

LogicalResult XorOp::inferShapes(SymbolicShapes &shapes) {
  return inferBroadcast(*this, shapes, [&](ArrayRef<AffineExpr> x) {
    std::optional<bool> a = toTruth(x[0]), b = toTruth(x[1]);
    return a && b ? shapes.getConstant(*a != *b) : AffineExpr();
  });
}

LogicalResult WhereOp::inferShapes(SymbolicShapes &shapes) {
  return inferBroadcast(*this, shapes, [&](ArrayRef<AffineExpr> x) {
    if (x[1] == x[2])
      return x[1];
    std::optional<bool> condition = toTruth(x[0]);
    return condition ? x[*condition ? 1 : 2] : AffineExpr();
  });
}
