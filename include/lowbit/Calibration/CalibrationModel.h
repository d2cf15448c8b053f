//===- CalibrationModel.h - a copy of a model to run --------- -*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CALIBRATION_CALIBRATIONMODEL_H
#define LOWBIT_CALIBRATION_CALIBRATIONMODEL_H

#include "lowbit/Calibration/LayerSelection.h"
#include "lowbit/Execution/CompiledFunction.h"
#include "lowbit/Execution/Session.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace lowbit {

/// A copy of a model in a context of its own, in which code can be compiled
/// while a pass works on the original. Weights are not copied: both contexts
/// share the weight store.
class CalibrationModel {
public:
  /// Copies `function`; its ops that are `layers` can be found in the copy.
  static llvm::Expected<std::unique_ptr<CalibrationModel>>
  create(mlir::func::FuncOp function, llvm::ArrayRef<QuantizableLayer> layers,
         unsigned threads);
  ~CalibrationModel();

  /// Makes all types static, for arguments like `inputs`, and folds what they
  /// determine.
  llvm::Error specialize(llvm::ArrayRef<Tensor> inputs);

  mlir::func::FuncOp getFunction() const;
  /// In the order of the layers that were asked for.
  llvm::SmallVector<QuantizableOpInterface> getLayers() const;

  /// Compiles a module of onnx ops in the copy's context.
  llvm::Expected<const CompiledFunction *> compile(mlir::ModuleOp module);
  /// Compiles the model as a whole, with all its results. Not to be called
  /// after `specialize`.
  llvm::Expected<std::unique_ptr<Session>> compileModel() const;
  /// The same with the float weights of the layers as inputs behind all others,
  /// in the order of the layers.
  llvm::Expected<std::unique_ptr<Session>> compileModelOnWeights() const;

private:
  CalibrationModel(const mlir::DialectRegistry &registry);

  /// The layers in a copy of the module.
  llvm::SmallVector<QuantizableOpInterface>
  findLayers(mlir::func::FuncOp function) const;
  llvm::Expected<std::unique_ptr<Session>>
  compile(mlir::OwningOpRef<mlir::ModuleOp> whole) const;

  /// Collects what is emitted while code is compiled.
  std::string diagnostics;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::shared_ptr<JitEngine> engine;
  std::unique_ptr<FunctionCache> functions;
  unsigned numLayers = 0;
};

} // namespace lowbit

#endif // LOWBIT_CALIBRATION_CALIBRATIONMODEL_H
