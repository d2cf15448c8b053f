//===- Parallel.h - Loops over independent tasks ----------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_PARALLEL_H
#define LOWBIT_LIB_QUANTIZE_PARALLEL_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstdint>

namespace lowbit {

/// Runs `task(i)` for every i in [0, count) on up to `threads` threads (0: all
/// processors), in any order. Results do not depend on the number of threads if
/// the tasks do not depend on each other, so cut work into tasks by its size
/// and never by the number of threads.
void parallelFor(int64_t count, unsigned threads,
                 llvm::function_ref<void(int64_t)> task);

} // namespace lowbit

#endif // LOWBIT_LIB_QUANTIZE_PARALLEL_H
