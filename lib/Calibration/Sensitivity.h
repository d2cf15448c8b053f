//===- Sensitivity.h - what a format does to a layer ------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs the float model once on calibration data, codes the weight of each layer
// in each format that it may take, and measures the harm. Each layer is
// measured with all others as they were, so what several layers do together is
// taken for the sum of what they do alone.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_SENSITIVITY_H
#define LOWBIT_LIB_CALIBRATION_SENSITIVITY_H

#include "Calibration.h"
#include "lowbit/Calibration/LayerSelection.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"

namespace lowbit {

struct SensitivityOptions {
  /// What is measured, by its name.
  std::string measure;
  /// How codes are found when a format is tried, and the range of groups, as
  /// passes that quantize have it.
  std::string solver;
  std::string range;
  CalibrationOptions data;
  /// The samples on which logits are compared, evenly spread; 0 for all.
  int64_t klSamples;

  /// An error that names the wrong option.
  llvm::Error check() const;
};

/// A layer and the formats to try. Null stands for the float weight, which does
/// no harm.
struct SensitivityTask {
  QuantizableLayer layer;
  llvm::SmallVector<QuantFormatAttrInterface> formats;
};

/// The error of each format of each task: a finite number. Fails if one is not,
/// naming the layer and the format. The options must be right.
llvm::Expected<std::vector<std::vector<double>>>
measureSensitivity(llvm::ArrayRef<SensitivityTask> tasks,
                   const SensitivityOptions &options);

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_SENSITIVITY_H
