//===- OvpAttrTest.cpp - the format attribute against the C++ format ------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatAttrTest.h"

using namespace mlir;
using namespace lowbit;

namespace {
class OvpAttrTest : public FormatAttrTest {
protected:
  OvpAttrTest() : FormatAttrTest("ovp") {}
};
} // namespace

TEST_F(OvpAttrTest, ComponentsAreThoseOfTheFormat) {
  const int64_t rows = 5, cols = 51;
  for (StringRef text :
       {"int4, group = [1, *], scale = f16",
        "flint4, group = [*, 16], scale = f8E8M0FNU",
        "int8, group = [2, 16], scale = bf16, keep = left",
        "int8, outliers = e2m5, group = [*, *], scale = f32",
        "int4, group = [1, 8], scale = #lowbit.uniform<u6, group = [1, *], "
        "scale = f16, zero = u6>",
        "int4, group = [1, 8], scale = #lowbit.codebook<dynamic8, group = [2, "
        "4], scale = f32>, offset = f32"}) {
    QuantFormatAttrInterface attr = parse(text).adaptToShape({rows, cols});
    checkComponents(attr, rows, cols);
  }
}

TEST_F(OvpAttrTest, PaddingIsStatedWhereItIsNeeded) {
  const StringRef text = "int4, group = [1, 64], scale = f16";
  EXPECT_EQ(print(parse(text).adaptToShape({3, 100})),
            "#lowbit.ovp<int4, group = [1, 64], scale = f16, pad>");
  EXPECT_EQ(print(parse("int4, group = [1, *], scale = f16, pad")
                      .adaptToShape({3, 128})),
            "#lowbit.ovp<int4, group = [1, *], scale = f16>");
  EXPECT_EQ(
      print(parse("int4, group = [1, *], scale = f16").adaptToShape({3, 7})),
      "#lowbit.ovp<int4, group = [1, *], scale = f16, pad>");
}

TEST_F(OvpAttrTest, UsualOutliersAreNotSpelled) {
  EXPECT_EQ(print(parse("int8, outliers = e4m3, group = [1, *], scale = f16")),
            "#lowbit.ovp<int8, group = [1, *], scale = f16>");
  EXPECT_EQ(
      print(parse("flint4, outliers = e2m1, group = [1, *], scale = f16")),
      "#lowbit.ovp<flint4, group = [1, *], scale = f16>");
}

TEST_F(OvpAttrTest, BitsPerWeight) {
  EXPECT_DOUBLE_EQ(
      parse("int4, group = [1, *], scale = f16").getBitsPerWeight({8, 64}),
      4.25);
  EXPECT_DOUBLE_EQ(
      parse("int8, group = [1, *], scale = f32, pad").getBitsPerWeight({8, 15}),
      (16 * 8 + 32) / 15.);
  EXPECT_EQ(parse("int4, group = [1, *], scale = f16").getGroupCols({8, 64}),
            64);
}

TEST_F(OvpAttrTest, PairsAreTheLevelsOfTheCodes) {
  ScaledCodes codes =
      *parse("int4, group = [1, *], scale = f16").getScaledCodes();
  EXPECT_EQ(codes.levels, (SmallVector<float, 16>{0, 1, 2, 3, 4, 5, 6, 7, 0, -7,
                                                  -6, -5, -4, -3, -2, -1}));
  ASSERT_TRUE(codes.pairs);
  EXPECT_EQ(codes.pairs->identifier, 8);
  EXPECT_TRUE(codes.pairs->isSwapped);
  EXPECT_EQ(codes.pairs->levels,
            (SmallVector<float, 16>{8, 12, 16, 24, 32, 48, 64, 96, 0, -12, -16,
                                    -24, -32, -48, -64, -96}));

  std::string reason;
  std::optional<ByteLevels> bytes = getByteLevels(codes, reason);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->unit, 1);
  EXPECT_EQ(bytes->zero, 96);
  EXPECT_EQ(bytes->bytes.size(), 32u);
  EXPECT_EQ(bytes->bytes[7], 103);
  EXPECT_EQ(bytes->bytes[31], 0);

  // From -192 to 192.
  EXPECT_FALSE(getByteLevels(
      *parse("flint4, group = [1, *], scale = f16").getScaledCodes(), reason));
  EXPECT_EQ(reason,
            "levels that are no integers of eight bits times a constant "
            "are multiplied with float activations");
  codes = *parse("int8, group = [1, *], scale = f16").getScaledCodes();
  EXPECT_FALSE(codes.pairs->isSwapped);
  EXPECT_EQ(codes.pairs->levels[127], 7864320);
  EXPECT_FALSE(getByteLevels(codes, reason));
  EXPECT_EQ(reason, "codes of 8 bits that stand for levels of a table are "
                    "multiplied with float activations");
}
