//===- GpuRuntime.cpp - the library that GPU programs call ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/GpuRuntime.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace lowbit;
namespace path = llvm::sys::path;

llvm::Expected<std::string> lowbit::findGpuRuntime(llvm::StringRef gpu) {
  llvm::StringRef name = gpu == kEmulatedGpu ? "liblowbit_gpu_emulator.so"
                                             : "liblowbit_cuda.so";
  // Beside the tool that runs, in the build's folder as in an installation, or
  // where this library was built.
  static const char anchor = 0;
  std::string tool = llvm::sys::fs::getMainExecutable(
      nullptr, const_cast<char *>(&anchor));
  llvm::SmallString<128> beside(path::parent_path(path::parent_path(tool)));
  path::append(beside, "lib", name);
  llvm::SmallString<128> built(LOWBIT_RUNTIME_DIR);
  path::append(built, name);
  for (llvm::StringRef candidate : {beside.str(), built.str()})
    if (llvm::sys::fs::exists(candidate))
      return candidate.str();
  return makeError("cannot find the GPU runtime '" + beside.str() + "'");
}
