//===- gpu_error.c - the first failure of a thread ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "gpu_error.h"
#include "lowbit/Runtime/gpu.h"
#include <stdarg.h>
#include <stdio.h>

static _Thread_local char message[512];
static _Thread_local bool failed;

void lowbit_gpu_fail(const char *format, ...) {
  if (failed)
    return;
  failed = true;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
}

bool lowbit_gpu_failed(void) { return failed; }

const char *lowbit_gpu_take_error(void) {
  if (!failed)
    return NULL;
  failed = false;
  return message;
}
