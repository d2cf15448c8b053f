//===- Pruning.h - Which weights can become zero ------------------*- C++
//-*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_PRUNING_H
#define LOWBIT_QUANTIZE_PRUNING_H

#include "lowbit/Quantize/MatrixView.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace lowbit {

/// N of M: of every M adjacent elements of a row, at most N stay.
struct SparsityPattern {
  int64_t kept;
  int64_t block;

  /// From text such as "2:4"; an error says what is wrong.
  static llvm::Expected<SparsityPattern> parse(llvm::StringRef text);
};

using VisitElement = llvm::function_ref<void(int64_t row, int64_t col)>;

/// Visits the elements that are not among the N greatest magnitudes of their M;
/// of equal ones the first stay. A last block that is short is cut in the same
/// way.
void forEachOutside(const SparsityPattern &pattern, ConstMatrixView weights,
                    VisitElement visit);

/// The elements of some matrices with the least magnitudes. Of those with equal
/// ones the first are chosen, row by row.
class LeastMagnitudes {
public:
  using VisitMatrix = llvm::function_ref<void(ConstMatrixView)>;

  /// Chooses `count` elements of the matrices that `forEach` visits, which it
  /// does twice.
  LeastMagnitudes(int64_t count, llvm::function_ref<void(VisitMatrix)> forEach);

  /// Visits the chosen elements of the next matrix.
  void forEachIn(ConstMatrixView weights, VisitElement visit);

private:
  /// The bits of the greatest magnitude that is chosen, and how many elements
  /// that have it are chosen still. As numbers, bits are in the order of
  /// magnitudes.
  uint32_t bound = 0;
  int64_t left = 0;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_PRUNING_H
