//===- Knapsack.cpp - One item of each group within a budget --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Knapsack.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <tuple>

using namespace lowbit;

namespace {
/// What may be taken of a group: no other item is as light and as cheap.
struct Candidate {
  uint64_t weight;
  double cost;
  size_t item;
};

/// A step from one item to a heavier and cheaper one, on the convex hull of a
/// group.
struct Upgrade {
  uint64_t weight;
  double gain;
  size_t group;

  double getSlope() const { return gain / static_cast<double>(weight); }
};

/// A choice for the first groups.
struct Partial {
  uint64_t weight;
  double cost;
  /// The partial choice without the last group, and the candidate of that.
  size_t parent;
  size_t candidate;
};

/// Bounds on what a number of last groups add to a partial choice.
class Relaxation {
public:
  /// For the groups from `first` on; `upgrades` are all, by falling slope.
  Relaxation(llvm::ArrayRef<std::vector<Candidate>> groups,
             llvm::ArrayRef<Upgrade> upgrades, size_t first);

  uint64_t getLeastWeight() const { return leastWeight; }

  struct Bounds {
    /// No choice costs less; there is one that costs no more than the other.
    double lower, upper;
  };
  /// For weights up to `budget`, which is at least the least weight.
  Bounds get(uint64_t budget) const;

private:
  uint64_t leastWeight = 0;
  /// Costs of the lightest items.
  double cost = 0;
  /// Sums of the first upgrades.
  std::vector<uint64_t> weights = {0};
  std::vector<double> gains = {0};
};

class Solver {
public:
  Solver(llvm::ArrayRef<KnapsackGroup> groups, uint64_t budget);

  KnapsackSolution solve();

private:
  std::vector<Partial> extend(llvm::ArrayRef<Partial> partials, size_t group);

  llvm::ArrayRef<KnapsackGroup> original;
  uint64_t budget;
  std::vector<std::vector<Candidate>> groups;
  std::vector<Upgrade> upgrades;
  /// The least cost that is known to be possible.
  double known = std::numeric_limits<double>::infinity();
  /// How far rounding may put two sums of the same numbers apart.
  double tolerance = 0;
};
} // namespace

/// The items that no other one beats, from the lightest to the cheapest.
static std::vector<Candidate> dropDominated(const KnapsackGroup &group) {
  std::vector<Candidate> candidates;
  for (auto [index, item] : llvm::enumerate(group)) {
    assert(std::isfinite(item.cost) && "a cost is no number");
    candidates.push_back({item.weight, item.cost, index});
  }
  llvm::stable_sort(candidates, [](const Candidate &x, const Candidate &y) {
    return std::tie(x.weight, x.cost) < std::tie(y.weight, y.cost);
  });
  std::vector<Candidate> kept;
  for (const Candidate &candidate : candidates)
    if (kept.empty() || candidate.cost < kept.back().cost)
      kept.push_back(candidate);
  return kept;
}

