//===- CodebookFormatTest.cpp - Levels of a table with scales -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/CodebookFormat.h"
#include "TestUtils.h"
#include "lowbit/Quantize/Gptq.h"
#include "lowbit/Quantize/Solver.h"
#include <cmath>
#include <limits>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;
constexpr float infinity = std::numeric_limits<float>::infinity();

CodebookFormat makeCodebook(llvm::StringRef name, int64_t groupCols,
                            ScaleStorage scales = ScaleType::F32,
                            int64_t groupRows = 1) {
  return unwrap(CodebookFormat::get(
      {*Codebook::find(name), groupRows, groupCols, std::move(scales)}));
}

ScaleStorage storeBy(CodebookFormat format, bool hasOffset = false) {
  return ScaleStorage(std::make_shared<CodebookFormat>(std::move(format)),
                      hasOffset);
}

Matrix roundTrip(const BlockFormat &format, const Matrix &weights) {
  return decode(format, unwrap(roundToNearest(format, weights, minMax)).matrix);
}

//===----------------------------------------------------------------------===//
// Formats
//===----------------------------------------------------------------------===//

TEST(CodebookFormat, TheGreatestMagnitudeIsExact) {
  Matrix weights = Random(1).matrix(7, 130, 0.02f);
  CodebookFormat format = makeCodebook("nf4", 64);
  Matrix decoded = roundTrip(format, weights);
  for (int64_t row = 0; row < 7; ++row)
    for (int64_t begin = 0; begin < 130; begin += 64) {
      int64_t greatest = begin;
      for (int64_t col = begin; col < std::min<int64_t>(begin + 64, 130); ++col)
        if (std::fabs(weights(row, col)) > std::fabs(weights(row, greatest)))
          greatest = col;
      EXPECT_EQ(decoded(row, greatest), weights(row, greatest));
    }
}

TEST(CodebookFormat, StoresCodesAndScales) {
  CodebookFormat format = makeCodebook("nf4", 2, ScaleType::F16);
  Matrix weights(1, 3);
  weights.values = {-2, 1, 0.5};
  QuantizedMatrix matrix =
      unwrap(roundToNearest(format, weights, minMax)).matrix;
  // 0.5 is nearest to 0.44.
  EXPECT_EQ(matrix.getComponent("codes")->bytes,
            (std::vector<uint8_t>{0xC0, 0x0F}));
  EXPECT_EQ(matrix.getComponent("scales")->bytes,
            (std::vector<uint8_t>{0x00, 0x40, 0x00, 0x38}));
  EXPECT_EQ(format.describe(), "nf4 [1, 2] f16");
}

TEST(CodebookFormat, Microscaling) {
  // floor(log2(7)) - 2 = 0: 7 is clipped to 6.
  CodebookFormat format = makeCodebook("e2m1", 4, ScaleType::F8E8M0FNU);
  Matrix weights(2, 4);
  weights.values = {7, -3, 0.5, 0.3f, 0.75, 0.125, -0.25, 0};
  QuantizedMatrix matrix =
      unwrap(roundToNearest(format, weights, minMax)).matrix;
  EXPECT_EQ(matrix.getComponent("scales")->bytes,
            (std::vector<uint8_t>{127, 127 - 3}));
  EXPECT_EQ(decode(format, matrix).values,
            (std::vector<float>{6, -3, 0.5, 0.5, 0.75, 0.125, -0.25, 0}));
  EXPECT_EQ(matrix.getBitsPerWeight(), 4 + 8. / 4);
}

TEST(CodebookFormat, ScalesOfPowersOfTwoAtTheirEnds) {
  CodebookFormat format = makeCodebook("e4m3", 1, ScaleType::F8E8M0FNU);
  Matrix weights(1, 4);
  weights.values = {0, 1e-45f, 0x1.fp127f, 0x1p-120f};
  QuantizedMatrix matrix =
      unwrap(roundToNearest(format, weights, minMax)).matrix;
  EXPECT_EQ(matrix.getComponent("scales")->bytes,
            (std::vector<uint8_t>{0, 0, 254 - 8, 0}));
  Matrix decoded = decode(format, matrix);
  EXPECT_EQ(decoded(0, 0), 0);
  EXPECT_EQ(decoded(0, 1), 0);
  EXPECT_EQ(decoded(0, 2), 0x1.cp127f);
  EXPECT_EQ(decoded(0, 3), 0x1p-120f);
}

