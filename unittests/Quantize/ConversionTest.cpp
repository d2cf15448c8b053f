//===- ConversionTest.cpp - Exactly the same values in another format
//------===//
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
#include "lowbit/Quantize/NOfMFormat.h"
#include "lowbit/Quantize/OvpFormat.h"
#include "lowbit/Quantize/Solver.h"
#include "lowbit/Quantize/SparseOutliersFormat.h"
#include "llvm/ADT/STLExtras.h"

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;

UniformFormat makeUniform(unsigned bits, bool isSigned, int64_t groupCols,
                          ScaleStorage scales = ScaleType::F16,
                          ZeroKind zero = ZeroKind::Integer) {
  UniformFormat::Spec spec;
  spec.bits = bits;
  spec.isSigned = isSigned;
  spec.zero = isSigned ? ZeroKind::None : zero;
  spec.groupCols = groupCols;
  spec.scales = std::move(scales);
  return unwrap(UniformFormat::get(spec));
}

/// Converts random weights, and checks that they decode to the same values.
void expectSame(const BlockFormat &from, const BlockFormat &to,
                int64_t cols = 96, int64_t rows = 6) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    const Matrix weights = Random(seed).matrix(rows, cols, 0.1f);
    const QuantizedMatrix matrix =
        unwrap(roundToNearest(from, weights, minMax)).matrix;
    llvm::Expected<QuantizedMatrix> converted =
        convertExactly(from, rows, cols, matrix.getBytes(), to);
    ASSERT_TRUE(bool(converted))
        << from.describe() << " to " << to.describe() << ": "
        << llvm::toString(converted.takeError());
    EXPECT_EQ(decode(from, matrix).values, decode(to, *converted).values)
        << from.describe() << " to " << to.describe();
    EXPECT_TRUE(isIdentical(
        *converted, unwrap(convertExactly(from, rows, cols, matrix.getBytes(),
                                          to, /*threads=*/1))));
  }
}

/// The same there and back.
void expectSameBothWays(const BlockFormat &one, const BlockFormat &other,
                        int64_t cols = 96, int64_t rows = 6) {
  expectSame(one, other, cols, rows);
  for (unsigned seed = 1; seed <= 5; ++seed) {
    const Matrix weights = Random(seed).matrix(rows, cols, 0.1f);
    const QuantizedMatrix first =
        unwrap(roundToNearest(one, weights, minMax)).matrix;
    const QuantizedMatrix second =
        unwrap(convertExactly(one, rows, cols, first.getBytes(), other));
    llvm::Expected<QuantizedMatrix> third =
        convertExactly(other, rows, cols, second.getBytes(), one);
    ASSERT_TRUE(bool(third)) << other.describe() << " to " << one.describe()
                             << ": " << llvm::toString(third.takeError());
    EXPECT_EQ(decode(one, first).values, decode(one, *third).values);
  }
}

ScaleStorage storeBy(UniformFormat format) {
  return ScaleStorage(std::make_shared<UniformFormat>(std::move(format)));
}

/// Whole numbers with a scale for each group, and the scales as the storage
/// says.
UniformFormat makeSymmetric(unsigned bits, int64_t groupCols,
                            ScaleStorage scales, bool narrow = false) {
  UniformFormat::Spec spec;
  spec.bits = bits;
  spec.isSigned = true;
  spec.zero = ZeroKind::None;
  spec.narrowRange = narrow;
  spec.groupCols = groupCols;
  spec.scales = std::move(scales);
  return unwrap(UniformFormat::get(spec));
}

