//===- Passes.h - passes on the lowbit dialect ------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_TRANSFORMS_PASSES_H
#define LOWBIT_DIALECT_LOWBIT_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace lowbit {

/// The phases of a lowering, in their order. The names are those of
/// `--lowbit-verify-phase`, whose description says what exists at the end of
/// each.
enum class Phase { Onnx, Quantized, Linalg, Buffers, Kernels, Ptx, Llvm };
llvm::StringRef getPhaseName(Phase phase);

/// Adds the check that nothing is left of what `phase` lowers.
void endPhase(mlir::OpPassManager &pm, Phase phase);

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lowbit/Dialect/Lowbit/Transforms/Passes.h.inc"

} // namespace lowbit

#endif // LOWBIT_DIALECT_LOWBIT_TRANSFORMS_PASSES_H
