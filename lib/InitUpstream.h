//===- InitUpstream.h - upstream's dialects and passes ------- -*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_INITUPSTREAM_H
#define LOWBIT_LIB_INITUPSTREAM_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace lowbit {

void registerUpstreamDialects(mlir::DialectRegistry &registry);
void registerUpstreamPasses();

} // namespace lowbit

#endif // LOWBIT_LIB_INITUPSTREAM_H
