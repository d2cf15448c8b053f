//===- Folds.cpp - folders of onnx ops ------------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Ops that change nothing. Folders see types only; what follows from symbolic
// shapes, and the evaluation of ops on constants, is left to passes.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lowbit::onnx;

/// The operand, if it may stand for the result as it is.
static OpFoldResult foldTo(Value operand, Value result) {
  return operand.getType() == result.getType() ? OpFoldResult(operand)
                                               : OpFoldResult();
}

OpFoldResult IdentityOp::fold(FoldAdaptor) {
  return foldTo(getInput(), getOutput());
}

OpFoldResult CastOp::fold(FoldAdaptor) {
  return foldTo(getInput(), getOutput());
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  return getInputs().size() == 1
             ? foldTo(getInputs().front(), getConcatResult())
             : OpFoldResult();
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  std::optional<ArrayRef<int64_t>> perm = getPerm();
  if (!perm || !llvm::is_sorted(*perm))
    return {};
  return foldTo(getData(), getTransposed());
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  // The number of elements fixes one unknown dimension, but not two: they may
  // have changed places.
  auto type = dyn_cast<RankedTensorType>(getReshaped().getType());
  if (!type || type.getNumDynamicDims() > 1 ||
      llvm::is_contained(type.getShape(), 0))
    return {};
  return foldTo(getData(), getReshaped());
}

OpFoldResult ExpandOp::fold(FoldAdaptor) {
  auto type = dyn_cast<RankedTensorType>(getOutput().getType());
  if (!type || !type.hasStaticShape())
    return {};
  return foldTo(getInput(), getOutput());
}

//===----------------------------------------------------------------------===//
// Neutral elements
//===----------------------------------------------------------------------===//

/// Whether all elements of a constant are one small integer.
static bool isSplatOf(Attribute attribute, int64_t number) {
  auto dense = dyn_cast_or_null<DenseElementsAttr>(attribute);
  if (!dense || !dense.isSplat())
    return false;
  if (isa<FloatType>(dense.getElementType()))
    return dense.getSplatValue<APFloat>().isExactlyValue(number);
  if (isa<IntegerType>(dense.getElementType()))
    return dense.getSplatValue<APInt>() == number;
  return false;
}

OpFoldResult AddOp::fold(FoldAdaptor adaptor) {
  if (isSplatOf(adaptor.getB(), 0))
    return foldTo(getA(), getC());
  if (isSplatOf(adaptor.getA(), 0))
    return foldTo(getB(), getC());
  return {};
}

OpFoldResult SubOp::fold(FoldAdaptor adaptor) {
  return isSplatOf(adaptor.getB(), 0) ? foldTo(getA(), getC()) : OpFoldResult();
}

OpFoldResult MulOp::fold(FoldAdaptor adaptor) {
  if (isSplatOf(adaptor.getB(), 1))
    return foldTo(getA(), getC());
  if (isSplatOf(adaptor.getA(), 1))
    return foldTo(getB(), getC());
  return {};
}

OpFoldResult DivOp::fold(FoldAdaptor adaptor) {
  return isSplatOf(adaptor.getB(), 1) ? foldTo(getA(), getC()) : OpFoldResult();
}
