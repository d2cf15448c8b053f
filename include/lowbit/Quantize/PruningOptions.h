//===- PruningOptions.h - How many weights become zero ----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_PRUNINGOPTIONS_H
#define LOWBIT_QUANTIZE_PRUNINGOPTIONS_H

#include "lowbit/Quantize/Pruning.h"
#include <optional>

namespace lowbit {

/// How much is pruned.
struct PruningOptions {
  /// The part of the elements that becomes zero, unless there is a pattern.
  double sparsity = 0.5;
  std::optional<SparsityPattern> pattern;
  /// The columns that the part is taken of, where the choice depends on what
  /// was pruned before.
  int64_t block = 128;

  /// An error that names the first option that is out of its range.
  llvm::Error check() const;
};

/// How many of some elements become zero.
int64_t getPrunedCount(double sparsity, int64_t elements);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_PRUNINGOPTIONS_H
