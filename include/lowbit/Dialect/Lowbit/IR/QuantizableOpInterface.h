//===- QuantizableOpInterface.h - what a quantizing pass sees ---*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_QUANTIZABLEOPINTERFACE_H
#define LOWBIT_DIALECT_LOWBIT_IR_QUANTIZABLEOPINTERFACE_H

#include "mlir/IR/OpDefinition.h"

#include "lowbit/Dialect/Lowbit/IR/QuantizableOpEnums.h.inc"
#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.h.inc"

#endif // LOWBIT_DIALECT_LOWBIT_IR_QUANTIZABLEOPINTERFACE_H