/// The upgrades along the lower convex hull of undominated items.
static void addUpgrades(llvm::ArrayRef<Candidate> candidates, size_t group,
                        std::vector<Upgrade> &upgrades) {
  std::vector<Candidate> hull;
  const auto getUpgrade = [&](const Candidate &from, const Candidate &to) {
    return Upgrade{to.weight - from.weight, from.cost - to.cost, group};
  };
  for (const Candidate &candidate : candidates) {
    while (hull.size() > 1 &&
           getUpgrade(hull[hull.size() - 2], hull.back()).getSlope() <=
               getUpgrade(hull.back(), candidate).getSlope())
      hull.pop_back();
    hull.push_back(candidate);
  }
  for (auto [from, to] : llvm::zip(hull, llvm::drop_begin(hull)))
    upgrades.push_back(getUpgrade(from, to));
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

Relaxation::Relaxation(llvm::ArrayRef<std::vector<Candidate>> groups,
                       llvm::ArrayRef<Upgrade> upgrades, size_t first) {
  for (const std::vector<Candidate> &group : groups.drop_front(first)) {
    leastWeight += group.front().weight;
    cost += group.front().cost;
  }
  for (const Upgrade &upgrade : upgrades) {
    if (upgrade.group < first)
      continue;
    weights.push_back(weights.back() + upgrade.weight);
    gains.push_back(gains.back() + upgrade.gain);
  }
}

Relaxation::Bounds Relaxation::get(uint64_t budget) const {
  const uint64_t rest = budget - leastWeight;
  // Upgrades of a group come in their order, so any number of the first ones
  // is a choice; the relaxation takes a part of the next one, too.
  const size_t whole = llvm::upper_bound(weights, rest) - weights.begin() - 1;
  const double upper = cost - gains[whole];
  if (whole + 1 == weights.size())
    return {upper, upper};
  const double part = static_cast<double>(rest - weights[whole]) /
                      static_cast<double>(weights[whole + 1] - weights[whole]);
  return {upper - part * (gains[whole + 1] - gains[whole]), upper};
}

//===----------------------------------------------------------------------===//
// Dynamic programming
//===----------------------------------------------------------------------===//

Solver::Solver(llvm::ArrayRef<KnapsackGroup> groups, uint64_t budget)
    : original(groups), budget(budget) {
  double magnitude = 0;
  for (auto [index, group] : llvm::enumerate(groups)) {
    this->groups.push_back(dropDominated(group));
    addUpgrades(this->groups.back(), index, upgrades);
    magnitude += std::max(std::abs(this->groups.back().front().cost),
                          std::abs(this->groups.back().back().cost));
  }
  llvm::stable_sort(upgrades, [](const Upgrade &x, const Upgrade &y) {
    return x.getSlope() > y.getSlope();
  });
  tolerance = 1e-12 * magnitude;
}

/// The partial choices with one more group, of which none beats another one, by
/// rising weight.
std::vector<Partial> Solver::extend(llvm::ArrayRef<Partial> partials,
                                    size_t group) {
  const Relaxation rest(groups, upgrades, group + 1);
  std::vector<Partial> extended;
  for (auto [parent, partial] : llvm::enumerate(partials))
    for (auto [index, candidate] : llvm::enumerate(groups[group])) {
      const uint64_t weight = partial.weight + candidate.weight;
      // Candidates become heavier.
      if (weight + rest.getLeastWeight() > budget)
        break;
      const double cost = partial.cost + candidate.cost;
      const Relaxation::Bounds bounds = rest.get(budget - weight);
      known = std::min(known, cost + bounds.upper);
      if (cost + bounds.lower <= known + tolerance)
        extended.push_back({weight, cost, parent, index});
    }
  llvm::stable_sort(extended, [](const Partial &x, const Partial &y) {
    return std::tie(x.weight, x.cost) < std::tie(y.weight, y.cost);
  });
  std::vector<Partial> kept;
  for (const Partial &partial : extended)
    if (kept.empty() || partial.cost < kept.back().cost)
      kept.push_back(partial);
  return kept;
}

KnapsackSolution Solver::solve() {
  std::vector<std::vector<Partial>> stages = {{{0, 0, 0, 0}}};
  for (size_t group = 0; group < groups.size(); ++group)
    stages.push_back(extend(stages.back(), group));

  KnapsackSolution solution;
  solution.items.resize(groups.size());
  // The cheapest is the heaviest that is left.
  size_t partial = stages.back().size() - 1;
  for (size_t group = groups.size(); group-- > 0;) {
    const Partial &choice = stages[group + 1][partial];
    solution.items[group] = groups[group][choice.candidate].item;
    partial = choice.parent;
  }
  for (auto [group, item] : llvm::zip_equal(original, solution.items)) {
    solution.weight += group[item].weight;
    solution.cost += group[item].cost;
  }
  return solution;
}

uint64_t lowbit::getLeastWeight(llvm::ArrayRef<KnapsackGroup> groups) {
  uint64_t weight = 0;
  for (const KnapsackGroup &group : groups)
    weight += llvm::min_element(group, [](const KnapsackItem &x,
                                          const KnapsackItem &y) {
                return x.weight < y.weight;
              })->weight;
  return weight;
}

std::optional<KnapsackSolution>
lowbit::solveKnapsack(llvm::ArrayRef<KnapsackGroup> groups, uint64_t budget) {
  if (getLeastWeight(groups) > budget)
    return std::nullopt;
  return Solver(groups, budget).solve();
}
