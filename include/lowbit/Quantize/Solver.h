//===- Solver.h - What every solver returns ---------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_SOLVER_H
#define LOWBIT_QUANTIZE_SOLVER_H

#include "lowbit/Quantize/BlockFormat.h"
#include <optional>

namespace lowbit {

/// A quantized matrix and how far it is from the float one.
struct SolverResult {
  QuantizedMatrix matrix;
  /// The original column that each stored column holds; empty when the columns
  /// are stored in their own order.
  std::vector<int64_t> columnOrder;
  /// ||W - Ŵ|| / ||W||, Frobenius norms; 0 for W = 0.
  double weightError = 0;
  /// ||X(W - Ŵ)ᵀ|| / ||XWᵀ|| on the calibration inputs X, where they are known.
  std::optional<double> outputError;
};

/// Rounds every value to the nearest code of its group. `importance`, unless it
/// is empty, is how much a squared error in each column counts.
llvm::Expected<SolverResult>
roundToNearest(const BlockFormat &format, ConstMatrixView weights,
               const RangeSearch &search, unsigned threads = 0,
               llvm::ArrayRef<float> importance = {});

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_SOLVER_H
