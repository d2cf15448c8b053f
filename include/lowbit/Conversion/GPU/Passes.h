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

/// Marks a constant (`memref.get_global`, `lowbit.weight`) that lives on the
/// device: the name of the variable that holds its address there.
inline constexpr llvm::StringLiteral kDeviceAttrName = "lowbit.device";

/// Marks the constant that holds the PTX in a lowered program.
inline constexpr llvm::StringLiteral kPtxAttrName = "lowbit.ptx";

/// The function of a lowered program that gives back what the program holds of
/// the runtime's: weights on the device, loaded kernels. It takes and returns
/// nothing.
inline constexpr llvm::StringLiteral kUnloadName = "lowbit_unload";

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
