//===- GpuRuntime.cpp - the library that GPU programs call ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/GpuRuntime.h"
#include "lowbit/Support/RuntimeLibrary.h"

using namespace lowbit;

llvm::Expected<std::string> lowbit::findGpuRuntime(llvm::StringRef gpu) {
  return findRuntimeLibrary(gpu == kEmulatedGpu ? "liblowbit_gpu_emulator.so"
                                                : "liblowbit_cuda.so");
}
