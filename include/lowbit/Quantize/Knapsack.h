//===- Knapsack.h - One item of each group within a budget ------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The multiple-choice knapsack: of each group exactly one item is taken, such
// that the costs add up to as little as possible while the weights do not
// exceed a budget. Mixed precision is this problem (ZeroQ, Cai et al. 2020,
// arXiv 2001.00281): a group is a layer, its items are number formats, a cost
// is what a format does to the model, a weight is what it takes to store.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_KNAPSACK_H
#define LOWBIT_QUANTIZE_KNAPSACK_H

#include "llvm/ADT/ArrayRef.h"
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace lowbit {

struct KnapsackItem {
  uint64_t weight;
  /// Any finite number.
  double cost;
};

/// At least one item.
using KnapsackGroup = std::vector<KnapsackItem>;

struct KnapsackSolution {
  /// The item of each group, by its index.
  std::vector<size_t> items;
  uint64_t weight = 0;
  /// Summed in the order of the groups.
  double cost = 0;
};

/// The least weight of any choice.
uint64_t getLeastWeight(llvm::ArrayRef<KnapsackGroup> groups);

/// A solution of the least cost there is, exactly but for the rounding of sums;
/// among several one of the least weight. Of equal items of a group the first
/// is taken. Nothing if even the least weight exceeds the budget.
///
/// Dynamic programming over the groups keeps the partial choices that no other
/// one beats in both weight and cost, and drops those whose bound, by the
/// continuous relaxation of the groups to come, is above a solution known
/// already. So it takes milliseconds for hundreds of groups, however large the
/// weights are.
std::optional<KnapsackSolution>
solveKnapsack(llvm::ArrayRef<KnapsackGroup> groups, uint64_t budget);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_KNAPSACK_H
