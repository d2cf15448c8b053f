//===- LayerOutputs.h - make the results of layers visible ------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_EXECUTION_LAYEROUTPUTS_H
#define LOWBIT_EXECUTION_LAYEROUTPUTS_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace lowbit {

/// Makes the model in `module` return the results of its linear layers, named
/// after the layers and before its own results. Float and quantized forms of a
/// model so give results that can be set side by side. The graph is normalized
/// first: not before does it show its layers.
llvm::Error exposeLayerOutputs(mlir::ModuleOp module);

} // namespace lowbit

#endif // LOWBIT_EXECUTION_LAYEROUTPUTS_H
