//===- Broadcast.cpp - verifiers of elementwise ops -----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Verifiers.h"

using namespace mlir;
using namespace lowbit::onnx;

/// The dimension `fromEnd` places before the last one, 1 beyond the rank.
static int64_t getDimFromEnd(RankedTensorType type, int64_t fromEnd) {
  int64_t index = type.getRank() - 1 - fromEnd;
  return index < 0 ? 1 : type.getDimSize(index);
}

LogicalResult lowbit::onnx::verifyBroadcast(Operation *op) {
  SmallVector<RankedTensorType> operands;
  int64_t rank = 0;
  for (Value operand : op->getOperands()) {
    RankedTensorType type = getRanked(operand);
    if (!type)
      return success();
    operands.push_back(type);
    rank = std::max(rank, type.getRank());
  }
  RankedTensorType result = getRanked(op->getResult(0));
  if (result && result.getRank() != rank)
    return op->emitOpError()
           << "result must have rank " << rank << ", got " << result;
  for (int64_t fromEnd = 0; fromEnd < rank; ++fromEnd) {
    int64_t expected = 1;
    bool anyDynamic = false;
    for (RankedTensorType type : operands) {
      int64_t size = getDimFromEnd(type, fromEnd);
      if (ShapedType::isDynamic(size)) {
        anyDynamic = true;
        continue;
      }
      if (size != 1 && expected != 1 && size != expected)
        return op->emitOpError()
               << "operands do not broadcast: dimension " << -1 - fromEnd
               << " is " << expected << " and " << size;
      if (size != 1)
        expected = size;
    }
    int64_t actual =
        result ? getDimFromEnd(result, fromEnd) : ShapedType::kDynamic;
    if (ShapedType::isDynamic(actual) || actual == expected ||
        (anyDynamic && expected == 1))
      continue;
    return op->emitOpError() << "result dimension " << -1 - fromEnd
                             << " must be " << expected << ", got " << actual;
  }
  return success();
}

LogicalResult AddOp::verify() { return verifyBroadcast(*this); }
LogicalResult AndOp::verify() { return verifyBroadcast(*this); }
LogicalResult DivOp::verify() { return verifyBroadcast(*this); }
LogicalResult EqualOp::verify() { return verifyBroadcast(*this); }
LogicalResult GreaterOp::verify() { return verifyBroadcast(*this); }
LogicalResult GreaterOrEqualOp::verify() { return verifyBroadcast(*this); }
LogicalResult LessOp::verify() { return verifyBroadcast(*this); }
LogicalResult LessOrEqualOp::verify() { return verifyBroadcast(*this); }
LogicalResult MaxOp::verify() { return verifyBroadcast(*this); }
LogicalResult MinOp::verify() { return verifyBroadcast(*this); }
LogicalResult MulOp::verify() { return verifyBroadcast(*this); }
LogicalResult OrOp::verify() { return verifyBroadcast(*this); }
LogicalResult PowOp::verify() { return verifyBroadcast(*this); }
LogicalResult SubOp::verify() { return verifyBroadcast(*this); }
LogicalResult WhereOp::verify() { return verifyBroadcast(*this); }
LogicalResult XorOp::verify() { return verifyBroadcast(*this); }

LogicalResult ModOp::verify() {
  auto type = cast<TensorType>(getA().getType());
  if (isa<FloatType>(type.getElementType()) && !getFmod())
    return emitOpError() << "fmod must be 1 for elements of type "
                         << type.getElementType();
  return verifyBroadcast(*this);
}

LogicalResult CastOp::verify() {
  Type elementType = cast<TensorType>(getOutput().getType()).getElementType();
  if (elementType != getTo())
    return emitOpError() << "result must have element type " << getTo()
                         << " as 'to' says, got " << elementType;
  return success();
}
