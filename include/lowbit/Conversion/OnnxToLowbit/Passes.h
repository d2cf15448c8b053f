//===- Passes.h - from the graph to the lowbit dialect --------- -*- C++ -*-==//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_ONNXTOLOWBIT_PASSES_H
#define LOWBIT_CONVERSION_ONNXTOLOWBIT_PASSES_H

#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "mlir/Pass/Pass.h"

namespace lowbit {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lowbit/Conversion/OnnxToLowbit/Passes.h.inc"

} // namespace lowbit

#endif // LOWBIT_CONVERSION_ONNXTOLOWBIT_PASSES_H
