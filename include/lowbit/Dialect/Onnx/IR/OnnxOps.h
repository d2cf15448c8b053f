//===- OnnxOps.h - onnx operations ------------------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_ONNX_IR_ONNXOPS_H
#define LOWBIT_DIALECT_ONNX_IR_ONNXOPS_H

#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.h"
#include "lowbit/Dialect/Onnx/IR/OnnxDialect.h"
#include "lowbit/Dialect/Onnx/IR/OnnxSchema.h"
#include "lowbit/Dialect/Onnx/IR/OnnxTypes.h"
#include "lowbit/Dialect/Onnx/IR/SymbolicShapes.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "lowbit/Dialect/Onnx/IR/OnnxInterfaces.h.inc"

#define GET_OP_CLASSES
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h.inc"

namespace lowbit::onnx {

/// Whether an optional operand or result is there, that is, not `none`.
inline bool isPresent(mlir::Value value) {
  return !llvm::isa<mlir::NoneType>(value.getType());
}

/// Whether an attribute may be the value of an `onnx.Constant`.
bool isConstantValue(mlir::Attribute attribute);

} // namespace lowbit::onnx

#endif // LOWBIT_DIALECT_ONNX_IR_ONNXOPS_H
