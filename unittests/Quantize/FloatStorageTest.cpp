//===- FloatStorageTest.cpp - Float values as they are stored
//----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/FloatStorage.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace lowbit;

namespace {

float roundByAPFloat(const llvm::fltSemantics &semantics, float value) {
  llvm::APFloat number(value);
  bool losesInfo;
  number.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  number.convert(llvm::APFloat::IEEEsingle(),
                 llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return number.convertToFloat();
}

void compareWithAPFloat(ElementType type, const llvm::fltSemantics &semantics) {
  // A prime step through all bit patterns meets subnormals, ties (by chance
  // few, so they are added below), overflow and infinities.
  auto check = [&](uint32_t bits) {
    float value = llvm::bit_cast<float>(bits);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(roundToType(type, value)));
      return;
    }
    EXPECT_EQ(llvm::bit_cast<uint32_t>(roundToType(type, value)),
              llvm::bit_cast<uint32_t>(roundByAPFloat(semantics, value)))
        << value;
  };
  for (uint64_t bits = 0; bits < (1ull << 32); bits += 99991)
    check(static_cast<uint32_t>(bits));
  for (uint32_t exponent = 80; exponent < 160; ++exponent)
    for (uint32_t mantissa : {0x0FFFu, 0x1000u, 0x1001u, 0x3000u, 0x7FF000u,
                              0x7FFFFFu, 0x8000u, 0x18000u, 0x7F8000u})
      check((exponent << 23) | mantissa);
}

TEST(FloatStorage, F16RoundsAsAPFloat) {
  compareWithAPFloat(ElementType::F16, llvm::APFloat::IEEEhalf());
}

TEST(FloatStorage, BF16RoundsAsAPFloat) {
  compareWithAPFloat(ElementType::BF16, llvm::APFloat::BFloat());
}

TEST(FloatStorage, Limits) {
  for (ElementType type :
       {ElementType::F16, ElementType::BF16, ElementType::F32}) {
    EXPECT_EQ(roundToType(type, getLargest(type)), getLargest(type));
    EXPECT_EQ(roundToType(type, getSmallestPositive(type)),
              getSmallestPositive(type));
    EXPECT_EQ(roundToType(type, getSmallestPositive(type) * 0.5f), 0.0f);
  }
  EXPECT_TRUE(std::isinf(roundToType(ElementType::F16, 65520.0f)));
}

} // namespace
