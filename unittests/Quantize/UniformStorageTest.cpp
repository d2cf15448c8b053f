//===- UniformStorageTest.cpp - How uniform scales and zeros are stored ---===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"
#include "lowbit/Quantize/CodebookFormat.h"
#include "lowbit/Quantize/Gptq.h"
#include "lowbit/Quantize/Hqq.h"
#include "lowbit/Quantize/OvpFormat.h"
#include "lowbit/Quantize/Solver.h"
#include "lowbit/Support/Npy.h"
#include <cmath>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;

/// A format of groups of columns.
UniformFormat::Spec makeSpec(unsigned bits, bool isSigned, int64_t groupRows,
                             int64_t groupCols, ScaleStorage scales,
                             ZeroKind zero = ZeroKind::Integer) {
  UniformFormat::Spec spec;
  spec.bits = bits;
  spec.isSigned = isSigned;
  spec.zero = zero;
  spec.groupRows = groupRows;
  spec.groupCols = groupCols;
  spec.scales = std::move(scales);
  return spec;
}

std::shared_ptr<const BlockFormat> share(const UniformFormat::Spec &spec) {
  return std::make_shared<UniformFormat>(unwrap(UniformFormat::get(spec)));
}

/// 3 bits for 16 scales, or zero points, of rows that follow each other.
std::shared_ptr<const BlockFormat> makeSecondLevel() {
  return share(makeSpec(3, false, 16, 1, ScaleType::F16, ZeroKind::F16));
}

UniformFormat withZeros(UniformFormat::Spec spec,
                        std::shared_ptr<const BlockFormat> zeros) {
  spec.zero = ZeroKind::Format;
  spec.zeroFormat = std::move(zeros);
  return unwrap(UniformFormat::get(spec));
}

UniformFormat makeSpqr() {
  return withZeros(makeSpec(3, false, 1, 16, ScaleStorage(makeSecondLevel())),
                   makeSecondLevel());
}

/// Formats that differ in how they store parameters.
std::vector<std::pair<const char *, UniformFormat>> makeFormats() {
  const auto powers = ScaleType::F8E8M0FNU;
  const auto none = ZeroKind::None;
  auto get = [](const UniformFormat::Spec &spec) {
    return unwrap(UniformFormat::get(spec));
  };
  return {
      {"mxint8", get(makeSpec(8, true, 1, 32, powers, none))},
      {"powers", get(makeSpec(4, false, 2, 16, powers))},
      {"powers-float", get(makeSpec(3, false, 1, 16, powers, ZeroKind::F16))},
      {"spqr", makeSpqr()},
      {"integer-zeros",
       get(makeSpec(4, false, 1, 16, ScaleStorage(makeSecondLevel())))},
      {"plain-scales", withZeros(makeSpec(2, false, 1, 8, ScaleType::F16),
                                 share(makeSpec(4, true, 0, 0, ScaleType::F16,
                                                ZeroKind::F32)))},
      {"rows", get(makeSpec(4, true, 1, 8,
                            ScaleStorage(share(makeSpec(8, false, 1, 0,
                                                        ScaleType::F16, none))),
                            none))},
      {"offset",
       get(makeSpec(
           4, true, 1, 8,
           ScaleStorage(share(makeSpec(8, true, 4, 8, ScaleType::F32, none)),
                        /*hasOffset=*/true),
           none))},
  };
}

TEST(UniformStorage, AgreesWithTheReference) {
  for (const auto &[name, format] : makeFormats()) {
    auto read = [&, name = name](llvm::StringRef part) {
      return unwrap(readNpy(std::string(LOWBIT_UNITTEST_SOURCE_DIR) +
                            "/bilevel/" + name + "." + part.str() + ".npy"));
    };
    Tensor weight = read("weight"), values = read("values");
    const int64_t rows = weight.getShape()[0], cols = weight.getShape()[1];
    QuantizedMatrix matrix =
        unwrap(roundToNearest(format,
                              ConstMatrixView(weight.data<float>(), rows, cols),
                              minMax))
            .matrix;
    EXPECT_EQ(decode(format, matrix).values,
              llvm::ArrayRef(values.values<float>()).vec())
        << name;
    for (const Component &component : matrix.components) {
      Tensor expected = read(component.spec.name);
      ASSERT_EQ(static_cast<size_t>(expected.getByteSize()),
                component.bytes.size());
      EXPECT_EQ(
          llvm::ArrayRef(component.bytes),
          llvm::ArrayRef(reinterpret_cast<const uint8_t *>(expected.getBytes()),
                         component.bytes.size()))
          << name << ", " << component.spec.name;
    }
  }
}

TEST(UniformStorage, Describes) {
  EXPECT_EQ(makeSpqr().describe(),
            "u3 [1, 16] (u3 [16, 1] f16 zero f16) zero (u3 [16, 1] f16 zero "
            "f16)");
  EXPECT_EQ(makeFormats().front().second.describe(), "s8 [1, 32] f8E8M0FNU");
}

TEST(UniformStorage, SpqrStores3And5EighthsBits) {
  const Matrix weights = Random(1).matrix(64, 128);
  const QuantizedMatrix matrix =
      unwrap(roundToNearest(makeSpqr(), weights, minMax)).matrix;
  EXPECT_EQ(matrix.getBitsPerWeight(), 3 + 2 * 3. / 16 + 4 * 16. / 256);
}