TEST(CodebookFormat, GroupsOfZerosStayZero) {
  for (ScaleStorage scales :
       {ScaleStorage(ScaleType::F16), ScaleStorage(ScaleType::F8E8M0FNU),
        ScaleStorage(ScaleType::F8E4M3FN),
        storeBy(makeCodebook("e4m3", 0, ScaleType::F32, 0)),
        storeBy(makeCodebook("dynamic8", 2), true)}) {
    CodebookFormat format = makeCodebook("nf4", 4, scales);
    Matrix weights(2, 8);
    weights(0, 1) = 0.5f;
    weights(1, 7) = -0.25f;
    Matrix decoded = roundTrip(format, weights);
    for (int64_t col = 4; col < 8; ++col)
      EXPECT_EQ(decoded(0, col), 0) << format.describe();
    for (int64_t col = 0; col < 4; ++col)
      EXPECT_EQ(decoded(1, col), 0) << format.describe();
    EXPECT_EQ(roundTrip(format, Matrix(2, 8)).values, Matrix(2, 8).values);
  }
}

TEST(CodebookFormat, HugeAndSubnormalValues) {
  for (float size : {1e38f, 1e-38f, 1e-41f, 1e-44f}) {
    Matrix weights(1, 4);
    weights.values = {size, -size, 0, size / 2};
    Matrix decoded = roundTrip(makeCodebook("nf4", 4), weights);
    EXPECT_EQ(decoded(0, 0), size);
    EXPECT_EQ(decoded(0, 1), -size);
    EXPECT_EQ(decoded(0, 2), 0);
  }
}

TEST(CodebookFormat, RefusesWhatItCannotHold) {
  Matrix weights(2, 2);
  weights(1, 0) = infinity;
  EXPECT_EQ(
      getMessage(roundToNearest(makeCodebook("nf4", 2), weights, minMax)),
      "the weight in row 1, column 0 is infinite; only finite weights can "
      "be quantized");
  weights(1, 0) = std::nanf("");
  EXPECT_EQ(getMessage(roundToNearest(makeCodebook("nf4", 2), weights, minMax)),
            "the weight in row 1, column 0 is NaN; only finite weights can be "
            "quantized");
  weights(1, 0) = 1e5f;
  EXPECT_EQ(getMessage(roundToNearest(makeCodebook("nf4", 2, ScaleType::F16),
                                      weights, minMax)),
            "the weights need scales up to 100000, but f16 ends at 65504; a "
            "wider scale type is needed");
  weights(0, 0) = 1e6f;
  CodebookFormat nested = makeCodebook("e4m3", 0, ScaleType::F8E4M3FN);
  EXPECT_EQ(
      getMessage(roundToNearest(makeCodebook("nf4", 2, storeBy(nested)),
                                weights, minMax)),
      "the scales cannot be stored: the weights need scales up to 2232.14, "
      "but f8E4M3FN ends at 448; a wider scale type is needed");
  EXPECT_EQ(getMessage(CodebookFormat::get(
                {*Codebook::find("nf4"), 1, -2, ScaleType::F32})),
            "the group is 1 x -2, but its sizes must be positive, or 0 for the "
            "whole dimension");
}

TEST(CodebookFormat, OwnLevelsNeedNoZero) {
  CodebookFormat format = unwrap(CodebookFormat::get(
      {unwrap(Codebook::get({-1.0f, -0.25f, 0.5f})), 1, 4, ScaleType::F32}));
  Matrix weights(1, 8);
  weights.values = {-4, 0.5, 2, 4, 0, 0, 0, 0};
  EXPECT_EQ(roundTrip(format, weights).values,
            (std::vector<float>{-4, -1, 2, 2, 0, 0, 0, 0}));
  EXPECT_EQ(format.describe(), "3 levels [1, 4] f32");
}

//===----------------------------------------------------------------------===//
// Scales in a format
//===----------------------------------------------------------------------===//

