//===- QuantizableOpInterface.cpp - what a quantizing pass sees -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.h"

#include "lowbit/Dialect/Lowbit/IR/QuantizableOpEnums.cpp.inc"
#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.cpp.inc"
