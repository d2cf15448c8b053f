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
#include <optional>
#include <vector>

namespace lowbit {

/// Samples for the inputs of a model. The main inputs need some: those that are
/// neither masks, nor positions, nor caches; what is not given of these is made
/// up. For a language model the samples are token windows.
class CalibrationData {
public:
  /// Samples [samples, ...] by the names of the inputs that they are for; one
  /// tensor without a name is for the only main input. Elements must fit, but
  /// token windows may be int32 or int64; every token must lie in the
  /// vocabulary. `source` is for messages.
  static llvm::Expected<CalibrationData> get(const NamedTensors &samples,
                                             mlir::func::FuncOp function,
                                             llvm::StringRef source);

  /// Those of the first main input: [samples, ...], of its element type.
  const Tensor &getSamples() const { return given[main]; }
  int64_t getNumSamples() const { return getSamples().getShape()[0]; }
  /// How many samples the model takes at once, if it takes no other number.
  std::optional<int64_t> getFixedBatch() const;
  /// Of all samples.
  uint64_t getFingerprint() const;

  /// The inputs of the model for batches of one size: of as many samples as it
  /// takes at once, or else of at most `size`, the largest number that divides
  /// theirs. Fails if the model takes a number that does not. What was not
  /// given is made up: a mask of ones, positions that count from 0, an empty
  /// cache.
  llvm::Expected<std::vector<std::vector<Tensor>>>
  makeBatches(int64_t size) const;

private:
  CalibrationData(mlir::func::FuncOp function) : function(function) {}

  llvm::Error add(unsigned index, const Tensor &samples,
                  llvm::StringRef source);
  llvm::Expected<Tensor> makeUp(unsigned index, int64_t batch) const;

  mlir::func::FuncOp function;
  /// By argument; of those that are made up, a default tensor.
  std::vector<Tensor> given;
  unsigned main = 0;
};

/// The embedding from which the only main input chooses rows; null if it is no
/// tokens, or if there are several.
QuantizableOpInterface findTokenEmbedding(mlir::func::FuncOp function);

/// The number of rows of that embedding.
std::optional<int64_t> getVocabularySize(mlir::func::FuncOp function);

} // namespace lowbit

#endif // LOWBIT_CALIBRATION_CALIBRATIONDATA_H
