//===- UniformFormatTest.cpp - Integers with a scale per group ------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "lowbit/Quantize/Solver.h"
#include <cmath>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;

TEST(UniformFormat, RoundsHalvesToEven) {
  UniformFormat format = makeFormat(8, 0, /*symmetric=*/true);
  UniformFormat::Parameters one{1.0f, 0};
  EXPECT_EQ(format.encodeValue(0.5f, one), 0);
  EXPECT_EQ(format.encodeValue(1.5f, one), 2);
  EXPECT_EQ(format.encodeValue(2.5f, one), 2);
  EXPECT_EQ(format.encodeValue(-0.5f, one), 0);
  EXPECT_EQ(format.encodeValue(-1.5f, one), -2);
  // The encoder's own loop does the same: codes of a scale of exactly 1.
  Matrix weights(1, 6);
  weights.values = {127.5f, -127.5f, 0.5f, 1.5f, 2.5f, -2.5f};
  Matrix decoded =
      decode(format, unwrap(roundToNearest(format, weights, minMax)).matrix);
  EXPECT_EQ(decoded.values, (std::vector<float>{127, -128, 0, 2, 2, -2}));
}

TEST(UniformFormat, AsymmetricGrid) {
  UniformFormat format = makeFormat(4, 0);
  UniformFormat::Parameters parameters = format.getParameters({-0.5f, 1.0f});
  EXPECT_EQ(parameters.scale, 1.5f / 15);
  EXPECT_EQ(parameters.zero, 5);
  EXPECT_EQ(format.encodeValue(-0.5f, parameters), 0);
  EXPECT_EQ(format.encodeValue(1.0f, parameters), 15);
  EXPECT_EQ(format.encodeValue(7.0f, parameters), 15);
  EXPECT_EQ(format.encodeValue(-7.0f, parameters), 0);
}

TEST(UniformFormat, SymmetricGridUsesAllCodes) {
  UniformFormat format = makeFormat(4, 0, /*symmetric=*/true);
  UniformFormat::Parameters parameters = format.getParameters({-1.5f, 0.2f});
  EXPECT_EQ(parameters.scale, 3.0f / 15);
  EXPECT_EQ(parameters.zero, 0);
  EXPECT_EQ(format.encodeValue(-9.0f, parameters), -8);
  EXPECT_EQ(format.encodeValue(9.0f, parameters), 7);
}

TEST(UniformFormat, NarrowRange) {
  UniformFormat::Spec spec;
  spec.isSigned = true;
  spec.zero = ZeroKind::None;
  spec.narrowRange = true;
  UniformFormat format = unwrap(UniformFormat::get(spec));
  UniformFormat::Parameters parameters = format.getParameters({-0.7f, 0.3f});
  EXPECT_EQ(parameters.scale, roundToType(ElementType::F16, 0.1f));
  EXPECT_EQ(format.encodeValue(-9.0f, parameters), -7);
  EXPECT_EQ(format.encodeValue(9.0f, parameters), 7);
}

TEST(UniformFormat, UnsignedWithoutZeroPointClipsNegativeValues) {
  UniformFormat::Spec spec;
  spec.zero = ZeroKind::None;
  spec.groupCols = 0;
  UniformFormat format = unwrap(UniformFormat::get(spec));
  UniformFormat::Parameters parameters = format.getParameters({-5.0f, 15.0f});
  EXPECT_EQ(parameters.scale, 1.0f);
  EXPECT_EQ(format.encodeValue(-3.0f, parameters), 0);
  EXPECT_EQ(format.encodeValue(4.2f, parameters), 4);
}

TEST(UniformFormat, SignedZeroPoints) {
  UniformFormat::Spec spec;
  spec.isSigned = true;
  spec.groupCols = 8;
  spec.scales = ScaleType::F32;
  UniformFormat isSigned = unwrap(UniformFormat::get(spec));
  spec.isSigned = false;
  UniformFormat isUnsigned = unwrap(UniformFormat::get(spec));
  // The same numbers with all codes shifted by 8.
  Matrix weights = Random(1).matrix(3, 20);
  QuantizedMatrix a = unwrap(roundToNearest(isSigned, weights, minMax)).matrix;
  QuantizedMatrix b =
      unwrap(roundToNearest(isUnsigned, weights, minMax)).matrix;
  EXPECT_EQ(decode(isSigned, a).values, decode(isUnsigned, b).values);
  EXPECT_NE(a.components[0].bytes, b.components[0].bytes);
}

