//===- OnnxDialect.h - the onnx dialect -------------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_ONNX_IR_ONNXDIALECT_H
#define LOWBIT_DIALECT_ONNX_IR_ONNXDIALECT_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/Operation.h"

#include "lowbit/Dialect/Onnx/IR/OnnxDialect.h.inc"

#endif // LOWBIT_DIALECT_ONNX_IR_ONNXDIALECT_H
