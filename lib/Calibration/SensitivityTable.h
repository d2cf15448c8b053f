//===- SensitivityTable.h - measured sensitivities in a file ----*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_SENSITIVITYTABLE_H
#define LOWBIT_LIB_CALIBRATION_SENSITIVITYTABLE_H

#include "Sensitivity.h"

namespace lowbit {

/// A JSON file with what `measureSensitivity` found and what it was found for:
///
/// ```json
/// {
///   "measured": {"calibration": "int32[128, 256], hash ...", "solver": "gptq",
///   ...}, "layers": [
///     {"layer": "up", "weight": "hash", "errors": {"#lowbit.ggml<q4_K>":
///     0.002}}
///   ]
/// }
/// ```
class SensitivityTable {
public:
  /// For the samples of `options`, which are read if a file has them.
  static llvm::Expected<SensitivityTable>
  get(llvm::StringRef path, llvm::ArrayRef<SensitivityTask> tasks,
      const SensitivityOptions &options);

  /// The errors of the tasks. Nothing if there is no file; fails if it is of
  /// another model or other data, was measured otherwise, or lacks a format.
  /// Layers and formats beside those of the tasks do not matter.
  llvm::Expected<std::optional<std::vector<std::vector<double>>>> load() const;

  llvm::Error save(llvm::ArrayRef<std::vector<double>> errors) const;

private:
  SensitivityTable(llvm::StringRef path, llvm::ArrayRef<SensitivityTask> tasks)
      : path(path), tasks(tasks) {}

  llvm::Error fail(const llvm::Twine &why) const;
  llvm::Expected<std::vector<std::vector<double>>>
  parse(const llvm::json::Value &value) const;

  std::string path;
  llvm::ArrayRef<SensitivityTask> tasks;
  /// How it is measured, by the options' names.
  std::vector<std::pair<std::string, std::string>> measured;
  /// Hashes of the weights of the tasks.
  std::vector<std::string> weights;
};

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_SENSITIVITYTABLE_H
