//===- OnnxOps.cpp - ops that no schema describes -------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"

using namespace mlir;
using namespace lowbit::onnx;

#include "lowbit/Dialect/Onnx/IR/OnnxInterfaces.cpp.inc"

#define GET_OP_CLASSES
#include "lowbit/Dialect/Onnx/IR/OnnxOps.cpp.inc"

bool lowbit::onnx::isConstantValue(Attribute attribute) {
  return isa<DenseElementsAttr, DenseResourceElementsAttr, ExternalAttr>(
      attribute);
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

OpFoldResult NoValueOp::fold(FoldAdaptor) {
  return UnitAttr::get(getContext());
}

LogicalResult CustomOp::verify() {
  size_t numGraphs = getGraphs() ? getGraphs()->size() : 0;
  if (numGraphs != getBodies().size())
    return emitOpError() << "has " << getBodies().size()
                         << " regions, but names " << numGraphs << " graphs";
  if (getOpset() < 1)
    return emitOpError() << "opset version must be positive, got "
                         << getOpset();
  for (Region &body : getBodies())
    if (!isa<YieldOp>(body.front().back()))
      return emitOpError() << "graph must end with an onnx.Yield";
  return success();
}
