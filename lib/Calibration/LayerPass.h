//===- LayerPass.h - passes on the layers of a model ---------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_LAYERPASS_H
#define LOWBIT_LIB_CALIBRATION_LAYERPASS_H

#include "Calibration.h"
#include "Options.h"
#include "lowbit/Calibration/LayerSelection.h"
#include "lowbit/Dialect/Onnx/Transforms/Pipelines.h"
#include "lowbit/Quantize/PruningOptions.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"

namespace lowbit {

/// What passes on layers have in common; `Base` is what TableGen makes of one.
template <typename Base>
class LayerPass : public Base {
public:
  using Base::Base;

  void runOnOperation() final {
    // Only a normalized graph shows its layers and their shapes.
    mlir::OpPassManager normalize(mlir::ModuleOp::getOperationName());
    onnx::buildNormalizePipeline(normalize);
    if (failed(this->runPipeline(normalize, this->getOperation())))
      return this->signalPassFailure();
    if (llvm::Error error = runOnLayers()) {
      emitError(this->getOperation().getLoc())
          << llvm::toString(std::move(error));
      this->signalPassFailure();
    }
  }

protected:
  /// Does what the pass is for to the normalized module, which an error is
  /// reported at.
  virtual llvm::Error runOnLayers() = 0;

  // The options that passes that quantize share.
  FormatOptions getFormatOptions() const {
    return {this->format,    this->bits,       this->groupSize,
            this->symmetric, this->scaleType,  this->zeroType,
            this->range,     this->percentile, this->mse};
  }
  /// Those of passes that run the model.
  llvm::Expected<CalibrationOptions> getCalibrationOptions() const {
    CalibrationOptions options{
        this->calibration, this->tokenizer, this->samples,      this->sampling,
        this->length,      this->seed,      this->memoryBudget, this->threads};
    if constexpr (requires { this->inputs; }) {
      llvm::Expected<InputSource> source = parseInputSource(this->inputs);
      if (!source)
        return source.takeError();
      options.inputs = *source;
    }
    return options;
  }
  /// Sets up the layers' model to run on the data that the options name.
  llvm::Expected<Calibration>
  prepareCalibration(llvm::ArrayRef<QuantizableLayer> layers) const {
    llvm::Expected<CalibrationOptions> options = getCalibrationOptions();
    if (!options)
      return options.takeError();
    return Calibration::prepare(layers, *options);
  }
  /// Those of passes that prune. A pattern takes the place of a sparsity.
  llvm::Expected<PruningOptions> getPruningOptions() const {
    PruningOptions options;
    options.sparsity = this->sparsity;
    if (llvm::Error error = options.check())
      return std::move(error);
    if (this->pattern.empty())
      return options;
    if (this->sparsity.hasValue())
      return makeError("the pattern " + this->pattern +
                       " says how many weights stay; it cannot be combined "
                       "with sparsity");
    llvm::Expected<SparsityPattern> parsed =
        SparsityPattern::parse(this->pattern);
    if (!parsed)
      return parsed.takeError();
    options.pattern = *parsed;
    return options;
  }
  LayerFilter getFilter() const {
    return {this->include, this->exclude, this->head, this->embeddings};
  }
};

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_LAYERPASS_H
