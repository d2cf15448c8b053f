//===- gpu_error.h - the first failure of a thread ------------ -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_RUNTIME_GPU_ERROR_H
#define LOWBIT_LIB_RUNTIME_GPU_ERROR_H

#include <stdbool.h>

/* Keeps the first message since lowbit_gpu_take_error; formats like printf. */
void lowbit_gpu_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

bool lowbit_gpu_failed(void);

#endif /* LOWBIT_LIB_RUNTIME_GPU_ERROR_H */
