//===- RoundToNearest.cpp - Every value to its nearest code ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GroupSolver.h"
#include "llvm/ADT/STLExtras.h"

using namespace lowbit;

/// That of the columns of a group. Where no error counts, as for inputs that
/// were never seen, all count alike: another choice could make all weights
/// zero.
static llvm::ArrayRef<float> getImportance(llvm::ArrayRef<float> importance,
                                           const RowsOfGroup &group) {
  if (importance.empty())
    return importance;
  llvm::ArrayRef<float> own =
      importance.slice(group.firstCol, group.values.getCols());
  const bool isZero = llvm::all_of(own, [](float value) { return value == 0; });
  return isZero ? llvm::ArrayRef<float>() : own;
}

llvm::Expected<SolverResult>
lowbit::roundToNearest(const BlockFormat &format, ConstMatrixView weights,
                       const RangeSearch &search, unsigned threads,
                       llvm::ArrayRef<float> importance) {
  assert((importance.empty() ||
          static_cast<int64_t>(importance.size()) == weights.getCols()) &&
         "one importance for each column");
  llvm::Expected<std::unique_ptr<MatrixEncoder>> encoder =
      format.createEncoder(weights, search);
  if (!encoder)
    return encoder.takeError();
  return solveByGroups(**encoder, weights, threads, [&](const RowsOfGroup &g) {
    (*encoder)->fit(g.firstRow, g.group, g.values,
                    getImportance(importance, g));
    (*encoder)->encode(g.firstRow, g.firstCol, g.values, g.decoded);
  });
}
