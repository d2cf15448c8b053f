//===- Passes.h - passes on onnx graphs -------------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_ONNX_TRANSFORMS_PASSES_H
#define LOWBIT_DIALECT_ONNX_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace lowbit::onnx {

#define GEN_PASS_DECL
#include "lowbit/Dialect/Onnx/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lowbit/Dialect/Onnx/Transforms/Passes.h.inc"

} // namespace lowbit::onnx

#endif // LOWBIT_DIALECT_ONNX_TRANSFORMS_PASSES_H
