//===- GuardedRun.h - compiled code that fails ----------------- -*- C++
//-*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_EXECUTION_GUARDEDRUN_H
#define LOWBIT_LIB_EXECUTION_GUARDEDRUN_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

namespace lowbit {

/// Runs code that was compiled in memory. An assertion that fails in it, or a
/// lack of memory, on this thread, ends the run and is the error; what the run
/// had allocated is lost.
llvm::Error runGuarded(llvm::function_ref<void()> run);

/// What compiled code calls by the name of malloc.
void *allocateOrFail(size_t size);

/// What compiled code calls by the name of the C library's function, with which
/// programs end. On other threads it does the same.
inline constexpr llvm::StringLiteral kFailureSymbol = "errx";
[[noreturn]] void failRun(int status, const char *format, ...);

} // namespace lowbit

#endif // LOWBIT_LIB_EXECUTION_GUARDEDRUN_H
