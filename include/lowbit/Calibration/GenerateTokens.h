//===- GenerateTokens.h - calibration data that a model makes - -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CALIBRATION_GENERATETOKENS_H
#define LOWBIT_CALIBRATION_GENERATETOKENS_H

#include "lowbit/Calibration/CalibrationModel.h"

namespace lowbit {

struct GenerationOptions {
  int64_t samples = 32;
  int64_t length = 128;
  uint64_t seed = 0;
};

/// Lets a language model write token windows [samples, length]: a random first
/// token, the likeliest ones for a few positions, and from there on draws from
/// the model's distribution (the data-free scheme of LLM-QAT, Liu et al. 2023,
/// arXiv 2305.17888). Windows are shorter where the model has fewer positions.
llvm::Expected<Tensor> generateTokens(const CalibrationModel &model,
                                      const GenerationOptions &options);

} // namespace lowbit

#endif // LOWBIT_CALIBRATION_GENERATETOKENS_H
