//===- UniformAttrTest.cpp - the format attribute against the C++ format --===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatAttrTest.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitTypes.h"
#include "lowbit/Quantize/Solver.h"

using namespace mlir;
using namespace lowbit;

namespace {
class UniformAttrTest : public FormatAttrTest {
protected:
  UniformAttrTest() : FormatAttrTest("uniform") {}

  static UniformFormat::Spec makeSpec(unsigned bits, bool isSigned,
                                      int64_t groupRows, int64_t groupCols) {
    UniformFormat::Spec spec;
    spec.bits = bits;
    spec.isSigned = isSigned;
    spec.zero = isSigned ? ZeroKind::None : ZeroKind::Integer;
    spec.groupRows = groupRows;
    spec.groupCols = groupCols;
    return spec;
  }
};
} // namespace

TEST_F(UniformAttrTest, ComponentsAreThoseOfTheFormat) {
  const int64_t rows = 5, cols = 50;
  for (unsigned bits = 2; bits <= 8; ++bits)
    for (bool isSigned : {false, true})
      for (int64_t groupRows : {0, 1, 2, 7})
        for (int64_t groupCols : {0, 1, 16, 64}) {
          UniformFormat::Spec spec =
              makeSpec(bits, isSigned, groupRows, groupCols);
          if (!isSigned && bits % 2 == 0)
            spec.zero = bits % 4 == 0 ? ZeroKind::F16 : ZeroKind::F32;
          checkComponents(UniformAttr::get(&context, spec, {rows, cols}), rows,
                          cols);
        }
}

TEST_F(UniformAttrTest, ScalesAndZeroPointsOfTheirOwnStorage) {
  const int64_t rows = 5, cols = 50;
  const std::string u3 =
      "#lowbit.uniform<u3, group = [16, 1], scale = f16, zero = f16>";
  const std::string bytes =
      "#lowbit.uniform<s8, group = [2, *], scale = f32, zero = none>";
  for (const std::string &text : {
           std::string("s8, group = [1, 32], scale = f8E8M0FNU, zero = none"),
           std::string("u4, group = [2, *], scale = f8E8M0FNU, zero = u4"),
           std::string("s8, group = [1, 32], scale = f8E4M3FN, zero = f16"),
           "u3, group = [1, 16], scale = " + u3 + ", zero = " + u3,
           "u3, group = [1, 16], scale = f16, zero = " + u3,
           "u4, group = [1, 8], scale = " + bytes + ", zero = u4, offset = f32",
       }) {
    auto attr = cast<UniformAttr>(parse(text));
    auto adapted = cast<UniformAttr>(attr.adaptToShape({rows, cols}));
    EXPECT_TRUE(succeeded(adapted.verifyShape({rows, cols}, [&] {
      return emitError(UnknownLoc::get(&context));
    }))) << text;
    checkComponents(adapted, rows, cols);
    EXPECT_FALSE(adapted.isInteger());
    EXPECT_EQ(print(attr), "#lowbit.uniform<" + text + ">");
  }
}

TEST_F(UniformAttrTest, BitsPerWeightAreThoseThatAreStored) {
  std::vector<float> values(3 * 50, 0.5f);
  for (unsigned bits : {2, 3, 4, 8}) {
    UniformFormat::Spec spec = makeSpec(bits, false, 1, 32);
    UniformFormat format = llvm::cantFail(UniformFormat::get(spec));
    SolverResult result = llvm::cantFail(
        roundToNearest(format, ConstMatrixView(values.data(), 3, 50),
                       MinMaxSearch(), /*threads=*/1));
    QuantFormatAttrInterface attr = UniformAttr::get(&context, spec, {3, 50});
    EXPECT_DOUBLE_EQ(attr.getBitsPerWeight({3, 50}),
                     result.matrix.getBitsPerWeight());
  }
  // 4 bits, and a scale of 16 and a zero point of 4 for 128 of them.
  QuantFormatAttrInterface attr =
      UniformAttr::get(&context, makeSpec(4, false, 1, 128), {16, 1024});
  EXPECT_DOUBLE_EQ(attr.getBitsPerWeight({16, 1024}), 4 + 16. / 128 + 4. / 128);
}

TEST_F(UniformAttrTest, PaddingIsStatedWhereItIsNeeded) {
  auto isPadded = [&](int64_t groupRows, int64_t groupCols,
                      ArrayRef<int64_t> shape) {
    return UniformAttr::get(&context, makeSpec(4, false, groupRows, groupCols),
                            shape)
        .getPadded();
  };
  EXPECT_FALSE(isPadded(1, 32, {5, 64}));
  EXPECT_TRUE(isPadded(1, 32, {5, 65}));
  EXPECT_FALSE(isPadded(0, 0, {5, 65}));
  EXPECT_TRUE(isPadded(2, 0, {5, 65}));
  EXPECT_FALSE(isPadded(5, 13, {5, 65}));
  EXPECT_FALSE(isPadded(1, 32, {ShapedType::kDynamic, 2, 64}));
}

TEST_F(UniformAttrTest, CodesAreTheirOwnLevels) {
  std::optional<ScaledCodes> codes =
      UniformAttr::get(&context, makeSpec(3, true, 0, 16), {1, 32})
          .getScaledCodes();
  ASSERT_TRUE(codes.has_value());
  EXPECT_EQ(codes->bits, 3u);
  EXPECT_TRUE(codes->isSigned);
  EXPECT_EQ(codes->groupRows, 0);
  EXPECT_EQ(codes->groupCols, 16);
  EXPECT_TRUE(codes->levels.empty());
}

TEST_F(UniformAttrTest, SafeTensorsNames) {
  EXPECT_EQ(getSafeTensorsType(IntegerType::get(&context, 8)), "I8");
  EXPECT_EQ(
      getSafeTensorsType(IntegerType::get(&context, 8, IntegerType::Unsigned)),
      "U8");
  EXPECT_EQ(getSafeTensorsType(BFloat16Type::get(&context)), "BF16");
  EXPECT_EQ(getSafeTensorsType(IntegerType::get(&context, 4)), "");
}
