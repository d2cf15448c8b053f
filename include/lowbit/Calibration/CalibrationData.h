//===- CalibrationData.h - what a model is calibrated on ----- -*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CALIBRATION_CALIBRATIONDATA_H
#define LOWBIT_CALIBRATION_CALIBRATIONDATA_H

#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.h"
#include "lowbit/Support/Tensor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace lowbit {

/// Samples for the main input of a model: the first argument that is neither a
/// mask, nor positions, nor a cache. For a language model these are token
/// windows.
class CalibrationData {
public:
  /// Reads a `.npy` file [samples, ...] whose elements fit the main input of
  /// `function`; at most `maxSamples` of them, evenly spread, unless that is 0.
  /// Token windows may be int32 or int64; every token must lie in the
  /// vocabulary.
  static llvm::Expected<CalibrationData>
  read(llvm::StringRef path, mlir::func::FuncOp function, int64_t maxSamples);

  /// The same for samples that are in memory already; `name` is for messages.
  static llvm::Expected<CalibrationData>
  get(const Tensor &samples, mlir::func::FuncOp function, llvm::StringRef name);

  /// [samples, ...], of the element type of the main input.
  const Tensor &getSamples() const { return samples; }
  int64_t getNumSamples() const { return samples.getShape()[0]; }

  /// The inputs of the model for batches of `size` samples, which must divide
  /// their number. The inputs beside the main one are made up: a mask of ones,
  /// positions that count from 0, an empty cache.
  llvm::Expected<std::vector<std::vector<Tensor>>>
  makeBatches(int64_t size) const;

  /// The inputs for any samples of the main input.
  static llvm::Expected<std::vector<Tensor>>
  makeInputs(mlir::func::FuncOp function, const Tensor &main);

private:
  CalibrationData(mlir::func::FuncOp function, Tensor samples)
      : function(function), samples(std::move(samples)) {}

  mlir::func::FuncOp function;
  Tensor samples;
};

/// The embedding from which the main input chooses rows; null if the input is no
/// tokens.
QuantizableOpInterface findTokenEmbedding(mlir::func::FuncOp function);

/// The number of rows of that embedding.
std::optional<int64_t> getVocabularySize(mlir::func::FuncOp function);

} // namespace lowbit

#endif // LOWBIT_CALIBRATION_CALIBRATIONDATA_H