UniformFormat makeFloatZeroFormat(unsigned bits, bool isSigned,
                                  ZeroKind zero = ZeroKind::F16) {
  UniformFormat::Spec spec;
  spec.bits = bits;
  spec.isSigned = isSigned;
  spec.zero = zero;
  spec.groupCols = 2;
  return unwrap(UniformFormat::get(spec));
}

TEST(UniformFormat, FloatZeroPoints) {
  UniformFormat format = makeFloatZeroFormat(4, false);
  // The range need not contain 0.
  UniformFormat::Parameters parameters = format.getParameters({1.0f, 2.5f});
  EXPECT_EQ(parameters.scale, roundToType(ElementType::F16, 0.1f));
  EXPECT_EQ(parameters.zero,
            roundToType(ElementType::F16, -1 / parameters.scale));
  parameters = {1.0f, 0.25f};
  EXPECT_EQ(format.encodeValue(0.25f, parameters), 0);
  EXPECT_EQ(format.encodeValue(1.25f, parameters), 2);
  EXPECT_EQ(format.encodeValue(99.0f, parameters), 15);
  EXPECT_EQ(format.encodeValue(-99.0f, parameters), 0);
  EXPECT_EQ(format.decodeValue(2, parameters), 1.75f);
  // Signed codes are the same, shifted.
  UniformFormat::Parameters shifted =
      makeFloatZeroFormat(4, true, ZeroKind::F32).getParameters({1.0f, 2.5f});
  UniformFormat::Parameters same =
      makeFloatZeroFormat(4, false, ZeroKind::F32).getParameters({1.0f, 2.5f});
  EXPECT_EQ(shifted.zero, same.zero - 8);
}

TEST(UniformFormat, FloatZeroPointsKeepTheirFraction) {
  // Without a bound, the zero point would be -1e6 / 15 in f16.
  for (ZeroKind zero : {ZeroKind::F16, ZeroKind::BF16, ZeroKind::F32}) {
    UniformFormat format = makeFloatZeroFormat(4, false, zero);
    for (float value : {1.0f, -1.0f, 1000.0f}) {
      Matrix weights(1, 2);
      weights.values = {value, value * (1 + 1e-6f)};
      Matrix decoded = decode(
          format, unwrap(roundToNearest(format, weights, minMax)).matrix);
      EXPECT_NEAR(decoded(0, 0), value,
                  std::fabs(value) * getRelativePrecision(*getFloatType(zero)) +
                      0x1p-24f);
    }
  }
}

TEST(UniformFormat, StoresFloatZeroPoints) {
  UniformFormat format = makeFloatZeroFormat(2, false);
  EXPECT_EQ(format.describe(), "u2 [1, 2] f16 zero f16");
  Matrix weights(1, 3);
  weights.values = {0.5f, 2.0f, 0.0f};
  QuantizedMatrix matrix =
      unwrap(roundToNearest(format, weights, minMax)).matrix;
  EXPECT_EQ(matrix.getComponent("zeros")->spec.type, ElementType::F16);
  // -1 and 0.
  EXPECT_EQ(matrix.getComponent("zeros")->bytes,
            (std::vector<uint8_t>{0x00, 0xBC, 0x00, 0x00}));
  EXPECT_EQ(matrix.getComponent("codes")->bytes,
            (std::vector<uint8_t>{0b1100}));
  EXPECT_EQ(decode(format, matrix).values, weights.values);
}

