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
#include "llvm/TargetParser/Triple.h"
#include <string>
#include <vector>

namespace lowbit {

/// A processor by LLVM's names, and what the vectorizer needs to know of it.
struct CpuTarget {
  llvm::Triple triple;
  std::string cpu;
  /// LLVM's spelling: "+avx2,-avx512f".
  std::string features;
  unsigned vectorBytes;
  unsigned vectorRegisters;
  /// The generated kernels that it runs: "avx2", "avx512vnni", "amx", "neon",
  /// "i8mm", "sve", "sve-i8mm", or empty for none.
  std::string kernels;
  /// The instruction sets that not every processor of the architecture has.
  std::vector<std::string> extensions;

  /// `cpu` is "native", a level ("avx2", "avx512", "amx") or a name that LLVM
  /// knows for this machine's architecture; `features` are added to it. Asking
  /// for more than this machine can execute is an error.
  static llvm::Expected<CpuTarget> get(llvm::StringRef cpu = "native",
                                       llvm::StringRef features = "");

  /// The same for any machine, whose CPU is LLVM's name: nothing is asked of
  /// this one.
  static llvm::Expected<CpuTarget> getFor(const llvm::Triple &triple,
                                          llvm::StringRef cpu,
                                          llvm::StringRef features);

  /// What this machine lacks to execute such code: an instruction set or the
  /// architecture. Empty if there is nothing.
  llvm::Expected<std::string> findMissing() const;
};

} // namespace lowbit

#endif // LOWBIT_EXECUTION_CPUTARGET_H
