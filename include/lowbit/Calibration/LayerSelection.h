//===- LayerSelection.h - which layers a pass quantizes ------ -*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CALIBRATION_LAYERSELECTION_H
#define LOWBIT_CALIBRATION_LAYERSELECTION_H

#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/Support/Error.h"
#include <string>

namespace lowbit {

/// A layer that is going to be quantized.
struct QuantizableLayer {
  QuantizableOpInterface op;
  /// The name of the node that it was imported from, made unique.
  std::string name;
};

/// What a user says about the choice of layers.
struct LayerFilter {
  /// Regular expressions that a part of the name has to match, or must not;
  /// empty for no condition.
  std::string include;
  std::string exclude;
  /// Whether the last linear layer and embeddings are quantized, too, if no
  /// format was assigned to them.
  bool head = false;
  bool embeddings = false;
};

/// The linear layer that makes the output of a function with several linear
/// layers: the last one from whose result the function's result follows without
/// meeting another activation. Null if there is none.
QuantizableOpInterface findHead(mlir::FunctionOpInterface function);

/// All linear layers and embeddings with a float weight, in the order of the
/// module.
llvm::SmallVector<QuantizableLayer> findLayers(mlir::ModuleOp module);

/// The layers to quantize, in the order of the module: those to which a format
/// was assigned, and those that the filter speaks of, without the ones that
/// were assigned to stay float. Fails if a regular expression is malformed or
/// excludes everything.
llvm::Expected<llvm::SmallVector<QuantizableLayer>>
selectLayers(mlir::ModuleOp module, const LayerFilter &filter);

/// Those of them that are linear.
llvm::Expected<llvm::SmallVector<QuantizableLayer>>
selectLinearLayers(mlir::ModuleOp module, const LayerFilter &filter);

} // namespace lowbit

#endif // LOWBIT_CALIBRATION_LAYERSELECTION_H
