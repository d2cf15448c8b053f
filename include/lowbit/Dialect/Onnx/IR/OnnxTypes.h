//===- OnnxTypes.h - types that only ONNX has -------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_ONNX_IR_ONNXTYPES_H
#define LOWBIT_DIALECT_ONNX_IR_ONNXTYPES_H

#include "mlir/IR/BuiltinTypes.h"

#define GET_TYPEDEF_CLASSES
#include "lowbit/Dialect/Onnx/IR/OnnxTypes.h.inc"

#endif // LOWBIT_DIALECT_ONNX_IR_ONNXTYPES_H