CodebookFormat makeCodebook(Codebook codebook, int64_t groupCols,
                            ScaleStorage scales) {
  return unwrap(CodebookFormat::get(
      {std::move(codebook), 1, groupCols, std::move(scales)}));
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
    expectSame(makeUniform(3, false, 32, scale),
               makeUniform(4, false, 32, scale));
    expectSame(makeUniform(4, false, 32, scale),
               makeUniform(8, false, 32, scale));
    expectSame(makeUniform(4, true, 32, scale),
               makeUniform(8, true, 32, scale));
    expectSame(makeUniform(4, true, 32, scale),
               makeUniform(4, false, 32, scale));
    expectSame(makeUniform(4, false, 32, scale),
               makeUniform(5, true, 32, scale));
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
  const QuantizedMatrix converted = unwrap(convertExactly(
      from, 2, 32, matrix.getBytes(), makeUniform(4, false, 32)));
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

TEST(Conversion, GgmlBlocks) {
  using enum GgmlType;
  auto ggml = [](GgmlType type) { return GgmlFormat(type); };
  expectSameBothWays(makeSymmetric(4, 32, ScaleType::F16), ggml(Q4_0));
  expectSameBothWays(makeSymmetric(5, 32, ScaleType::F16), ggml(Q5_0));
  expectSameBothWays(ggml(Q8_0), makeSymmetric(8, 32, ScaleType::F16));
  expectSame(makeSymmetric(8, 32, ScaleType::F16), ggml(Q8_0));
  // Scales of either sign.
  for (GgmlType wider : {Q4_1, Q5_0, Q5_1, Q8_0})
    expectSame(ggml(Q4_0), ggml(wider));
  expectSame(ggml(Q4_1), ggml(Q5_1));
  expectSame(ggml(IQ4_NL), makeSymmetric(8, 32, ScaleType::F16));
  expectSame(makeUniform(4, false, 32, ScaleType::F8E8M0FNU), ggml(Q4_1));
  expectSame(makeUniform(5, false, 32, ScaleType::F8E8M0FNU), ggml(Q5_1));
}

TEST(Conversion, GgmlSuperBlocks) {
  using enum GgmlType;
  const FloatFormat floats = unwrap(FloatFormat::get({ElementType::F32}));
  // Floats know nothing of scales.
  for (GgmlType type : {Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_XS})
    expectSameBothWays(GgmlFormat(type), floats, 512, 3);
  expectSame(GgmlFormat(Q4_K), GgmlFormat(Q5_K), 512, 3);
  expectSame(GgmlFormat(Q3_K), GgmlFormat(Q6_K), 512, 3);
  expectSame(GgmlFormat(IQ4_XS), makeSymmetric(8, 32, ScaleType::F32), 512, 3);
}

TEST(Conversion, ScalesInFormats) {
  const UniformFormat bytes =
      makeSymmetric(8, 4, ScaleType::F16, /*narrow=*/true);
  const UniformFormat rows = unwrap(UniformFormat::get([] {
    UniformFormat::Spec spec;
    spec.bits = 3;
    spec.zero = ZeroKind::F16;
    spec.groupRows = 4;
    spec.groupCols = 1;
    return spec;
  }()));
  for (const UniformFormat &scales : {bytes, rows}) {
    expectSameBothWays(makeSymmetric(4, 16, storeBy(scales)),
                       makeSymmetric(4, 16, ScaleType::F32));
    expectSame(makeSymmetric(4, 16, storeBy(scales)),
               makeSymmetric(8, 16, storeBy(scales)));
    expectSame(makeSymmetric(4, 16, storeBy(scales)),
               makeUniform(4, false, 16, storeBy(scales)));
  }
  // What a type of GGML is in other words.
  expectSame(GgmlFormat(GgmlType::Q6_K),
             makeUniform(6, false, 16,
                         storeBy(makeUniform(8, false, 16, ScaleType::F16,
                                             ZeroKind::None))),
             512, 3);
}

TEST(Conversion, FloatZeroPoints) {
  const UniformFormat floats =
      makeUniform(4, false, 32, ScaleType::F16, ZeroKind::F16);
  expectSame(floats, makeUniform(5, false, 32, ScaleType::F16, ZeroKind::F16));
  expectSame(floats, makeUniform(4, false, 16, ScaleType::F32, ZeroKind::F16));
  expectSame(floats, makeUniform(4, false, 32, ScaleType::F32, ZeroKind::F32));
  expectSame(makeUniform(4, false, 32), floats);
}

TEST(Conversion, LevelsOfTables) {
  llvm::SmallVector<float> integers, halves;
  for (int level = -8; level < 8; ++level)
    integers.push_back(static_cast<float>(level));
  const Codebook e2m1 = *Codebook::find("e2m1");
  for (int code = 0; code < 16; ++code)
    if (const float level = e2m1.getLevels()[code]; code == 0 || level != 0)
      halves.push_back(level);
  llvm::sort(halves);
  const auto f16 = ScaleType::F16;
  expectSameBothWays(makeSymmetric(4, 32, f16),
                     makeCodebook(unwrap(Codebook::get(integers)), 32, f16));
  const CodebookFormat own =
      makeCodebook(unwrap(Codebook::get(halves)), 32, f16);
  expectSameBothWays(makeCodebook(e2m1, 32, f16), own);
  expectSame(makeCodebook(e2m1, 32, ScaleType::F8E8M0FNU), own);
  const Codebook nf4 = *Codebook::find("nf4");
  expectSame(makeCodebook(nf4, 32, f16), makeCodebook(nf4, 16, ScaleType::F32));
  expectSame(makeSymmetric(3, 32, ScaleType::F8E8M0FNU, /*narrow=*/true),
             makeCodebook(e2m1, 32, ScaleType::F8E8M0FNU));
}

TEST(Conversion, PairsWithoutOutliers) {
  OvpFormat::Spec spec;
  spec.groupCols = 32;
  expectSameBothWays(makeSymmetric(4, 32, ScaleType::F16, /*narrow=*/true),
                     unwrap(OvpFormat::get(spec)));
}

TEST(Conversion, SignsAsIntegers) {
  BcqFormat::Spec spec;
  spec.bits = 3;
  spec.groupCols = 32;
  spec.hasOffset = true;
  spec.scaleType = ElementType::F32;
  expectSameBothWays(makeUniform(3, false, 32), unwrap(BcqFormat::get(spec)));
  // Odd multiples of half a scale need no offset.
  spec.hasOffset = false;
  const llvm::SmallVector<float> odd = {-7, -5, -3, -1, 1, 3, 5, 7};
  expectSame(makeCodebook(unwrap(Codebook::get(odd)), 32, ScaleType::F16),
             unwrap(BcqFormat::get(spec)));
}

TEST(Conversion, OutliersApart) {
  const UniformFormat dense = makeUniform(4, false, 32);
  const SparseOutliersFormat format = unwrap(SparseOutliersFormat::get(
      {std::make_shared<UniformFormat>(dense), 5, ElementType::F32}));
  expectSame(format, unwrap(FloatFormat::get({ElementType::F32})));
  expectSame(dense, format);
}

TEST(Conversion, NOfM) {
  auto makeSparse = [](UniformFormat values) {
    return unwrap(NOfMFormat::get(
        {{2, 4}, std::make_shared<UniformFormat>(std::move(values))}));
  };
  const UniformFormat dense = makeUniform(4, false, 32);
  expectSameBothWays(makeSparse(dense), makeUniform(4, false, 16));
  expectSame(makeSparse(dense), makeSparse(makeUniform(8, false, 16)));
  EXPECT_EQ(getRefusal(dense, makeSparse(dense), Random(1).matrix(1, 8).values)
                .substr(0, 23),
            "the weight in row 0, co");
}

TEST(Conversion, GroupsOfZeros) {
  const Matrix zeros(2, 256);
  const FloatFormat floats = unwrap(FloatFormat::get({ElementType::F32}));
  const QuantizedMatrix matrix =
      unwrap(roundToNearest(floats, zeros, minMax)).matrix;
  std::vector<std::unique_ptr<BlockFormat>> formats;
  for (const GgmlLayout &layout : getGgmlLayouts())
    formats.push_back(std::make_unique<GgmlFormat>(layout.type));
  for (ZeroKind zero : {ZeroKind::None, ZeroKind::Integer, ZeroKind::F16})
    formats.push_back(std::make_unique<UniformFormat>(
        makeUniform(4, false, 32, ScaleType::F16, zero)));
  formats.push_back(std::make_unique<CodebookFormat>(
      makeCodebook(*Codebook::find("nf4"), 32, ScaleType::F8E8M0FNU)));
  for (const auto &format : formats)
    EXPECT_EQ(decode(*format, unwrap(convertExactly(
                                  floats, 2, 256, matrix.getBytes(), *format)))
                  .values,
              zeros.values)
        << format->describe();
}

TEST(Conversion, NamesWhatIsNotExact) {
  EXPECT_EQ(getRefusal(makeUniform(4, true, 4), makeUniform(3, true, 4),
                       {1, -8, 3, 7}),
            "the weight in row 0, column 0 is 1.06640625e+00, which s3 [1, 4] "
            "f16 would make 0.00000000e+00");
  const FloatFormat halves = unwrap(FloatFormat::get({ElementType::F16}));
  EXPECT_EQ(getRefusal(makeUniform(8, true, 4, ScaleType::F32), halves,
                       {1, -0.3f, 3, 7}),
            "the weight in row 0, column 0 is 9.88235295e-01, which f16 would "
            "make 9.88281250e-01");
  // Offsets are products of scales and zero points, of more bits than an f16.
  EXPECT_EQ(getRefusal(makeUniform(4, false, 32), GgmlFormat(GgmlType::Q4_1),
                       Random(1).matrix(1, 32).values)
                .substr(0, 23),
            "the weight in row 0, co");
  // An outlier is a level, and the others are too many for the same steps.
  std::vector<float> values;
  for (int i = 0; i < 32; ++i)
    values.push_back(i == 5 ? 60.0f : static_cast<float>(i % 7 + 1));
  const OvpFormat pairs = unwrap(OvpFormat::get({}));
  EXPECT_EQ(getRefusal(pairs, makeUniform(4, true, 32), values).substr(0, 23),
            "the weight in row 0, co");
}

} // namespace
