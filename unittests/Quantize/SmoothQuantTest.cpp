//===- SmoothQuantTest.cpp - Difficulty moved into weights ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/SmoothQuant.h"
#include "TestUtils.h"
#include "lowbit/Quantize/Magnitudes.h"
#include <cmath>
#include <limits>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

TEST(SmoothQuant, HalfWayBothSidesAreAlike) {
  Random random(1);
  std::vector<float> activations, weights;
  for (int i = 0; i < 50; ++i) {
    activations.push_back(0.01f + 10 * random.uniform());
    weights.push_back(0.01f + random.uniform());
  }
  const std::vector<float> scales = getSmoothScales(activations, weights, 0.5);
  for (int i = 0; i < 50; ++i) {
    const float both = std::sqrt(activations[i] * weights[i]);
    EXPECT_NEAR(activations[i] / scales[i], both, 1e-5 * both);
    EXPECT_NEAR(weights[i] * scales[i], both, 1e-5 * both);
  }
}

TEST(SmoothQuant, ExponentMovesTheDifficulty) {
  EXPECT_EQ(getSmoothScales({8}, {4}, 1)[0], 8);
  EXPECT_EQ(getSmoothScales({8}, {4}, 0)[0], 0.25f);
}

TEST(SmoothQuant, ZerosAreBounded) {
  EXPECT_FLOAT_EQ(getSmoothScales({0}, {1}, 0.5)[0], 1e-5f);
  EXPECT_FLOAT_EQ(getSmoothScales({4}, {0}, 0.5)[0], 2 / std::sqrt(1e-5f));
  EXPECT_FLOAT_EQ(getSmoothScales({0}, {0}, 0.5)[0], 1e-5f);
}

TEST(SmoothQuant, RoundsEachTokenToItsRange) {
  // Divided by the scales: (4, -2, 1) and (0, 0, 0); 2 bits have codes -1,
  // 0, 1.
  Matrix values(2, 3);
  values.values = {8, -2, 0.5, 0, 0, 0};
  ActivationCodes codes;
  codes.bits = 2;
  roundScaledActivations(codes, {2, 1, 0.5}, values.view());
  EXPECT_EQ(values.values, (std::vector<float>{8, 0, 0, 0, 0, 0}))
      << "-2 is half a step of 4, and ties go to even";
}

TEST(SmoothQuant, RoundsGroupsOfChannels) {
  Matrix values(1, 4);
  values.values = {100, 1, 3, 2};
  ActivationCodes codes;
  codes.bits = 3;
  codes.groupCols = 2;
  roundScaledActivations(codes, std::vector<float>(4, 1), values.view());
  EXPECT_EQ(values.values, (std::vector<float>{100, 0, 3, 2}));
}

TEST(SmoothQuant, ClampsToAKnownRange) {
  Matrix values(1, 3);
  values.values = {254, -1000, 3};
  ActivationCodes codes;
  codes.range = 254.0f;
  roundScaledActivations(codes, std::vector<float>(3, 1), values.view());
  EXPECT_EQ(values.values, (std::vector<float>{254, -254, 4}));
}

TEST(Magnitudes, AreMeansAndMaximaOverBatches) {
  MagnitudeAccumulator accumulator(2);
  Matrix first(1, 2), second(3, 2);
  first.values = {-4, 0};
  second.values = {1, 0, -2, 0, 5, 0};
  accumulator.update(first);
  accumulator.update(second);
  EXPECT_EQ(accumulator.getMeans(), (std::vector<float>{3, 0}));
  EXPECT_EQ(accumulator.getMaxima().vec(), (std::vector<float>{5, 0}));
  first.values[1] = std::numeric_limits<float>::quiet_NaN();
  accumulator.update(first);
  EXPECT_TRUE(std::isnan(accumulator.getMeans()[1]));
}

TEST(Magnitudes, SumsOfSquaresTakeAllValues) {
  Random random(2);
  for (int64_t count : {0, 1, 7, 8, 9, 100}) {
    const Matrix a = random.matrix(1, count), b = random.matrix(1, count);
    double norm = 0, distance = 0;
    for (int64_t i = 0; i < count; ++i) {
      norm += double(a(0, i)) * a(0, i);
      distance += (double(a(0, i)) - b(0, i)) * (double(a(0, i)) - b(0, i));
    }
    EXPECT_NEAR(getSquaredNorm(a.values), norm, 1e-12 * (1 + norm));
    EXPECT_NEAR(getSquaredDistance(a.values, b.values), distance,
                1e-12 * (1 + distance));
  }
}

} // namespace
