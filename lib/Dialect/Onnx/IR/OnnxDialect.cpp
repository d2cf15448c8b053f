//===- OnnxDialect.cpp - the onnx dialect ---------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Onnx/IR/OnnxDialect.h"
#include "ShapeInference/Inference.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/InliningUtils.h"

using namespace mlir;
using namespace lowbit::onnx;

#include "lowbit/Dialect/Onnx/IR/OnnxDialect.cpp.inc"

namespace {
/// Operators have no side effects and see nothing but their operands, so that a
/// graph may be inlined anywhere.
struct OnnxInlinerInterface : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final {
    return true;
  }
};
} // namespace

void OnnxDialect::initialize() {
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "lowbit/Dialect/Onnx/IR/OnnxOps.cpp.inc"
      >();
  addInterfaces<OnnxInlinerInterface>();
  attachQuantizedOpShapes(*getContext());
}

Operation *OnnxDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                            Type type, Location loc) {
  if (isa<NoneType>(type))
    return NoValueOp::create(builder, loc);
  auto typed = dyn_cast<TypedAttr>(value);
  if (!typed || typed.getType() != type || !isConstantValue(value))
    return nullptr;
  return ConstantOp::create(builder, loc, type, typed);
}