TEST(UniformStorage, SolversDoNotDependOnThreads) {
  const Matrix weights = Random(2).matrix(70, 64, 0.05f);
  const Matrix inputs = Random(3).matrix(128, 64);
  HessianAccumulator accumulator(64);
  accumulator.update(inputs, 1);
  const Hessian hessian = std::move(accumulator).finish();
  for (const auto &[name, format] : makeFormats()) {
    auto solve = [&, &format = format](unsigned threads) {
      GptqOptions gptqOptions;
      gptqOptions.threads = threads;
      std::vector<SolverResult> results;
      results.push_back(
          unwrap(roundToNearest(format, weights, minMax, threads)));
      const GptqFactor factor =
          unwrap(GptqFactor::compute(hessian, gptqOptions));
      results.push_back(
          unwrap(gptq(format, weights, factor, minMax, gptqOptions)));
      if (format.getSpec().hasZeroPoint()) {
        HqqOptions hqqOptions;
        hqqOptions.threads = threads;
        results.push_back(unwrap(hqq(format, weights, minMax, hqqOptions)));
      }
      return results;
    };
    const std::vector<SolverResult> one = solve(1), several = solve(3);
    for (auto [a, b] : llvm::zip_equal(one, several)) {
      EXPECT_TRUE(isIdentical(a.matrix, b.matrix)) << name;
      // What the solver worked with is what is stored, but for an offset.
      double error = 0, norm = 0;
      const Matrix decoded = decode(format, a.matrix);
      for (size_t i = 0; i < decoded.values.size(); ++i) {
        error += std::pow(double(weights.values[i]) - decoded.values[i], 2);
        norm += std::pow(double(weights.values[i]), 2);
      }
      EXPECT_NEAR(std::sqrt(error / norm), a.weightError,
                  format.getSpec().scales.hasOffset() ? 1e-2 : 1e-6)
          << name;
      EXPECT_LT(a.weightError, 0.5) << name;
    }
  }
}

TEST(UniformStorage, GroupsOfZerosStayZero) {
  for (const auto &[name, format] : makeFormats()) {
    const UniformFormat::Spec &spec = format.getSpec();
    EXPECT_EQ(
        decode(format,
               unwrap(roundToNearest(format, Matrix(20, 64), minMax)).matrix)
            .values,
        Matrix(20, 64).values)
        << name;
    // Zero points that are quantized with others are off.
    if (spec.zeroFormat)
      continue;
    Matrix weights = Random(4).matrix(20, 64);
    for (int64_t row = 0; row < 2; ++row)
      std::fill_n(&weights(row, 0), 64, 0.0f);
    const Matrix decoded =
        decode(format, unwrap(roundToNearest(format, weights, minMax)).matrix);
    for (int64_t col = 0; col < 64; ++col)
      EXPECT_EQ(decoded(0, col), 0) << name;
  }
}

TEST(UniformStorage, PowersOfTwoAtTheirEnds) {
  const UniformFormat format = unwrap(UniformFormat::get(
      makeSpec(8, true, 1, 1, ScaleType::F8E8M0FNU, ZeroKind::None)));
  Matrix weights(1, 4);
  weights.values = {0x1.fp127f, 1, 0x1p-120f, 1e-45f};
  const QuantizedMatrix matrix =
      unwrap(roundToNearest(format, weights, minMax)).matrix;
  EXPECT_EQ(matrix.getComponent("scales")->bytes,
            (std::vector<uint8_t>{254 - 6, 127 - 6, 127 - 126, 0}));
  EXPECT_EQ(decode(format, matrix).values,
            (std::vector<float>{0x1.fp127f, 1, 0x1p-120f, 0}));
}

TEST(UniformStorage, RefusesWhatItCannotHold) {
  auto getError = [](const UniformFormat &format, float value) {
    Matrix weights(2, 16);
    weights(1, 3) = value;
    return getMessage(roundToNearest(format, weights, minMax));
  };
  for (const auto &[name, format] : makeFormats()) {
    EXPECT_EQ(getError(format, std::nanf("")),
              "the weight in row 1, column 3 is NaN; only finite weights can "
              "be quantized");
    EXPECT_EQ(getError(format, INFINITY),
              "the weight in row 1, column 3 is infinite; only finite weights "
              "can be quantized");
  }
  EXPECT_EQ(getError(makeSpqr(), 1e7f),
            "the scales cannot be stored: weights between 0 and 1.42857e+06 "
            "need scales up to 204082, but f16 ends at 65504; a wider scale "
            "type is needed");
  EXPECT_EQ(
      getError(unwrap(UniformFormat::get(makeSpec(
                   4, true, 1, 8, ScaleType::F8E4M3FN, ZeroKind::None))),
               1e4f),
      "weights between 0 and 10000 need scales up to 1333.33, but f8E4M3FN "
      "ends at 448; a wider scale type is needed");
  auto pairs = std::make_shared<OvpFormat>(unwrap(OvpFormat::get({})));
  UniformFormat::Spec spec = makeSpec(4, true, 1, 8, ScaleStorage(pairs));
  EXPECT_EQ(getMessage(UniformFormat::get(spec)),
            "scales are coded one by one, but ovp int4 [1, *] f16 codes 2 "
            "columns together");
  spec.scales = ScaleType::F16;
  spec.zero = ZeroKind::Format;
  spec.zeroFormat = pairs;
  EXPECT_EQ(getMessage(UniformFormat::get(spec)),
            "zeros are coded one by one, but ovp int4 [1, *] f16 codes 2 "
            "columns together");
}

} // namespace
