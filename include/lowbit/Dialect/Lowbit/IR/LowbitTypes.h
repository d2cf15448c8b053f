//===- LowbitTypes.h - lowbit types -----------------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_LOWBITTYPES_H
#define LOWBIT_DIALECT_LOWBIT_IR_LOWBITTYPES_H

#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.h"
#include "mlir/IR/BuiltinTypeInterfaces.h"

#define GET_TYPEDEF_CLASSES
#include "lowbit/Dialect/Lowbit/IR/LowbitTypes.h.inc"

#endif // LOWBIT_DIALECT_LOWBIT_IR_LOWBITTYPES_H
