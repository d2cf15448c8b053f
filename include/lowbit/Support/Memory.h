//===- Memory.h - the memory that mapped files occupy -------- -*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_SUPPORT_MEMORY_H
#define LOWBIT_SUPPORT_MEMORY_H

#include "llvm/ADT/ArrayRef.h"

namespace lowbit {

/// Tells the system that the pages of a mapped, unmodified slice are not needed
/// for now. The slice stays valid; the next access reads the file again.
void releasePages(llvm::ArrayRef<char> mapped);

} // namespace lowbit

#endif // LOWBIT_SUPPORT_MEMORY_H
