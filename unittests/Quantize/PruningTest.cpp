//===- PruningTest.cpp - Which weights can become zero --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Pruning.h"
#include "TestUtils.h"
#include <algorithm>
#include <cmath>
#include <numeric>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

using Positions = std::vector<int64_t>;

/// The positions of the least magnitudes, by sorting them all.
Positions sortMagnitudes(const Matrix &weights, int64_t count) {
  Positions order(weights.values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return std::fabs(weights.values[a]) < std::fabs(weights.values[b]);
  });
  order.resize(count);
  std::sort(order.begin(), order.end());
  return order;
}

Positions getLeast(LeastMagnitudes &least, const Matrix &weights) {
  Positions positions;
  least.forEachIn(weights, [&](int64_t row, int64_t col) {
    positions.push_back(row * weights.cols + col);
  });
  return positions;
}

TEST(LeastMagnitudes, AreThoseThatComeFirstInOrder) {
  Random random(1);
  for (auto [rows, cols] :
       {std::pair<int64_t, int64_t>{1, 1}, {3, 5}, {17, 40}, {1, 500}}) {
    Matrix weights = random.matrix(rows, cols);
    for (size_t i = 0; i < weights.values.size(); i += 3)
      weights.values[i] = std::round(weights.values[i]);
    for (int64_t count :
         {int64_t(0), int64_t(1), rows * cols / 2, rows * cols}) {
      LeastMagnitudes least(count, [&](auto visit) { visit(weights); });
      EXPECT_EQ(getLeast(least, weights), sortMagnitudes(weights, count));
    }
  }
}

TEST(LeastMagnitudes, OfEqualsTheFirstAreChosen) {
  Matrix weights(2, 3);
  weights.values = {1, -1, 0, 1, -0.0f, 2};
  LeastMagnitudes least(4, [&](auto visit) { visit(weights); });
  EXPECT_EQ(getLeast(least, weights), (Positions{0, 1, 2, 4}));
}

TEST(LeastMagnitudes, OfSeveralMatricesAreThoseOfAll) {
  Matrix a = Random(2).matrix(4, 6), b = Random(3).matrix(5, 2, 0.5f);
  Matrix both(1, 34);
  std::copy(b.values.begin(), b.values.end(),
            std::copy(a.values.begin(), a.values.end(), both.values.begin()));
  LeastMagnitudes least(20, [&](auto visit) {
    visit(a);
    visit(b);
  });
  Positions positions = getLeast(least, a);
  for (int64_t position : getLeast(least, b))
    positions.push_back(24 + position);
  EXPECT_EQ(positions, sortMagnitudes(both, 20));
}

TEST(SparsityPattern, KeepsTheGreatestOfEveryBlock) {
  Matrix weights(2, 10);
  weights.values = {1, -4, 3, 2, /**/ 0, 0, 0,  0,  /**/ 7, 8,
                    2, 2,  2, 2, /**/ 5, 1, -6, -5, /**/ 0, 1};
  Positions outside;
  forEachOutside({2, 4}, weights, [&](int64_t row, int64_t col) {
    outside.push_back(row * 10 + col);
  });
  std::sort(outside.begin(), outside.end());
  EXPECT_EQ(outside, (Positions{0, 3, 6, 7, 12, 13, 15, 17}));
}

TEST(SparsityPattern, LeavesTheWantedNumberInEveryBlock) {
  Matrix weights = Random(4).matrix(9, 64);
  for (SparsityPattern pattern :
       {SparsityPattern{2, 4}, {4, 8}, {1, 16}, {4, 4}}) {
    std::vector<int64_t> count(9 * 64 / pattern.block);
    forEachOutside(pattern, weights, [&](int64_t row, int64_t col) {
      ++count[(row * 64 + col) / pattern.block];
    });
    for (int64_t pruned : count)
      EXPECT_EQ(pruned, pattern.block - pattern.kept);
  }
}

TEST(SparsityPattern, SaysWhatIsWrong) {
  SparsityPattern pattern = unwrap(SparsityPattern::parse("2:4"));
  EXPECT_EQ(pattern.kept, 2);
  EXPECT_EQ(pattern.block, 4);
  for (const char *text :
       {"", "2", "2:", ":4", "0:4", "5:4", "-1:4", "2:512", "a:b"})
    EXPECT_EQ(getMessage(SparsityPattern::parse(text)),
              "the pattern is '" + std::string(text) +
                  "', but must be N:M with 1 <= N <= M <= 256, such as 2:4");
}

} // namespace
