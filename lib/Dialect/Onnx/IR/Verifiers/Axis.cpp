//===- Axis.cpp - verifiers of ops along an axis --------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Verifiers.h"

using namespace mlir;
using namespace lowbit::onnx;

LogicalResult lowbit::onnx::verifyAxis(Operation *op, StringRef name,
                                       int64_t axis, Value value,
                                       int64_t extra) {
  RankedTensorType type = getRanked(value);
  if (!type)
    return success();
  int64_t rank = type.getRank() + extra;
  // A scalar has the one "axis" 0 and -1 in ONNX.
  rank = std::max<int64_t>(rank, 1);
  if (axis >= -rank && axis < rank)
    return success();
  return op->emitOpError() << name << " must be in [" << -rank << ", "
                           << rank - 1 << "] for " << type << ", got " << axis;
}

LogicalResult lowbit::onnx::verifyRank(Operation *op, StringRef name,
                                       Value value, int64_t rank) {
  RankedTensorType type = getRanked(value);
  if (!type || type.getRank() == rank)
    return success();
  return op->emitOpError() << "'" << name << "' must have rank " << rank
                           << ", got " << type;
}

LogicalResult lowbit::onnx::verifySameDim(Operation *op, StringRef what,
                                          std::optional<int64_t> a,
                                          std::optional<int64_t> b) {
  if (!a || !b || *a == *b)
    return success();
  return op->emitOpError() << what << " must be equal, got " << *a << " and "
                           << *b;
}

LogicalResult ArgMaxOp::verify() {
  return verifyAxis(*this, "axis", getAxis(), getData());
}

LogicalResult SoftmaxOp::verify() {
  return verifyAxis(*this, "axis", getAxis(), getInput());
}

LogicalResult LogSoftmaxOp::verify() {
  return verifyAxis(*this, "axis", getAxis(), getInput());
}

LogicalResult TopKOp::verify() {
  return verifyAxis(*this, "axis", getAxis(), getX());
}

LogicalResult LayerNormalizationOp::verify() {
  return verifyAxis(*this, "axis", getAxis(), getX());
}

LogicalResult RMSNormalizationOp::verify() {
  return verifyAxis(*this, "axis", getAxis(), getX());
}

LogicalResult QuantizeLinearOp::verify() {
  // A scalar scale has no axis, and the default need not fit then.
  if (getStaticDim(getYScale(), 0).value_or(1) == 1)
    return success();
  return verifyAxis(*this, "axis", getAxis(), getX());
}

LogicalResult DequantizeLinearOp::verify() {
  if (getStaticDim(getXScale(), 0).value_or(1) == 1)
    return success();
  return verifyAxis(*this, "axis", getAxis(), getX());
}

LogicalResult FlattenOp::verify() {
  if (failed(verifyAxis(*this, "axis", getAxis(), getInput(), /*extra=*/1)))
    return failure();
  return verifyRank(*this, "output", getOutput(), 2);
}

LogicalResult CumSumOp::verify() {
  RankedTensorType axis = getRanked(getAxis());
  if (axis && axis.getRank() != 0 && axis.hasStaticShape() &&
      axis.getNumElements() != 1)
    return emitOpError() << "'axis' must be a single number, got " << axis;
  return success();
}
