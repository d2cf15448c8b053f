//===- OutputEnergyTest.cpp - Squares of what weights make of inputs ------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/OutputEnergy.h"
#include "TestUtils.h"

using namespace lowbit;
using namespace lowbit::testing;

namespace {

TEST(OutputEnergy, IsThatOfTheOutputs) {
  const Matrix inputs = Random(1).matrix(40, 23);
  const Matrix weights = Random(2).matrix(37, 23);
  HessianAccumulator accumulator(23);
  accumulator.update(inputs, /*sequences=*/5);
  const Hessian hessian = std::move(accumulator).finish();
  double expected = 0;
  for (int64_t token = 0; token < 40; ++token)
    for (int64_t row = 0; row < 37; ++row) {
      double sum = 0;
      for (int64_t col = 0; col < 23; ++col)
        sum += static_cast<double>(inputs(token, col)) * weights(row, col);
      expected += sum * sum;
    }
  expected *= 2.0 / 5;
  const double energy = getOutputEnergy(hessian, weights);
  EXPECT_NEAR(energy, expected, 1e-5 * expected);
  EXPECT_EQ(energy, getOutputEnergy(hessian, weights, /*threads=*/1));
  EXPECT_EQ(energy, getOutputEnergy(hessian, weights, /*threads=*/3));
}

TEST(OutputEnergy, KnowsTheMeanTrace) {
  EXPECT_EQ(getMeanTrace({2, {3, 8, 8, 5}}), 4);
}

} // namespace
