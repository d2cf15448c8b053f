//===- EasyQuant.h - Outliers apart, scales by least squares -----*- C++
//-*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_EASYQUANT_H
#define LOWBIT_QUANTIZE_EASYQUANT_H

#include "lowbit/Quantize/Solver.h"

namespace lowbit {

struct EasyQuantOptions {
  /// Elements farther than so many standard deviations from the mean are
  /// outliers,
  double sigma = 2.5;
  /// but no more than this part of a matrix: then the farthest ones are.
  double fraction = 0.01;
  /// How often at most the scales are fitted to the codes.
  int64_t iterations = 100;
  /// 0 takes all processors; results do not depend on it.
  unsigned threads = 0;

  /// An error that names the wrong option.
  llvm::Error check() const;
};

/// EasyQuant (Tang et al., "EasyQuant: An Efficient Data-free Quantization
/// Algorithm for LLMs", EMNLP 2023): stores a few outliers apart, in a format
/// that can, and fits the scales to the other elements. Starting with
/// round-to-nearest, the best scale for the codes and the nearest codes for the
/// scale are found in turn, until the sum of squared errors no longer falls;
/// the scale that is best for codes is sum(w w') / sum(w' w') times the one
/// with which these decode to w'. A row (or as many as share parameters) keeps
/// the scales with the least error, so that none is worse than with
/// round-to-nearest and the same outliers.
llvm::Expected<SolverResult> easyQuant(const BlockFormat &format,
                                       ConstMatrixView weights,
                                       const RangeSearch &search,
                                       const EasyQuantOptions &options);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_EASYQUANT_H
