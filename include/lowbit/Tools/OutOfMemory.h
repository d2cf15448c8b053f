//===- OutOfMemory.h - how tools end without memory ----------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_TOOLS_OUTOFMEMORY_H
#define LOWBIT_TOOLS_OUTOFMEMORY_H

namespace lowbit {

/// Makes a program that asks for more memory than there is end with a message
/// of `tool`, which has to stay alive, and status 1.
void exitWhenOutOfMemory(const char *tool);

} // namespace lowbit

#endif // LOWBIT_TOOLS_OUTOFMEMORY_H
