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

/// The path of the library whose functions the program calls: the one that opens
/// the CUDA driver, or the emulator. See lowbit/Runtime/gpu.h.
llvm::Expected<std::string> findGpuRuntime(llvm::StringRef gpu);

/// Asks the runtime for the calling thread's first failure; null if there is
/// none.
using TakeGpuErrorFn = const char *(*)();
inline constexpr llvm::StringLiteral kTakeGpuErrorName =
    "lowbit_gpu_take_error";

} // namespace lowbit

#endif // LOWBIT_EXECUTION_GPURUNTIME_H