TEST(UniformFormat, StoresCodesScalesAndZeros) {
  UniformFormat format = makeFormat(4, 2, false, ScaleType::F16);
  Matrix weights(1, 3);
  // Scales 1 and 0.5, zeros 5 and 15.
  weights.values = {-5, 10, -7.5};
  QuantizedMatrix matrix =
      unwrap(roundToNearest(format, weights, minMax)).matrix;
  EXPECT_EQ(matrix.getComponent("codes")->bytes,
            (std::vector<uint8_t>{0xF0, 0x00}));
  EXPECT_EQ(matrix.getComponent("scales")->bytes,
            (std::vector<uint8_t>{0x00, 0x3C, 0x00, 0x38}));
  EXPECT_EQ(matrix.getComponent("zeros")->bytes, (std::vector<uint8_t>{0xF5}));
  EXPECT_EQ(matrix.getBitsPerWeight(), 8.0 * 7 / 3);
  EXPECT_EQ(matrix.getComponent("codebook"), nullptr);
}

TEST(UniformFormat, CodesFollowTheRoundedScale) {
  // With a bf16 scale of 8 bits the difference is more than a code.
  UniformFormat format = makeFormat(8, 0, false, ScaleType::BF16);
  Matrix weights(1, 2);
  weights.values = {0.0f, 1.003f * 255};
  Matrix decoded =
      decode(format, unwrap(roundToNearest(format, weights, minMax)).matrix);
  const float scale = format.getParameters({0.0f, 1.003f * 255}).scale;
  EXPECT_EQ(scale, roundToType(ElementType::BF16, 1.003f));
  EXPECT_EQ(decoded(0, 1),
            std::min(255.0f, std::nearbyint(1.003f * 255 / scale)) * scale);
}

TEST(UniformFormat, GroupsLargerThanTheMatrix) {
  UniformFormat format = makeFormat(4, 128);
  EXPECT_EQ(format.getGroupCols(64), 64);
  EXPECT_EQ(format.getNumColGroups(64), 1);
  EXPECT_EQ(format.getNumColGroups(172), 2);
}

TEST(UniformFormat, Describes) {
  EXPECT_EQ(makeFormat(4, 64, false, ScaleType::F16).describe(),
            "u4 [1, 64] f16");
  EXPECT_EQ(makeFormat(3, 0, true).describe(), "s3 [1, *] f32");
}

TEST(UniformFormat, RejectsBadSpecs) {
  UniformFormat::Spec spec;
  spec.bits = 9;
  EXPECT_EQ(getMessage(UniformFormat::get(spec)),
            "bits is 9, but a uniform format has 1 to 8 bits");
  spec.bits = 0;
  EXPECT_EQ(getMessage(UniformFormat::get(spec)),
            "bits is 0, but a uniform format has 1 to 8 bits");
  spec.bits = 1;
  spec.isSigned = true;
  spec.zero = ZeroKind::None;
  EXPECT_EQ(getMessage(UniformFormat::get(spec)),
            "codes of 1 bit are unsigned: signed ones would be 0 and -1, and "
            "could not hold positive values");
  spec = {};
  spec.bits = 4;
  spec.groupCols = -7;
  EXPECT_EQ(getMessage(UniformFormat::get(spec)),
            "the group is 1 x -7, but its sizes must be positive, or 0 for the "
            "whole dimension");
  spec.groupCols = 64;
  spec.narrowRange = true;
  EXPECT_EQ(getMessage(UniformFormat::get(spec)),
            "a narrow range is only for signed codes without zero points");
}

TEST(UniformFormat, DecodeRejectsComponentsOfTheWrongSize) {
  UniformFormat format = makeFormat(4, 2);
  Matrix decoded(2, 4);
  std::vector<uint8_t> codes(4), scales(16), zeros(1);
  EXPECT_EQ(llvm::toString(format.decode(
                llvm::ArrayRef<llvm::ArrayRef<uint8_t>>{codes, scales, zeros},
                decoded.view())),
            "the component 'zeros' of a 2 x 4 matrix of format u4 [1, 2] f32 "
            "has 1 bytes, but takes 2");
  EXPECT_EQ(
      llvm::toString(format.decode(
          llvm::ArrayRef<llvm::ArrayRef<uint8_t>>{codes}, decoded.view())),
      "a matrix of format u4 [1, 2] f32 has 3 components, but 1 are "
      "given");
}

} // namespace
