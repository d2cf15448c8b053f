//===- Memory.cpp - the memory that mapped files occupy -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/Memory.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Process.h"
#include <sys/mman.h>

void lowbit::releasePages(llvm::ArrayRef<char> mapped) {
  // Whole pages inside the slice only: its neighbours may be in use.
  uintptr_t page = llvm::sys::Process::getPageSizeEstimate();
  uintptr_t begin =
      llvm::alignTo(reinterpret_cast<uintptr_t>(mapped.begin()), page);
  uintptr_t end =
      llvm::alignDown(reinterpret_cast<uintptr_t>(mapped.end()), page);
  if (begin < end)
    ::madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
}
