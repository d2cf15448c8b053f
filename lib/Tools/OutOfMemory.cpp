//===- OutOfMemory.cpp - how tools end without memory ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Tools/OutOfMemory.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/WithColor.h"
#include <cstdlib>

static void exitWithMessage(void *tool, const char *reason, bool) {
  // What is half written goes away, as when a signal ends the tool.
  llvm::sys::RunInterruptHandlers();
  llvm::WithColor::error(llvm::errs(), static_cast<const char *>(tool))
      << "out of memory: " << reason << '\n';
  std::_Exit(1);
}

void lowbit::exitWhenOutOfMemory(const char *tool) {
  llvm::install_bad_alloc_error_handler(exitWithMessage,
                                        const_cast<char *>(tool));
}
