//===- NormParts.cpp - what surrounds a recognized norm -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NormParts.h"

using namespace mlir;
using namespace lowbit::onnx;

NormParts lowbit::onnx::collectNormParts(Operation *root, Value x) {
  NormParts parts = {x, {}, {}, root};
  auto up = x.getDefiningOp<CastOp>();
  auto down = getOnlyUser<CastOp>(root->getResult(0));
  if (up && down && getFloatElementType(x).isF32() &&
      up.getInput().getType() == down.getOutput().getType()) {
    Type narrow = getFloatElementType(up.getInput());
    if (isa_and_nonnull<Float16Type, BFloat16Type>(narrow)) {
      parts.x = up.getInput();
      parts.last = down;
    }
  }
  return parts;
}

/// Whether a value has one number for each channel of `x`.
static bool isPerChannel(Value value, Value x) {
  int64_t channels = getKnownDim(x, -1);
  return getRank(value) == 1 && !ShapedType::isDynamic(channels) &&
         getKnownDim(value, 0) == channels;
}

template <typename OpTy>
static Value absorb(NormParts &parts) {
  Value result = parts.last->getResult(0);
  auto user = getOnlyUser<OpTy>(result);
  if (!user || user.getA() == user.getB() || user.getType() != result.getType())
    return {};
  Value other = getOtherOperand(user, result);
  if (!isPerChannel(other, result))
    return {};
  parts.last = user;
  return other;
}

void lowbit::onnx::absorbScale(NormParts &parts) {
  parts.scale = absorb<MulOp>(parts);
}

void lowbit::onnx::absorbBias(NormParts &parts) {
  parts.bias = absorb<AddOp>(parts);
}

LogicalResult lowbit::onnx::addMissingScale(NormParts &parts,
                                            OpBuilder &builder) {
  if (parts.scale)
    return success();
  int64_t channels = getKnownDim(parts.x, -1);
  FloatType elementType = getFloatElementType(parts.x);
  if (ShapedType::isDynamic(channels) || !elementType)
    return failure();
  auto type = RankedTensorType::get(channels, elementType);
  parts.scale = ConstantOp::create(
      builder, parts.last->getLoc(), type,
      DenseElementsAttr::get(type,
                             FloatAttr::get(elementType, 1.0).getValue()));
  return success();
}