TEST(ScaleStorage, CodesFollowTheStoredScales) {
  // nvfp4: what is decoded is nearest with the scale as it is stored.
  CodebookFormat format = makeCodebook(
      "e2m1", 16, storeBy(makeCodebook("e4m3", 0, ScaleType::F32, 0)));
  Matrix weights = Random(3).matrix(9, 64);
  QuantizedMatrix matrix =
      unwrap(roundToNearest(format, weights, minMax)).matrix;
  ASSERT_EQ(matrix.components.size(), 3u);
  EXPECT_EQ(matrix.components[1].spec.name, "scales_codes");
  EXPECT_EQ(matrix.components[2].spec.name, "scales_scales");
  EXPECT_EQ(matrix.getBitsPerWeight(), 4 + 8. / 16 + 32. / (9 * 64));
  Matrix scales(9, 4), decoded = decode(format, matrix);
  llvm::SmallVector<llvm::ArrayRef<uint8_t>, 3> bytes = matrix.getBytes();
  llvm::cantFail(format.getSpec().scales.decode(
      llvm::ArrayRef(bytes).drop_front(), scales.view()));
  for (int64_t row = 0; row < 9; ++row)
    for (int64_t col = 0; col < 64; ++col)
      for (float level : format.getSpec().codebook.getLevels())
        EXPECT_LE(std::fabs(decoded(row, col) - weights(row, col)),
                  std::fabs(level * scales(row, col / 16) - weights(row, col)) *
                      (1 + 1e-5f));
}

TEST(ScaleStorage, DoubleQuantization) {
  // 4 rows of 64 scales share one.
  CodebookFormat nested = makeCodebook("dynamic8", 64, ScaleType::F32, 4);
  CodebookFormat format = makeCodebook("nf4", 64, storeBy(nested, true));
  Matrix weights = Random(4).matrix(8, 4096, 0.02f);
  SolverResult result = unwrap(roundToNearest(format, weights, minMax));
  SolverResult plain =
      unwrap(roundToNearest(makeCodebook("nf4", 64), weights, minMax));
  EXPECT_EQ(result.matrix.components[3].spec.name, "scales_offset");
  EXPECT_NEAR(result.matrix.getBitsPerWeight(), 4.126953125, 1e-2);
  // The codes are those of unrounded scales.
  EXPECT_EQ(result.matrix.components[0].bytes,
            plain.matrix.components[0].bytes);
  Matrix decoded = decode(format, result.matrix),
         expected = decode(makeCodebook("nf4", 64), plain.matrix);
  for (size_t i = 0; i < decoded.values.size(); ++i)
    EXPECT_NEAR(decoded.values[i], expected.values[i], 1e-3f);
}

TEST(ScaleStorage, GroupsThatOneFitSeesAreFittedThere) {
  // Sixteen rows of one column: as for SpQR.
  CodebookFormat nested = makeCodebook("dynamic8", 1, ScaleType::F32, 16);
  CodebookFormat format = makeCodebook("nf4", 8, storeBy(nested));
  Matrix weights = Random(6).matrix(40, 24);
  auto encoder = unwrap(format.createEncoder(weights, minMax));
  EXPECT_EQ(encoder->getGroupRows(), 16);
  // Twice the values that the encoder was made for are no harder to code.
  Matrix doubled = weights, decoded(40, 24);
  for (float &value : doubled.values)
    value *= 2;
  for (int64_t group = 0; group < 3; ++group)
    for (int64_t row = 0; row < 40; row += 16) {
      const int64_t rows = std::min<int64_t>(16, 40 - row);
      ConstMatrixView values =
          ConstMatrixView(doubled).block(row, group * 8, rows, 8);
      encoder->fit(row, group, values);
      encoder->encode(row, group * 8, values,
                      decoded.view().block(row, group * 8, rows, 8));
    }
  Matrix single = roundTrip(format, weights);
  for (size_t i = 0; i < decoded.values.size(); ++i)
    EXPECT_FLOAT_EQ(decoded.values[i], 2 * single.values[i]);
  EXPECT_EQ(decode(format, encoder->finish()).values, decoded.values);
}

