//===- OpenMP.h - the OpenMP runtime that compiled code calls - -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_EXECUTION_OPENMP_H
#define LOWBIT_EXECUTION_OPENMP_H

#include "llvm/Support/Error.h"
#include <string>

namespace lowbit {

/// Loads LLVM's OpenMP runtime, libomp, into this process. Returns its path.
llvm::Expected<std::string> loadOpenMP();

/// Sets the number of threads; 0 stands for the default, all cores. The runtime
/// must be loaded.
void setOpenMPThreads(unsigned threads);

} // namespace lowbit

#endif // LOWBIT_EXECUTION_OPENMP_H
