//===- GuardedRun.cpp - compiled code that fails --------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Models assert what cannot be known before they run (that a new shape has as
// many elements as the old one, say), outside of parallel loops. No code of C++
// stands between the assertion and the call, so that longjmp may leave it.

#include "GuardedRun.h"
#include "lowbit/Support/OutputFile.h"
#include <csetjmp>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <err.h>

using namespace lowbit;

static thread_local std::jmp_buf *landing = nullptr;
static thread_local char message[512];

void lowbit::failRun(int status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  if (!landing)
    verrx(status, format, arguments);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  std::longjmp(*landing, 1);
}

void *lowbit::allocateOrFail(size_t size) {
  void *memory = std::malloc(size);
  if (!memory && size != 0)
    failRun(1, "out of memory: cannot allocate %zu bytes", size);
  return memory;
}

llvm::Error lowbit::runGuarded(llvm::function_ref<void()> run) {
  std::jmp_buf buffer;
  landing = &buffer;
  if (setjmp(buffer)) {
    landing = nullptr;
    return makeError(message);
  }
  run();
  landing = nullptr;
  return llvm::Error::success();
}