TEST(ScaleStorage, IntegersStoreScales) {
  UniformFormat::Spec spec;
  spec.bits = 6;
  spec.groupCols = 0;
  spec.scales = ScaleType::F32;
  ScaleStorage scales(
      std::make_shared<UniformFormat>(unwrap(UniformFormat::get(spec))));
  CodebookFormat format = makeCodebook("nf4", 8, scales);
  EXPECT_EQ(format.describe(), "nf4 [1, 8] (u6 [1, *] f32)");
  Matrix weights = Random(8).matrix(3, 64);
  SolverResult result = unwrap(roundToNearest(format, weights, minMax));
  EXPECT_EQ(result.matrix.components.size(), 4u);
  EXPECT_LT(result.weightError, 0.15);
}

//===----------------------------------------------------------------------===//
// Solvers
//===----------------------------------------------------------------------===//

std::vector<CodebookFormat> makeFormats() {
  return {makeCodebook("nf4", 16, ScaleType::F16),
          makeCodebook("fp4", 0, ScaleType::BF16),
          makeCodebook("e4m3", 12, ScaleType::F8E8M0FNU, 3),
          makeCodebook("e2m1", 16,
                       storeBy(makeCodebook("e4m3", 0, ScaleType::F32, 0))),
          makeCodebook("nf4", 16,
                       storeBy(makeCodebook("dynamic8", 1, ScaleType::F32, 5))),
          makeCodebook("nf4", 16,
                       storeBy(makeCodebook("dynamic8", 2, ScaleType::F32, 4),
                               /*hasOffset=*/true))};
}

TEST(CodebookFormat, DoesNotDependOnThreads) {
  Matrix weights = Random(9).matrix(201, 50);
  for (const CodebookFormat &format : makeFormats())
    EXPECT_TRUE(
        isIdentical(unwrap(roundToNearest(format, weights, minMax, 1)).matrix,
                    unwrap(roundToNearest(format, weights, minMax, 5)).matrix))
        << format.describe();
}

TEST(CodebookFormat, IsATargetOfGptq) {
  Matrix weights = Random(10).matrix(33, 48),
         inputs = Random(11).matrix(96, 48);
  for (int64_t row = 0; row < 96; ++row)
    for (int64_t col = 1; col < 48; ++col)
      inputs(row, col) += 0.8f * inputs(row, col - 1);
  HessianAccumulator accumulator(48);
  accumulator.update(inputs, 1);
  const Hessian hessian = std::move(accumulator).finish();
  for (const CodebookFormat &format : makeFormats())
    for (int64_t refinements : {0, 1}) {
      GptqOptions options;
      options.refinements = refinements;
      options.threads = 1;
      GptqFactor factor = unwrap(GptqFactor::compute(hessian, options));
      GptqResult one = unwrap(gptq(format, weights, factor, minMax, options));
      options.threads = 3;
      GptqResult other = unwrap(gptq(format, weights, factor, minMax, options));
      EXPECT_TRUE(isIdentical(one.matrix, other.matrix)) << format.describe();
      // The error of outputs, against that of rounding.
      auto getError = [&](const QuantizedMatrix &matrix) {
        Matrix decoded = decode(format, matrix);
        double error = 0;
        for (int64_t i = 0; i < 96; ++i)
          for (int64_t row = 0; row < 33; ++row) {
            double sum = 0;
            for (int64_t col = 0; col < 48; ++col)
              sum += inputs(i, col) * (weights(row, col) - decoded(row, col));
            error += sum * sum;
          }
        return error;
      };
      EXPECT_LT(
          getError(one.matrix),
          0.9 *
              getError(unwrap(roundToNearest(format, weights, minMax)).matrix))
          << format.describe() << ", " << refinements << " refinements";
    }
}

TEST(CodebookFormat, SearchedScalesAreNeverWorse) {
  Matrix weights = Random(12).matrix(16, 64);
  const MseSearch mse;
  for (const char *name : {"nf4", "e2m1"}) {
    CodebookFormat format = makeCodebook(name, 32);
    auto getError = [&](const RangeSearch &search) {
      return unwrap(roundToNearest(format, weights, search)).weightError;
    };
    EXPECT_LE(getError(mse), getError(minMax) * 1.01);
  }
}

} // namespace
