//===- CalibrationSource.h - where calibration data comes from --*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_CALIBRATIONSOURCE_H
#define LOWBIT_LIB_CALIBRATION_CALIBRATIONSOURCE_H

#include "lowbit/Support/Tensor.h"
#include "llvm/Support/Error.h"
#include <string>

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
  /// A file; empty for data that the model generates.
  std::string calibration;
  /// Of the file, if it is text.
  std::string tokenizer;
  /// 0 for all, or for as many as is usual to generate.
  int64_t samples;
  /// "even" or "random".
  std::string sampling;
  /// Of windows of text and of generated samples, in tokens.
  int64_t length;
  uint64_t seed;
  /// In MiB.
  uint64_t memoryBudget;
  unsigned threads;
  InputSource inputs = InputSource::Layer;

  /// An error that names the first option that is out of its range.
  llvm::Error check() const;
};

/// The samples that the options choose of a file: `.npy` (one array, without a
/// name), `.npz`, or text, which is cut into windows of tokens.
llvm::Expected<NamedTensors> readSamples(const CalibrationOptions &options);

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_CALIBRATIONSOURCE_H
