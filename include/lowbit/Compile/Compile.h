//===- Compile.h - models to files ---------------------------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_COMPILE_COMPILE_H
#define LOWBIT_COMPILE_COMPILE_H

#include "lowbit/Conversion/LowbitToCpu/KvCache.h"
#include "lowbit/Kernels/MatmulStrategy.h"
#include "mlir/IR/DialectRegistry.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>

namespace lowbit {

/// What to write: the module as the phase of the same name leaves it (Mlir: the
/// last one), or what is made of the lowered module.
enum class Emit {
  Quantized,
  Linalg,
  Buffers,
  Kernels,
  Mlir,
  Llvm,
  Assembly,
  Object,
  Shared,
  Ptx
};

struct CompileOptions {
  std::string input, output;
  /// See CompileTarget::parse.
  std::string target = "native";
  Emit emit = Emit::Shared;
  /// The clang that links; empty for the default.
  std::string clang;
  /// How a CPU multiplies quantized weights.
  MatmulStrategy strategy = MatmulStrategy::Auto;
  /// If not given, caches are updated in place by CPUs, and stay as they are
  /// for GPUs.
  std::optional<KvCache> kvCache;
  /// Whether kernels are measured on this machine (see Tune.h).
  bool tune = false;
};

/// Compiles a model file. Nothing is left of an output that could not be
/// completed. `registry` has all dialects that the input may use.
llvm::Error compileModel(const CompileOptions &options,
                         const mlir::DialectRegistry &registry);

} // namespace lowbit

#endif // LOWBIT_COMPILE_COMPILE_H
