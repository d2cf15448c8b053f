//===- CpuTarget.h - the processor that code is made for ------ -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_EXECUTION_CPUTARGET_H
#define LOWBIT_EXECUTION_CPUTARGET_H

#include "llvm/Support/Error.h"
#include <string>

namespace lowbit {

/// A processor by LLVM's names, and what the vectorizer needs to know of it.
struct CpuTarget {
  std::string cpu;
  /// LLVM's spelling: "+avx2,-avx512f".
  std::string features;
  unsigned vectorBytes;
  unsigned vectorRegisters;
  /// The generated kernels that it runs: "avx2", "avx512vnni", "neon", or
  /// empty for none.
  std::string kernels;

  /// `cpu` is "native", a level ("avx2", "avx512") or a name that LLVM knows
  /// for this machine's architecture; `features` are added to it. Asking for
  /// more than this machine can execute is an error.
  static llvm::Expected<CpuTarget> get(llvm::StringRef cpu = "native",
                                       llvm::StringRef features = "");
};

} // namespace lowbit

#endif // LOWBIT_EXECUTION_CPUTARGET_H
