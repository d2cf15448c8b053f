//===- Passes.h - passes of the GPU path ---------------------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_GPU_PASSES_H
#define LOWBIT_CONVERSION_GPU_PASSES_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace lowbit {

/// Marks a `memref.get_global` whose value lives on the device.
inline constexpr llvm::StringLiteral kDeviceAttrName = "lowbit.device";

/// On a `gpu.memcpy`: the direction, one of the three below.
inline constexpr llvm::StringLiteral kCopyAttrName = "lowbit.copy";
inline constexpr llvm::StringLiteral kCopyToDevice = "to_device";
inline constexpr llvm::StringLiteral kCopyToHost = "to_host";
inline constexpr llvm::StringLiteral kCopyOnDevice = "on_device";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lowbit/Conversion/GPU/Passes.h.inc"

} // namespace lowbit

#endif // LOWBIT_CONVERSION_GPU_PASSES_H
