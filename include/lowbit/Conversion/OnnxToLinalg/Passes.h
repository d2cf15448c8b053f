//===- Passes.h - lowering of the onnx dialect ------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_ONNXTOLINALG_PASSES_H
#define LOWBIT_CONVERSION_ONNXTOLINALG_PASSES_H

#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace lowbit {

#define GEN_PASS_DECL
#include "lowbit/Conversion/OnnxToLinalg/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lowbit/Conversion/OnnxToLinalg/Passes.h.inc"

} // namespace lowbit

#endif // LOWBIT_CONVERSION_ONNXTOLINALG_PASSES_H
