//===- Calibration.h - layers on their real inputs --------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_CALIBRATION_H
#define LOWBIT_LIB_CALIBRATION_CALIBRATION_H

#include "lowbit/Calibration/CalibrationData.h"
#include "lowbit/Calibration/CalibrationModel.h"
#include "lowbit/Calibration/GraphWalk.h"
#include "lowbit/Quantize/Gptq.h"

namespace lowbit {

/// Which layers before it are quantized (or pruned, ...) when the inputs of a
/// layer are looked at.
enum class InputSource {
  /// All that come before it.
  Layer,
  /// Those of the blocks before its own.
  Block,
  /// None.
  Float
};

/// From the text of the option `inputs`.
llvm::Expected<InputSource> parseInputSource(llvm::StringRef text);

/// What a pass is told about calibration data.
struct CalibrationOptions {
  /// Empty for data that the model generates.
  std::string calibration;
  int64_t samples;
  int64_t length;
  uint64_t seed;
  /// In MiB.
  uint64_t memoryBudget;
  unsigned threads;
  InputSource inputs = InputSource::Layer;
};

/// What `calibration` names, or what the model generates, with a remark.
llvm::Expected<CalibrationData>
getCalibrationData(mlir::func::FuncOp function,
                   const CalibrationOptions &options);

/// Runs a model on calibration data and shows the inputs of its layers. What
/// runs is a copy: a visitor may replace layers of the original.
class Calibration {
public:
  /// For at least one layer; all must lie in one function. Data that the model
  /// has to generate is, with a remark.
  static llvm::Expected<Calibration>
  prepare(llvm::ArrayRef<QuantizableLayer> layers,
          const CalibrationOptions &options);

  /// The original.
  mlir::func::FuncOp getFunction() const { return function; }
  const CalibrationData &getData() const { return data; }

  /// Visits the layers, which are numbered as they were given. New weights that
  /// the visitor returns are used as `CalibrationOptions::inputs` says.
  /// `keepsFloat`: whether the visitor may ask for the float model's values.
  llvm::Error walk(GraphWalk::Visitor visit, bool keepsFloat = false);

  /// Runs the model as a whole and shows the results of its function, batch by
  /// batch. Not to be called after `walk`.
  llvm::Error
  run(llvm::function_ref<llvm::Error(llvm::ArrayRef<Tensor> results)> use);

private:
  Calibration(mlir::func::FuncOp function, CalibrationData data,
              std::unique_ptr<CalibrationModel> model, uint64_t memoryBudget,
              llvm::SmallVector<unsigned> blocks)
      : function(function), data(std::move(data)), model(std::move(model)),
        memoryBudget(memoryBudget), blocks(std::move(blocks)) {}

  llvm::Expected<std::vector<GraphWalk::Batch>> makeBatches() const;

  mlir::func::FuncOp function;
  CalibrationData data;
  std::unique_ptr<CalibrationModel> model;
  /// In bytes.
  uint64_t memoryBudget;
  /// Of each layer; empty if layers are not looked at by blocks.
  llvm::SmallVector<unsigned> blocks;
};

/// The Hessian of layers whose input the visit shows.
llvm::Expected<Hessian> accumulateHessian(const GraphWalk::Visit &visit,
                                          int64_t width, unsigned threads);

/// How a value of `rows` channels has drifted from what it is in the float
/// model, as far as the layers' input, of `width` channels, can tell.
llvm::Expected<std::vector<float>> accumulateDrift(
    const GraphWalk::Visit &visit, int64_t rows, int64_t width,
    llvm::function_ref<llvm::Expected<Tensor>(unsigned batch)> getFloat,
    llvm::function_ref<llvm::Expected<Tensor>(unsigned batch)> getValue,
    unsigned threads);

/// Shows the input that the layers of a visit read, batch by batch: rows of
/// `width` channels, and how many samples they are of. Fails if it is another
/// one.
llvm::Error forEachInput(
    const GraphWalk::Visit &visit, int64_t width,
    llvm::function_ref<void(ConstMatrixView rows, int64_t samples)> use);

/// The mean square of each channel of what the layers of a visit read. Sums run
/// over the samples in their order, in double precision.
llvm::Expected<std::vector<float>>
measureMeanSquares(const GraphWalk::Visit &visit, int64_t width);

/// The Hessian of what the layers of a visit read, factorized.
llvm::Expected<GptqFactor> factorizeHessian(const GraphWalk::Visit &visit,
                                            int64_t width,
                                            const GptqOptions &options);

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_CALIBRATION_H
