//===- Wanda.h - Pruning by weights and activations ------------- -*- C++
//-*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_WANDA_H
#define LOWBIT_QUANTIZE_WANDA_H

#include "lowbit/Quantize/PruningOptions.h"
#include "llvm/ADT/ArrayRef.h"

namespace lowbit {

/// Wanda (Sun, Liu, Bair, Kolter, "A Simple and Effective Pruning Approach for
/// Large Language Models", 2023, arXiv 2306.11695): visits the weights with the
/// least |W_mk| ||X_k||, where X_k are the inputs of channel k: in each row the
/// part `sparsity`, or what is outside the pattern. `meanSquares` of the
/// inputs, one for each column, say the same as the norms. Of equal scores the
/// first ones are visited, or stay in a pattern. Where no input was seen, all
/// norms count as equal.
void forEachPrunedByWanda(ConstMatrixView weights,
                          llvm::ArrayRef<float> meanSquares,
                          const PruningOptions &options, VisitElement visit);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_WANDA_H
