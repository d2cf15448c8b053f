//===- FloatFormatTest.cpp - Floats, unscaled -----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/FloatFormat.h"
#include "TestUtils.h"
#include "lowbit/Quantize/Solver.h"

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;

TEST(FloatFormat, RoundsToNearestEven) {
  FloatFormat format = unwrap(FloatFormat::get({ElementType::BF16, false}));
  Matrix weights(1, 4);
  // bf16 has 8 bits of significand: steps of 1/128 above 1.
  weights.values = {1.0f + 1.0f / 256, 1.0f + 3.0f / 256, -2.5f, 1e-40f};
  SolverResult result = unwrap(roundToNearest(format, weights, minMax));
  EXPECT_EQ(result.matrix.getBitsPerWeight(), 16);
  EXPECT_EQ(decode(format, result.matrix).values,
            (std::vector<float>{1.0f, 1.0f + 2.0f / 128, -2.5f, 0x1p-133f}));
}

TEST(FloatFormat, TransposedStoresColumns) {
  FloatFormat format = unwrap(FloatFormat::get({ElementType::F32, true}));
  Matrix weights(2, 3);
  weights.values = {1, 2, 3, 4, 5, 6};
  SolverResult result = unwrap(roundToNearest(format, weights, minMax));
  const Component *values = result.matrix.getComponent("values");
  ASSERT_NE(values, nullptr);
  EXPECT_EQ(values->spec.shape, (llvm::SmallVector<int64_t, 2>{3, 2}));
  const auto *stored = reinterpret_cast<const float *>(values->bytes.data());
  EXPECT_EQ(std::vector<float>(stored, stored + 6),
            (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(decode(format, result.matrix).values, weights.values);
}

TEST(FloatFormat, RefusesWhatItCannotHold) {
  EXPECT_EQ(getMessage(FloatFormat::get({ElementType::I8, false})),
            "floats are stored as f16, bf16 or f32, not as int8");
  FloatFormat format = unwrap(FloatFormat::get({ElementType::F16, false}));
  Matrix weights(2, 2);
  weights.values = {0, 1, 7e4f, 0};
  EXPECT_EQ(getMessage(roundToNearest(format, weights, minMax)),
            "the weight in row 1, column 0 is 70000, but f16 ends at 65504; a "
            "wider type is needed");
}

} // namespace
