//===- OnnxTypes.cpp - types that only ONNX has ---------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Onnx/IR/OnnxTypes.h"
#include "lowbit/Dialect/Onnx/IR/OnnxDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace lowbit::onnx;

#define GET_TYPEDEF_CLASSES
#include "lowbit/Dialect/Onnx/IR/OnnxTypes.cpp.inc"

void OnnxDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "lowbit/Dialect/Onnx/IR/OnnxTypes.cpp.inc"
      >();
}
