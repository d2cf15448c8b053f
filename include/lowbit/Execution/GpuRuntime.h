//===- GpuRuntime.h - the library that GPU programs call ------ -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_EXECUTION_GPURUNTIME_H
#define LOWBIT_EXECUTION_GPURUNTIME_H

#include "llvm/Support/Error.h"
#include <string>

namespace lowbit {

/// Stands for the host, which runs kernels thread by thread, in the place of a
/// GPU's name.
inline constexpr llvm::StringLiteral kEmulatedGpu = "emulate";

/// The path of the library whose functions the program calls: the one that
/// opens the CUDA driver, or the emulator. See lowbit/Runtime/gpu.h.
llvm::Expected<std::string> findGpuRuntime(llvm::StringRef gpu);

/// The functions of the runtime that are called around a run, see
/// lowbit/Runtime/gpu.h; null if the CPU runs everything.
struct GpuRunFunctions {
  const char *(*takeError)() = nullptr;
  void (*abandonRun)() = nullptr;
};
inline constexpr llvm::StringLiteral kTakeGpuErrorName =
    "lowbit_gpu_take_error";
inline constexpr llvm::StringLiteral kAbandonGpuRunName =
    "lowbit_gpu_abandon_run";

} // namespace lowbit

#endif // LOWBIT_EXECUTION_GPURUNTIME_H
