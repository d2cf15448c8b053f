//===- OpenMP.cpp - the OpenMP runtime that compiled code calls -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/OpenMP.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/FileSystem.h"

using namespace lowbit;
using llvm::sys::DynamicLibrary;

/// What the dynamic loader finds by itself, then where Debian keeps the library
/// of each LLVM; the first is the one that CMake found.
static constexpr const char *candidates[] = {LOWBIT_LIBOMP_PATH, "libomp.so.5"};

llvm::Expected<std::string> lowbit::loadOpenMP() {
  std::string message;
  for (const char *candidate : candidates)
    if (!DynamicLibrary::LoadLibraryPermanently(candidate, &message))
      return std::string(candidate);
  return makeError("cannot load LLVM's OpenMP runtime: " + message);
}

void lowbit::setOpenMPThreads(unsigned threads) {
  if (threads == 0) {
    auto *getProcessors = reinterpret_cast<int (*)()>(
        DynamicLibrary::SearchForAddressOfSymbol("omp_get_num_procs"));
    threads = getProcessors();
  }
  auto *setThreads = reinterpret_cast<void (*)(int)>(
      DynamicLibrary::SearchForAddressOfSymbol("omp_set_num_threads"));
  setThreads(int(threads));
}
