//===- Tune.h - kernels as they are fastest on this machine --- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_COMPILE_TUNE_H
#define LOWBIT_COMPILE_TUNE_H

#include "lowbit/Execution/CpuTarget.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace lowbit {

/// Measures, for each kind of product with a packed weight in `module`, a few
/// ways in which its kernel for `target` may compute, and sets the fastest as a
/// tuning of the operations. This machine must be able to execute code for
/// `target`. What was measured is printed to `os` as it comes.
llvm::Error tuneModel(mlir::ModuleOp module, const CpuTarget &target,
                      llvm::raw_ostream &os);

} // namespace lowbit

#endif // LOWBIT_COMPILE_TUNE_H
