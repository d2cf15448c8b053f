//===- DifferenceTest.cpp - how far numbers are from others ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/Difference.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

using namespace lowbit;

TEST(DifferenceTest, FiguresAreThoseOfTheirDefinitions) {
  Difference difference;
  // In two pieces.
  difference.add({3.0f, 0.0f}, {3.0f, 1.0f});
  difference.add({-4.0f}, {-2.0f});
  EXPECT_EQ(difference.getCount(), 3);
  EXPECT_DOUBLE_EQ(difference.getRelativeError(), std::sqrt(5.0 / 25));
  EXPECT_NEAR(difference.getSnr(), 10 * std::log10(25.0 / 5), 1e-12);
  EXPECT_DOUBLE_EQ(difference.getCosine(), 17 / (5 * std::sqrt(14.0)));
  EXPECT_EQ(difference.getMax(), 2);
  EXPECT_EQ(difference.getMean(), 1);
  EXPECT_EQ(difference.getLow(), -4);
  EXPECT_EQ(difference.getHigh(), 3);
}

TEST(DifferenceTest, EqualNumbersDifferByNothing) {
  Difference difference;
  difference.add({1.0f, -2.0f}, {1.0f, -2.0f});
  EXPECT_EQ(difference.getRelativeError(), 0);
  EXPECT_EQ(difference.getSnr(), std::numeric_limits<double>::infinity());
  EXPECT_DOUBLE_EQ(difference.getCosine(), 1);
}

TEST(DifferenceTest, ZerosHaveNoDirection) {
  Difference nothing, lost, made;
  nothing.add({0.0f}, {0.0f});
  EXPECT_EQ(nothing.getRelativeError(), 0);
  EXPECT_EQ(nothing.getCosine(), 1);
  lost.add({2.0f}, {0.0f});
  EXPECT_EQ(lost.getRelativeError(), 1);
  EXPECT_EQ(lost.getCosine(), 0);
  made.add({0.0f}, {2.0f});
  EXPECT_TRUE(std::isinf(made.getRelativeError()));
  EXPECT_EQ(made.getCosine(), 0);
  EXPECT_EQ(Difference().getMean(), 0);
}

TEST(DifferenceTest, NaNStays) {
  Difference difference;
  difference.add({1.0f, 1.0f}, {std::nanf(""), 1.0f});
  difference.add({1.0f}, {5.0f});
  EXPECT_TRUE(std::isnan(difference.getRelativeError()));
  EXPECT_TRUE(std::isnan(difference.getMax()));
  EXPECT_TRUE(std::isnan(difference.getCosine()));
}

TEST(HistogramTest, BinsHaveOneWidth) {
  Histogram histogram(-1, 1, 4);
  histogram.add({-1.0f, -0.5f, 0.0f, 0.49f, 1.0f, 1.5f, std::nanf("")});
  const std::vector<int64_t> expected = {1, 1, 2, 1};
  EXPECT_EQ(histogram.getCounts(), llvm::ArrayRef(expected));
}

TEST(HistogramTest, OneValueHasOneBin) {
  Histogram histogram(2, 2, 3);
  histogram.add({2.0f, 2.0f});
  const std::vector<int64_t> expected = {2, 0, 0};
  EXPECT_EQ(histogram.getCounts(), llvm::ArrayRef(expected));
}
