//===- Ptx.h - models to PTX ---------------------------------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_COMPILE_PTX_H
#define LOWBIT_COMPILE_PTX_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <string>

namespace lowbit {

/// The kernels of a model for a GPU. The module is lowered in place, unless
/// `--lower-to-nvptx` has done so.
llvm::Expected<std::string> getPtx(mlir::ModuleOp module, llvm::StringRef chip);

} // namespace lowbit

#endif // LOWBIT_COMPILE_PTX_H
