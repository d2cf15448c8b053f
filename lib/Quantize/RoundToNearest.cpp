//===- RoundToNearest.cpp - Every value to its nearest code ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GroupSolver.h"

using namespace lowbit;

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
                    importance.empty()
                        ? importance
                        : importance.slice(g.firstCol, g.values.getCols()));
    (*encoder)->encode(g.firstRow, g.firstCol, g.values, g.decoded);
  });
}
