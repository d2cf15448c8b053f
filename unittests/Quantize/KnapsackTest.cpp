//===- KnapsackTest.cpp - One item of each group within a budget ----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Knapsack.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>
#include <random>

using namespace lowbit;

namespace {

using Groups = std::vector<KnapsackGroup>;

/// All choices, one after the other.
std::optional<KnapsackSolution> enumerate(const Groups &groups,
                                          uint64_t budget) {
  std::optional<KnapsackSolution> best;
  std::vector<size_t> items(groups.size());
  while (true) {
    KnapsackSolution solution{items};
    for (size_t i = 0; i < groups.size(); ++i) {
      solution.weight += groups[i][items[i]].weight;
      solution.cost += groups[i][items[i]].cost;
    }
    if (solution.weight <= budget &&
        (!best || std::pair(solution.cost, solution.weight) <
                      std::pair(best->cost, best->weight)))
      best = solution;
    size_t i = 0;
    for (; i < groups.size() && ++items[i] == groups[i].size(); ++i)
      items[i] = 0;
    if (i == groups.size())
      return best;
  }
}

Groups makeGroups(std::mt19937 &generator, size_t count, size_t items,
                  uint64_t maxWeight, uint64_t maxCost) {
  Groups groups(count);
  for (KnapsackGroup &group : groups) {
    group.resize(1 + generator() % items);
    for (KnapsackItem &item : group)
      item = {generator() % (maxWeight + 1),
              static_cast<double>(generator() % (maxCost + 1))};
  }
  return groups;
}

/// Formats of 2 to 8 bits for layers of a model.
Groups makeLayers(std::mt19937 &generator, size_t count) {
  std::uniform_real_distribution<double> uniform(0.5, 1.5);
  Groups groups(count);
  for (KnapsackGroup &group : groups) {
    const uint64_t weights = 1000000 + generator() % 50000000;
    const double sensitivity = std::pow(10, 3 * uniform(generator));
    for (int eighths = 16; eighths < 66; eighths += 5)
      group.push_back(
          {weights * eighths / 8,
           sensitivity * std::pow(4, -eighths / 8.0) * uniform(generator)});
  }
  return groups;
}

// Costs are whole numbers, so that their sums are exact: there are many ties.
TEST(Knapsack, FindsTheBestOfAllChoices) {
  std::mt19937 generator(1);
  size_t numInfeasible = 0;
  for (int round = 0; round < 2000; ++round) {
    const uint64_t maxWeight = round % 2 ? 12 : 1000000000000;
    const Groups groups = makeGroups(generator, 1 + generator() % 6, 4,
                                     maxWeight, round % 3 ? 9 : 1000000);
    const uint64_t budget =
        generator() % 100 * (maxWeight * groups.size()) / 100;
    const std::optional<KnapsackSolution> expected = enumerate(groups, budget);
    const std::optional<KnapsackSolution> found = solveKnapsack(groups, budget);
    ASSERT_EQ(found.has_value(), expected.has_value());
    ASSERT_EQ(found.has_value(), getLeastWeight(groups) <= budget);
    numInfeasible += !found;
    if (!found)
      continue;
    ASSERT_EQ(found->cost, expected->cost) << "round " << round;
    ASSERT_EQ(found->weight, expected->weight) << "round " << round;
    uint64_t weight = 0;
    double cost = 0;
    for (size_t i = 0; i < groups.size(); ++i) {
      ASSERT_LT(found->items[i], groups[i].size());
      weight += groups[i][found->items[i]].weight;
      cost += groups[i][found->items[i]].cost;
    }
    EXPECT_EQ(weight, found->weight);
    EXPECT_EQ(cost, found->cost);
  }
  EXPECT_GT(numInfeasible, 100u);
}

TEST(Knapsack, IsNoWorseThanAnyUniformChoice) {
  std::mt19937 generator(2);
  for (int round = 0; round < 20; ++round) {
    const Groups groups = makeLayers(generator, 60);
    uint64_t all = 0;
    for (const KnapsackGroup &group : groups)
      all += group.back().weight;
    const uint64_t budget = all / 4 + generator() % (all * 3 / 4);
    const std::optional<KnapsackSolution> found = solveKnapsack(groups, budget);
    ASSERT_TRUE(found);
    EXPECT_LE(found->weight, budget);
    for (size_t item = 0; item < groups[0].size(); ++item) {
      KnapsackSolution uniform;
      for (const KnapsackGroup &group : groups) {
        uniform.weight += group[item].weight;
        uniform.cost += group[item].cost;
      }
      if (uniform.weight <= budget)
        EXPECT_LE(found->cost, uniform.cost);
    }
  }
}

TEST(Knapsack, CostsFallAsTheBudgetGrows) {
  std::mt19937 generator(3);
  const Groups groups = makeLayers(generator, 300);
  const uint64_t least = getLeastWeight(groups);
  double last = std::numeric_limits<double>::infinity();
  for (int percent = 100; percent <= 500; percent += 50) {
    const uint64_t budget = least / 100 * percent + 100;
    const std::optional<KnapsackSolution> found = solveKnapsack(groups, budget);
    ASSERT_TRUE(found);
    EXPECT_LE(found->weight, budget);
    // Little is left over where there is much to choose from.
    if (percent > 100 && percent < 350)
      EXPECT_GT(found->weight, budget - budget / 1000);
    EXPECT_LE(found->cost, last);
    last = found->cost;
  }
}

TEST(Knapsack, TakesTheFirstOfEqualItems) {
  const Groups groups = {{{8, 1}, {4, 1}, {4, 1}}, {{3, 0}, {3, 0}}};
  const std::optional<KnapsackSolution> found = solveKnapsack(groups, 100);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->items, (std::vector<size_t>{1, 0}));
  EXPECT_EQ(found->weight, 7u);
}

TEST(Knapsack, KnowsItsLimits) {
  const Groups groups = {{{8, 1}, {4, 3}}, {{3, 0}}};
  EXPECT_EQ(getLeastWeight(groups), 7u);
  EXPECT_FALSE(solveKnapsack(groups, 6));
  const std::optional<KnapsackSolution> least = solveKnapsack(groups, 7);
  ASSERT_TRUE(least);
  EXPECT_EQ(least->items, (std::vector<size_t>{1, 0}));
  const std::optional<KnapsackSolution> nothing = solveKnapsack({}, 0);
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->cost, 0);
}

} // namespace
