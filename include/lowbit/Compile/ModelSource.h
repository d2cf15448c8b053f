//===- ModelSource.h - the C side of a model ------------------ -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_COMPILE_MODELSOURCE_H
#define LOWBIT_COMPILE_MODELSOURCE_H

#include "lowbit/Compile/CompileTarget.h"
#include "lowbit/Execution/Signature.h"
#include <string>

namespace lowbit {

/// What the symbols of the library `path` begin with: "model" for "a/model.so".
std::string getSymbolPrefix(llvm::StringRef path);

/// The name of the code for level `index`.
std::string getEntryName(llvm::StringRef prefix, size_t index);

/// An input or output of more dimensions than the C interface has room for is
/// an error.
llvm::Error checkRanks(const Signature &signature);

/// The C header of a model: what it takes and returns, and how to run it.
std::string getHeader(const Signature &signature, llvm::StringRef prefix);

/// The C source of all of the model that is not generated code: its tables, the
/// choice among the levels, and the runtime. `exportsModel` is for a library
/// that programs may open by its path.
std::string getModelSource(const Signature &signature,
                           const CompileTarget &target, llvm::StringRef prefix,
                           bool exportsModel);

/// The C sources of the runtime that GPU programs call, each to be compiled by
/// itself.
std::vector<std::string> getGpuRuntimeSources(llvm::StringRef prefix);

/// What a model calls a function of the runtime, so that each model has its
/// own.
std::string getRuntimeName(llvm::StringRef prefix, llvm::StringRef function);

} // namespace lowbit

#endif // LOWBIT_COMPILE_MODELSOURCE_H
