//===- InitAllPasses.h - every pass that Lowbit's tools know - -*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_INITALLPASSES_H
#define LOWBIT_INITALLPASSES_H

namespace lowbit {

/// Registers our passes and pipelines and upstream's.
void registerAllPasses();

} // namespace lowbit

#endif // LOWBIT_INITALLPASSES_H
