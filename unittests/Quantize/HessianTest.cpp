//===- HessianTest.cpp - Second moments of a layer's inputs ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Hessian.h"
#include "TestUtils.h"
#include "lowbit/Quantize/MinMaxObserver.h"
#include "llvm/ADT/STLExtras.h"

using namespace lowbit;
using namespace lowbit::testing;

namespace {

TEST(Hessian, IsTwiceTheSecondMomentPerSequence) {
  // Wider than a tile of the parallel loop, and no multiple of it.
  const int64_t width = 300;
  Matrix inputs = Random(1).matrix(70, width);
  HessianAccumulator accumulator(width);
  accumulator.update(ConstMatrixView(inputs).block(0, 0, 30, width), 2);
  accumulator.update(ConstMatrixView(inputs).block(30, 0, 40, width), 3);
  EXPECT_EQ(accumulator.getNumSequences(), 5);
  Hessian hessian = std::move(accumulator).finish();
  for (int64_t i = 0; i < width; i += 7)
    for (int64_t j = 0; j < width; j += 5) {
      double expected = 0;
      for (int64_t token = 0; token < 70; ++token)
        expected += 2.0 / 5 * inputs(token, i) * inputs(token, j);
      EXPECT_NEAR(hessian.values[i * width + j], expected, 2e-4);
      EXPECT_EQ(hessian.values[i * width + j], hessian.values[j * width + i]);
    }
}

TEST(Hessian, MergeIsAsIfOneHadSeenAll) {
  Matrix inputs = Random(2).matrix(20, 16);
  HessianAccumulator all(16), first(16), second(16);
  all.update(ConstMatrixView(inputs).block(0, 0, 8, 16), 1);
  all.update(ConstMatrixView(inputs).block(8, 0, 12, 16), 1);
  first.update(ConstMatrixView(inputs).block(0, 0, 8, 16), 1);
  second.update(ConstMatrixView(inputs).block(8, 0, 12, 16), 1);
  first.merge(second);
  EXPECT_EQ(std::move(all).finish().values, std::move(first).finish().values);
}

TEST(Hessian, DoesNotDependOnThreads) {
  Matrix inputs = Random(3).matrix(50, 600);
  HessianAccumulator one(600, 1), many(600, 5);
  one.update(inputs, 1);
  many.update(inputs, 1);
  EXPECT_EQ(std::move(one).finish().values, std::move(many).finish().values);
}

TEST(Hessian, StateIsAllThatWasSeen) {
  Matrix inputs = Random(4).matrix(9, 300);
  HessianAccumulator from(300), to(300);
  from.update(inputs, 3);
  auto target = to.getState();
  for (auto [i, bytes] : llvm::enumerate(from.getState())) {
    ASSERT_EQ(bytes.size(), target[i].size());
    llvm::copy(bytes, target[i].begin());
  }
  EXPECT_EQ(to.getNumSequences(), 3);
  EXPECT_EQ(std::move(to).finish().values, std::move(from).finish().values);
}

TEST(Hessian, NothingSeenIsZero) {
  Hessian hessian = HessianAccumulator(3).finish();
  EXPECT_EQ(hessian.values, std::vector<float>(9, 0.0f));
}

TEST(MinMaxObserver, UpdatesAndMerges) {
  Matrix inputs(2, 2);
  inputs.values = {1, 5, 2, 3};
  MinMaxObserver a, b;
  a.update(inputs);
  EXPECT_EQ(a.getRange().lo, 0);
  EXPECT_EQ(a.getRange().hi, 5);
  inputs.values = {-4, 1, 1, 1};
  b.update(inputs);
  a.merge(b);
  EXPECT_EQ(a.getRange().lo, -4);
  EXPECT_EQ(a.getRange().hi, 5);
}

} // namespace
