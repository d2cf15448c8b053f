//===- LayerOutputs.h - make the results of layers visible ------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_EXECUTION_LAYEROUTPUTS_H
#define LOWBIT_EXECUTION_LAYEROUTPUTS_H

#include "lowbit/Dialect/Lowbit/IR/TransformMark.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace lowbit {

/// A layer of a model: an op with a weight, be that float or quantized.
struct ModelLayer {
  std::string name;
  mlir::Operation *op;
  /// What the layer computes, its bias included.
  mlir::Value output;
  /// What a transform has changed of the layer.
  std::optional<TransformMark> mark;
};

/// Finds the linear layers, convolutions and embeddings of the model in
/// `module` that have names, in the order in which they run, after normalizing
/// the graph: not before does it show its layers. Float and quantized forms of
/// a model have layers of the same names.
llvm::Expected<std::vector<ModelLayer>> findModelLayers(mlir::ModuleOp module);

/// Makes the model return what `layers` compute, under their names and before
/// its own results.
llvm::Error exposeLayerOutputs(mlir::ModuleOp module,
                               llvm::ArrayRef<ModelLayer> layers);

} // namespace lowbit

#endif // LOWBIT_EXECUTION_LAYEROUTPUTS_H
