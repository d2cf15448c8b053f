//===- Hqq.h - Half-quadratic quantization ----------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// HQQ (Badri and Shaji, "Half-Quadratic Quantization of Large Machine Learning
// Models", 2023): needs no data, and chooses zero points so that few large
// errors count less than they would in a sum of squares.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_HQQ_H
#define LOWBIT_QUANTIZE_HQQ_H

#include "lowbit/Quantize/Solver.h"

namespace lowbit {

struct HqqOptions {
  /// The norm in which outliers count: |w - w'|^p, 0 < p <= 1.
  double p = 0.7;
  /// What an error costs that is not explained as an outlier, in units of
  /// weights: where weights are multiplied by c, the same solution takes beta *
  /// c^(p - 2).
  double beta = 10;
  /// What beta is multiplied by after each iteration.
  double kappa = 1.01;
  int64_t iterations = 20;
  /// 0 takes all processors; results do not depend on it.
  unsigned threads = 0;

  /// An error that names the wrong option.
  llvm::Error check() const;
};

/// Keeps the scales that the format finds for the range of each group, and
/// alternates between codes, outliers and zero points (the second version of
/// the reference solver, in which beta grows), from round-to-nearest on, whose
/// zero points are rounded if there are 16 codes. The matrix keeps the zero
/// points of the iteration with the least mean |w - w'|, so that none is worse
/// in it than where it began. Fails for formats that do not let a solver choose
/// zero points.
llvm::Expected<SolverResult> hqq(const BlockFormat &format,
                                 ConstMatrixView weights,
                                 const RangeSearch &search,
                                 const HqqOptions &options);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_HQQ_H
