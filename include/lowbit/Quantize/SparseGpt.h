//===- SparseGpt.h - Pruning with error feedback ---------------- -*- C++
//-*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_SPARSEGPT_H
#define LOWBIT_QUANTIZE_SPARSEGPT_H

#include "lowbit/Quantize/Gptq.h"

namespace lowbit {

/// Weights that stay floats.
struct PrunedMatrix {
  /// Row-major.
  std::vector<float> values;
  /// ||W - W'|| / ||W||.
  double weightError = 0;
  /// ||X(W - W')ᵀ|| / ||XWᵀ||, where inputs X were seen.
  std::optional<double> outputError;
};

/// SparseGPT (Frantar and Alistarh, "SparseGPT: Massive Language Models Can Be
/// Accurately Pruned in One-Shot", 2023, arXiv 2301.00774): walks the columns
/// as GPTQ does, sets weights to zero, and lets the columns that follow absorb
/// the error. What becomes zero is what costs least, w² / U_kk² with U of GPTQ,
/// at the time when its block of `pruning.block` columns (or of a pattern, in
/// which rows choose for themselves) is reached: exactly the part `sparsity` of
/// the block. Without a pattern `factor` may be in any order.
///
/// Where no input was seen, the least magnitudes become zero. Results do not
/// depend on `threads`; 0 takes all processors.
llvm::Expected<PrunedMatrix> sparseGpt(ConstMatrixView weights,
                                       const GptqFactor &factor,
                                       const PruningOptions &pruning,
                                       unsigned threads = 0);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_SPARSEGPT_H
