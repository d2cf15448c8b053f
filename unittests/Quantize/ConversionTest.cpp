//===- ConversionTest.cpp - Exactly the same values in another format ------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Conversion.h"
#include "TestUtils.h"
#include "lowbit/Quantize/BcqFormat.h"
#include "lowbit/Quantize/CodebookFormat.h"
#include "lowbit/Quantize/FloatFormat.h"
#include "lowbit/Quantize/GgmlFormat.h"
#include "lowbit/Quantize/Solver.h"

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;

UniformFormat makeUniform(unsigned bits, bool isSigned, int64_t groupCols,
                          ScaleType scaleType = ScaleType::F16,
                          ZeroKind zero = ZeroKind::Integer) {
  UniformFormat::Spec spec;
  spec.bits = bits;
  spec.isSigned = isSigned;
  spec.zero = isSigned ? ZeroKind::None : zero;
  spec.groupCols = groupCols;
  spec.scales = scaleType;
  return unwrap(UniformFormat::get(spec));
}

/// Converts a random weight, and checks that it decodes to the same values.
void expectSame(const BlockFormat &from, const BlockFormat &to,
                int64_t cols = 96) {
  const Matrix weights = Random(1).matrix(6, cols, 0.1f);
  const QuantizedMatrix matrix =
      unwrap(roundToNearest(from, weights, minMax)).matrix;
  llvm::Expected<QuantizedMatrix> converted =
      convertExactly(from, 6, cols, matrix.getBytes(), to);
  ASSERT_TRUE(bool(converted))
      << from.describe() << " to " << to.describe() << ": "
      << llvm::toString(converted.takeError());
  EXPECT_EQ(decode(from, matrix).values, decode(to, *converted).values)
      << from.describe() << " to " << to.describe();
  EXPECT_TRUE(isIdentical(
      *converted, unwrap(convertExactly(from, 6, cols, matrix.getBytes(), to,
                                        /*threads=*/1))));
}

std::string getRefusal(const BlockFormat &from, const BlockFormat &to,
                       llvm::ArrayRef<float> values) {
  Matrix weights(1, values.size());
  weights.values.assign(values.begin(), values.end());
  const QuantizedMatrix matrix =
      unwrap(roundToNearest(from, weights, minMax)).matrix;
  return getMessage(
      convertExactly(from, 1, values.size(), matrix.getBytes(), to));
}

TEST(Conversion, CodesOfMoreBits) {
  for (ScaleType scale : {ScaleType::F16, ScaleType::F32}) {
    expectSame(makeUniform(3, false, 32, scale), makeUniform(4, false, 32, scale));
    expectSame(makeUniform(4, false, 32, scale), makeUniform(8, false, 32, scale));
    expectSame(makeUniform(4, true, 32, scale), makeUniform(8, true, 32, scale));
    expectSame(makeUniform(4, true, 32, scale), makeUniform(4, false, 32, scale));
    expectSame(makeUniform(4, false, 32, scale), makeUniform(5, true, 32, scale));
  }
}

// A signed code plus 8, with 8 as the zero point, in both nibbles of a byte.
// (The checkpoints of AutoGPTQ's first version store one less.)
TEST(Conversion, SymmetricCodesHaveTheirZeroInTheMiddle) {
  Matrix weights(2, 32);
  weights.values = Random(3).matrix(2, 32).values;
  const UniformFormat from = makeUniform(4, true, 32);
  const QuantizedMatrix matrix =
      unwrap(roundToNearest(from, weights, MinMaxSearch())).matrix;
  const QuantizedMatrix converted = unwrap(
      convertExactly(from, 2, 32, matrix.getBytes(), makeUniform(4, false, 32)));
  EXPECT_EQ(converted.getComponent("zeros")->bytes,
            (std::vector<uint8_t>{8, 8}));
  const auto &codes = matrix.getComponent("codes")->bytes;
  for (size_t i = 0; i < codes.size(); ++i)
    EXPECT_EQ(converted.getComponent("codes")->bytes[i], codes[i] ^ 0x88);
}

TEST(Conversion, FinerGroupsAndWiderScales) {
  expectSame(makeUniform(4, false, 96), makeUniform(4, false, 16));
  expectSame(makeUniform(4, true, 0), makeUniform(4, true, 32, ScaleType::F32));
  expectSame(makeUniform(4, false, 32),
             makeUniform(4, false, 32, ScaleType::F16, ZeroKind::F32));
}

TEST(Conversion, FloatsHoldAllValues) {
  const FloatFormat floats = unwrap(FloatFormat::get({ElementType::F32}));
  expectSame(makeUniform(3, false, 32), floats);
  expectSame(GgmlFormat(GgmlType::Q6_K), floats, 256);
}

TEST(Conversion, GgmlBlocksAsIntegers) {
  // Scales may be negative: 8 times one is a value, but -8 times need not be.
  expectSame(GgmlFormat(GgmlType::Q4_0), makeUniform(4, false, 32));
  expectSame(GgmlFormat(GgmlType::Q5_0), makeUniform(5, false, 32));
  expectSame(GgmlFormat(GgmlType::Q8_0), makeUniform(8, true, 32));
  // Scales of sub-blocks are products with whole numbers.
  expectSame(GgmlFormat(GgmlType::Q6_K),
             makeUniform(6, false, 16, ScaleType::F32), 256);
}

TEST(Conversion, LevelsThatAreMultiples) {
  const CodebookFormat mxfp4 = unwrap(CodebookFormat::get(
      {*Codebook::find("e2m1"), 1, 32, ScaleType::F8E8M0FNU}));
  expectSame(mxfp4, makeUniform(5, true, 32));
}

TEST(Conversion, IntegersAsSigns) {
  for (unsigned bits = 1; bits <= 4; ++bits) {
    BcqFormat::Spec spec;
    spec.bits = bits;
    spec.groupCols = 32;
    spec.hasOffset = true;
    spec.scaleType = ElementType::F32;
    const BcqFormat signs = unwrap(BcqFormat::get(spec));
    expectSame(makeUniform(bits, false, 32), signs);
    expectSame(makeUniform(bits, false, 32, ScaleType::BF16), signs);
    expectSame(makeUniform(bits, false, 32, ScaleType::F16, ZeroKind::None),
               signs);
    if (bits > 1)
      expectSame(makeUniform(bits, true, 32), signs);
  }
}

TEST(Conversion, NamesWhatIsNotExact) {
  EXPECT_EQ(getRefusal(makeUniform(4, true, 4), makeUniform(3, true, 4),
                       {1, -8, 3, 7}),
            "the weight in row 0, column 1 is -8.53125000e+00, which s3 [1, 4] "
            "f16 would make -4.26562500e+00");
  const FloatFormat halves = unwrap(FloatFormat::get({ElementType::F16}));
  EXPECT_EQ(getRefusal(makeUniform(8, true, 4, ScaleType::F32), halves,
                       {1, -0.3f, 3, 7}),
            "the weight in row 0, column 0 is 9.88235295e-01, which f16 would "
            "make 9.88281250e-01");
  BcqFormat::Spec spec;
  spec.bits = 4;
  spec.groupCols = 4;
  EXPECT_EQ(getRefusal(makeUniform(4, true, 4), unwrap(BcqFormat::get(spec)),
                       {1, -8, 3, 7}),
            "s4 [1, 4] f16 is a sum of 4 signs and an offset in the same "
            "groups, which bcq4 [1, 4] f16 does not store");
}

} // namespace
