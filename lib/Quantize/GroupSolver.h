//===- GroupSolver.h - Solvers that take group by group ---------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_GROUPSOLVER_H
#define LOWBIT_LIB_QUANTIZE_GROUPSOLVER_H

#include "lowbit/Quantize/Solver.h"

namespace lowbit {

/// A column group of some rows, which no other group depends on.
struct RowsOfGroup {
  /// Of the range of rows, for sums that do not depend on the number of
  /// threads.
  int64_t tile;
  int64_t firstRow;
  int64_t group;
  int64_t firstCol;
  /// Column-major: formats are fastest along columns.
  ConstMatrixView values;
  /// For what the values decode to.
  MatrixView decoded;
};

/// How many ranges of rows there are.
int64_t getNumTiles(const MatrixEncoder &encoder);

/// Visits every group, in parallel over the tiles.
void walkGroups(const MatrixEncoder &encoder, ConstMatrixView weights,
                unsigned threads,
                llvm::function_ref<void(const RowsOfGroup &)> visit);

/// Has `solve` encode every group, which may have been fitted before, and
/// finishes the encoder.
SolverResult solveByGroups(MatrixEncoder &encoder, ConstMatrixView weights,
                           unsigned threads,
                           llvm::function_ref<void(const RowsOfGroup &)> solve);

} // namespace lowbit

#endif // LOWBIT_LIB_QUANTIZE_GROUPSOLVER_H
