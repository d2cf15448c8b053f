//===- ErrorPropagation.h - Making up for earlier layers' errors -*- C++
//-*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// When a layer is quantized, its inputs X are no longer the float model's X₀:
// layers before it have errors. A solver that wants Ŵ X to be W X keeps these
// errors and adds its own. Quantization error propagation (Arai and Ichikawa,
// 2025, arXiv 2504.09629) aims at W X₀ instead: since
//     ||X₀ Wᵀ - X Ŵᵀ||² = ||X (W' - Ŵ)ᵀ||² + constant,
//     W' = W + W D H⁻¹,  D = (X₀ - X)ᵀ X,  H = Xᵀ X,
// any solver does so when it is given W' for W.
//
// Where the layer's output is added to another value, which drifted from R₀ to
// R, the same holds for the sum: then W' = W + (W D + (R₀ - R)ᵀ X) H⁻¹.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_ERRORPROPAGATION_H
#define LOWBIT_QUANTIZE_ERRORPROPAGATION_H

#include "lowbit/Quantize/Gptq.h"

namespace lowbit {

/// Accumulates 2/N sum (V₀ - V)ᵀ X over N sequences: how a value V has drifted
/// from the float model's V₀, as far as it can be told from a layer's inputs X.
/// Sums are formed in an order that does not depend on the number of threads.
class DriftAccumulator {
public:
  /// For values of `rows` channels and inputs of `width`.
  DriftAccumulator(int64_t rows, int64_t width, unsigned threads = 0);

  /// Adds `values` [tokens, rows], which would be `floats`, and `inputs`
  /// [tokens, width]; they hold `sequences` sequences.
  void update(ConstMatrixView floats, ConstMatrixView values,
              ConstMatrixView inputs, int64_t sequences);
  /// Adds what another accumulator of the same shape saw.
  void merge(const DriftAccumulator &other);

  /// [rows, width]; all zero when nothing was seen. The accumulator must not be
  /// used afterwards.
  std::vector<float> finish() &&;

private:
  int64_t rows;
  int64_t width;
  unsigned threads;
  int64_t sequences = 0;
  std::vector<float> sum;
};

/// `weights` [out, in] moved by `strength` of the way to those that make up for
/// the drift of the layer's inputs, [in, in], and of what its output is added
/// to, [out, in] or empty. H is the damped Hessian that `factor` was made from.
/// The result is row-major.
std::vector<float> compensateDrift(ConstMatrixView weights,
                                   llvm::ArrayRef<float> inputDrift,
                                   llvm::ArrayRef<float> outputDrift,
                                   const GptqFactor &factor, double strength,
                                   unsigned threads = 0);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_ERRORPROPAGATION_H
