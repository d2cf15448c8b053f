//===- CodebookAttrTest.cpp - the attribute against the C++ format --------===//
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
class CodebookAttrTest : public FormatAttrTest {
protected:
  CodebookAttrTest() : FormatAttrTest("codebook") {}
};
} // namespace

TEST_F(CodebookAttrTest, ComponentsAreThoseOfTheFormat) {
  const int64_t rows = 5, cols = 50;
  for (StringRef text :
       {"nf4, group = [1, 16], scale = f16",
        "[0.0, 1.0], group = [*, 16], scale = f8E8M0FNU",
        "e4m3, group = [2, *], scale = f8E4M3FN",
        "e2m1, group = [1, 16], scale = #lowbit.codebook<e4m3, group = [*, *], "
        "scale = f32>",
        "nf4, group = [2, 8], scale = #lowbit.codebook<dynamic8, group = [2, "
        "3], scale = #lowbit.float<f16>>, offset = f32",
        "nf4, group = [1, 8], scale = #lowbit.uniform<u3, group = [4, 1], "
        "scale = f16, zero = u3>"}) {
    QuantFormatAttrInterface attr = parse(text).adaptToShape({rows, cols});
    checkComponents(attr, rows, cols);
  }
}

TEST_F(CodebookAttrTest, PaddingIsStatedWhereItIsNeeded) {
  EXPECT_EQ(
      print(parse("nf4, group = [1, 64], scale = f16").adaptToShape({3, 100})),
      "#lowbit.codebook<nf4, group = [1, 64], scale = f16, pad>");
  EXPECT_EQ(print(parse("nf4, group = [1, 64], scale = f16, pad")
                      .adaptToShape({3, 128})),
            "#lowbit.codebook<nf4, group = [1, 64], scale = f16>");
  // That of the scales, too: a grid of 6 x 2.
  EXPECT_EQ(
      print(parse("nf4, group = [1, 64], scale = #lowbit.codebook<dynamic8, "
                  "group = [4, 2], scale = f32>, offset = f32")
                .adaptToShape({6, 128})),
      "#lowbit.codebook<nf4, group = [1, 64], scale = "
      "#lowbit.codebook<dynamic8,"
      " group = [4, 2], scale = f32, pad>, offset = f32>");
}

TEST_F(CodebookAttrTest, LevelsAreTheValuesOfTheCodes) {
  auto getLevels = [&](StringRef text) {
    return parse(text).getScaledCodes()->levels;
  };
  EXPECT_EQ(getLevels("e2m1, group = [1, *], scale = f32"),
            (SmallVector<float, 16>{0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0f, -0.5, -1,
                                    -1.5, -2, -3, -4, -6}));
  SmallVector<float, 16> own =
      getLevels("[-1.0, 2.0], group = [1, *], scale = f32");
  EXPECT_EQ(own.size(), 16u);
  EXPECT_EQ(own[1], 2);
  EXPECT_EQ(getLevels("e4m3, group = [1, *], scale = f32").size(), 256u);
  EXPECT_EQ(parse("nf4, group = [1, *], scale = f32").getGroupCols({2, 40}),
            40);
}

TEST_F(CodebookAttrTest, LevelsAsBytes) {
  auto get = [&](StringRef text) {
    std::string reason;
    return getByteLevels(*parse(text).getScaledCodes(), reason);
  };
  std::optional<ByteLevels> bytes =
      get("e2m1, group = [1, 32], scale = f8E8M0FNU");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->unit, 0.5f);
  EXPECT_EQ(bytes->zero, 12);
  EXPECT_EQ(bytes->bytes,
            (SmallVector<uint8_t, 32>{12, 13, 14, 15, 16, 18, 20, 24, 12, 11,
                                      10, 9, 8, 6, 4, 0}));
  // No bit is lost of a constant that is no power of two.
  bytes = get("[0.75, 2.25, 191.25], group = [1, *], scale = f32");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->unit, 0.75f);
  EXPECT_EQ(bytes->zero, 0);
  EXPECT_EQ(ArrayRef(bytes->bytes).take_front(4),
            ArrayRef<uint8_t>({1, 3, 255, 0}));
  EXPECT_FALSE(get("[0.75, 2.25, 192.0], group = [1, *], scale = f32"));
  // 0.3 is not three times 0.1 in f32.
  EXPECT_FALSE(get("[0.1, 0.3], group = [1, *], scale = f32"));
  EXPECT_FALSE(get("nf4, group = [1, *], scale = f32"));
  EXPECT_FALSE(get("e4m3, group = [1, *], scale = f32"));
}

TEST_F(CodebookAttrTest, CodesOfMinifloatsAreTheirBits) {
  auto getType = [&](StringRef text) {
    return parse(text).getScaledCodes()->codeType;
  };
  EXPECT_TRUE(isa<Float8E4M3FNType>(
      getType("e4m3, group = [1, 32], scale = f8E8M0FNU")));
  EXPECT_TRUE(
      isa<Float8E5M2Type>(getType("e5m2, group = [1, 32], scale = f32")));
  EXPECT_FALSE(getType("dynamic8, group = [1, 32], scale = f32"));
}

TEST_F(CodebookAttrTest, BitsPerWeight) {
  // The double quantization of QLoRA: 0.127 bits for the scales.
  EXPECT_DOUBLE_EQ(parse("nf4, group = [1, 64], scale = #lowbit.codebook<"
                         "dynamic8, group = [4, 64], scale = f32>")
                       .getBitsPerWeight({4096, 4096}),
                   4.126953125);
  EXPECT_DOUBLE_EQ(parse("e2m1, group = [1, 32], scale = f8E8M0FNU")
                       .getBitsPerWeight({4, 64}),
                   4.25);
}
