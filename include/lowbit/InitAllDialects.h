//===- InitAllDialects.h - every dialect that Lowbit's tools know - -*- C++
//-*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_INITALLDIALECTS_H
#define LOWBIT_INITALLDIALECTS_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace lowbit {

/// Registers our dialects, upstream's, and the interface implementations that
/// their lowerings need.
void registerAllDialects(mlir::DialectRegistry &registry);

} // namespace lowbit

#endif // LOWBIT_INITALLDIALECTS_H
