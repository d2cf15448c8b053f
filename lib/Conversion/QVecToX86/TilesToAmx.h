//===- TilesToAmx.h - tiles of qvec to AMX ----------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_QVECTOX86_TILESTOAMX_H
#define LOWBIT_LIB_CONVERSION_QVECTOX86_TILESTOAMX_H

#include "mlir/IR/PatternMatch.h"

namespace lowbit {

/// Turns `qvec.tiles` and `qvec.tile_dot` into intrinsics of AMX-INT8 and
/// AMX-BF16.
void populateTilesToAmxPatterns(mlir::RewritePatternSet &patterns);

} // namespace lowbit

#endif // LOWBIT_LIB_CONVERSION_QVECTOX86_TILESTOAMX_H
