//===- SmoothQuant.h - Difficulty moved into weights ------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Xiao et al., "SmoothQuant: Accurate and Efficient Post-Training Quantization
// for Large Language Models", ICML 2023, arXiv 2211.10438.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_SMOOTHQUANT_H
#define LOWBIT_QUANTIZE_SMOOTHQUANT_H

#include "lowbit/Quantize/MatrixView.h"
#include "llvm/ADT/ArrayRef.h"
#include <optional>
#include <vector>

namespace lowbit {

/// The factors a^alpha / w^(1 - alpha) of channels whose greatest magnitudes
/// are `activations` and, in the weights that read them, `weights`. Neither
/// those of weights nor factors are less than 1e-5.
std::vector<float> getSmoothScales(llvm::ArrayRef<float> activations,
                                   llvm::ArrayRef<float> weights, double alpha);

/// Signed symmetric codes of activations: what shares a scale spans its
/// greatest magnitude.
struct ActivationCodes {
  unsigned bits = 8;
  /// Adjacent channels of a token that share a scale; 0 for all of them.
  int64_t groupCols = 0;
  /// The greatest magnitude that the codes span, if it is known beforehand for
  /// all tokens alike; greater ones are clamped.
  std::optional<float> range;
};

/// Rounds activations [tokens, channels], each divided by the scale of its
/// channel, to codes, and multiplies them again.
void roundScaledActivations(const ActivationCodes &codes,
                            llvm::ArrayRef<float> scales, MatrixView values);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_SMOOTHQUANT_H
