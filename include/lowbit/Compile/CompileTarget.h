//===- CompileTarget.h - what to compile for ------------------ -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_COMPILE_COMPILETARGET_H
#define LOWBIT_COMPILE_COMPILETARGET_H

#include "lowbit/Execution/CpuTarget.h"
#include "llvm/Support/Error.h"
#include "llvm/TargetParser/Triple.h"
#include <string>
#include <vector>

namespace lowbit {

/// What `--target=` names.
struct CompileTarget {
  llvm::Triple triple;
  /// Kinds of processors, from the least to the most capable: a library has
  /// code for each, and runs the last one that the machine supports. With a
  /// GPU, the one that runs the host's part.
  std::vector<CpuTarget> levels;
  /// The GPU that runs the kernels, or empty.
  std::string chip;

  /// "native"; "x86-64" or "aarch64" (levels chosen at run time); "x86-64-v2"
  /// to "x86-64-v4", "x86-64" and "aarch64" with "+feature" behind them; or a
  /// GPU such as "sm_80".
  static llvm::Expected<CompileTarget> parse(llvm::StringRef text);
};

} // namespace lowbit

#endif // LOWBIT_COMPILE_COMPILETARGET_H
