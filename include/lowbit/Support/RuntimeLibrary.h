//===- RuntimeLibrary.h - shared libraries that are opened ---- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_SUPPORT_RUNTIMELIBRARY_H
#define LOWBIT_SUPPORT_RUNTIMELIBRARY_H

#include "llvm/Support/Error.h"
#include <string>

namespace lowbit {

/// The path of a shared library of this project, such as "liblowbit_mpi.so":
/// beside the tool that runs, in the build's folder as in an installation, or
/// where it was built.
llvm::Expected<std::string> findRuntimeLibrary(llvm::StringRef name);

} // namespace lowbit

#endif // LOWBIT_SUPPORT_RUNTIMELIBRARY_H
