//===- OvpFormatTest.cpp - Outlier-victim pairs ---------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The files in ovp/ are written by python/lowbit/reference/make_ovp_vectors.py
// from a numpy implementation that shares nothing with this one.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/OvpFormat.h"
#include "TestUtils.h"
#include "lowbit/Quantize/Gptq.h"
#include "lowbit/Quantize/Hqq.h"
#include "lowbit/Quantize/Solver.h"
#include "lowbit/Support/Npy.h"
#include <limits>
#include <set>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;

OvpFormat makeOvp(OvpNormals normals = OvpNormals::Int4,
                  OvpOutliers outliers = OvpOutliers::E2M1,
                  int64_t groupRows = 1, int64_t groupCols = 0,
                  ScaleStorage scales = ScaleType::F32,
                  bool keepsLeft = false) {
  return unwrap(OvpFormat::get(
      {normals, outliers, keepsLeft, groupRows, groupCols, std::move(scales)}));
}

const std::pair<OvpNormals, OvpOutliers> kinds[] = {
    {OvpNormals::Int4, OvpOutliers::E2M1},
    {OvpNormals::Flint4, OvpOutliers::E2M1},
    {OvpNormals::Int8, OvpOutliers::E4M3},
    {OvpNormals::Int8, OvpOutliers::E2M5}};

/// Mostly normal numbers, some far away from the rest.
Matrix makeWeights(uint64_t seed, int64_t rows, int64_t cols, float scale = 1) {
  Matrix weights = Random(seed).matrix(rows, cols, scale);
  Random random(seed + 1000);
  for (float &value : weights.values)
    if (random.uniform() < 0.03f)
      value *= 10;
  return weights;
}

Matrix roundTrip(const OvpFormat &format, const Matrix &weights) {
  return decode(format, unwrap(roundToNearest(format, weights, minMax)).matrix);
}

/// The levels of a row of values in units of the scale.
std::vector<float> getLevels(const OvpFormat &format,
                             std::vector<float> values) {
  const int64_t pairs = values.size() / 2;
  std::vector<float> levels(values.size());
  for (int64_t i = 0; i < pairs; ++i)
    format.roundPairs(1, &values[2 * i], &values[2 * i + 1], &levels[2 * i],
                      &levels[2 * i + 1]);
  return levels;
}

//===----------------------------------------------------------------------===//
// Levels and codes
//===----------------------------------------------------------------------===//

TEST(OvpGrid, Levels) {
  auto getMagnitudes = [](OvpNormals normals, OvpOutliers outliers,
                          bool ofOutliers) {
    const OvpGrid grid(normals, outliers);
    std::set<float> magnitudes;
    for (unsigned code = 0; code < grid.getIdentifier(); ++code)
      if (code != 0 || !ofOutliers)
        magnitudes.insert(
            grid.decode(code, ofOutliers ? grid.getIdentifier() : 0));
    return magnitudes;
  };
  using Set = std::set<float>;
  EXPECT_EQ(getMagnitudes(OvpNormals::Int4, OvpOutliers::E2M1, false),
            (Set{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(getMagnitudes(OvpNormals::Int4, OvpOutliers::E2M1, true),
            (Set{12, 16, 24, 32, 48, 64, 96}));
  EXPECT_EQ(getMagnitudes(OvpNormals::Flint4, OvpOutliers::E2M1, false),
            (Set{0, 1, 2, 3, 4, 6, 8, 16}));
  EXPECT_EQ(getMagnitudes(OvpNormals::Flint4, OvpOutliers::E2M1, true),
            (Set{24, 32, 48, 64, 96, 128, 192}));
  Set paper = getMagnitudes(OvpNormals::Int8, OvpOutliers::E4M3, true);
  EXPECT_EQ(paper.size(), 127u);
  EXPECT_EQ(*paper.begin(), 144);
  EXPECT_EQ(*paper.rbegin(), 15 * 0x1p19f);
  Set code = getMagnitudes(OvpNormals::Int8, OvpOutliers::E2M5, true);
  EXPECT_EQ(code.size(), 127u);
  EXPECT_EQ(*code.begin(), 132);
  EXPECT_EQ(*code.rbegin(), 2016);
}

TEST(OvpGrid, ThePairOfThePaper) {
  const OvpGrid grid(OvpNormals::Int4, OvpOutliers::E2M1);
  EXPECT_EQ(grid.decode(0b1000, 0b1111), 0);
  EXPECT_EQ(grid.decode(0b1111, 0b1000), -96);
}

TEST(OvpGrid, EveryPairThatIsWrittenHasValuesOfItsOwn) {
  for (auto [normals, outliers] : kinds) {
    const OvpGrid grid(normals, outliers);
    const OvpFormat format = makeOvp(normals, outliers);
    const unsigned stop = grid.getIdentifier(), count = 2 * stop;
    std::set<std::pair<float, float>> values;
    size_t pairs = 0;
    for (unsigned left = 0; left < count; ++left)
      for (unsigned right = 0; right < count; ++right) {
        const float l = grid.decode(left, right), r = grid.decode(right, left);
        // Two identifiers, or an outlier of exponent and mantissa 0.
        if ((left == stop && right % stop == 0) ||
            (right == stop && left % stop == 0))
          continue;
        ++pairs;
        values.insert({l, r});
        // And they are coded so again.
        EXPECT_EQ(getLevels(format, {l, r}), (std::vector<float>{l, r}));
        EXPECT_EQ(grid.isOutlier(r) ? stop : grid.encode(l), left);
        EXPECT_EQ(grid.isOutlier(l) ? stop : grid.encode(r), right);
      }
    EXPECT_EQ(values.size(), pairs);
  }
}

TEST(OvpGrid, ValuesTakeTheNearestLevel) {
  for (auto [normals, outliers] : kinds) {
    const OvpGrid grid(normals, outliers);
    std::set<float> levels;
    for (unsigned code = 0; code < grid.getIdentifier(); ++code) {
      levels.insert(grid.decode(code, 0));
      if (code != 0)
        levels.insert(grid.decode(code, grid.getIdentifier()));
    }
    auto check = [&](float value) {
      float nearest = 0;
      for (float level : levels)
        if (std::fabs(level - value) <= std::fabs(nearest - value))
          nearest = level;
      const float rounded = grid.isFlint() ? grid.roundMagnitude<true>(value)
                                           : grid.roundMagnitude<false>(value);
      EXPECT_EQ(rounded, nearest) << value;
    };
    // Levels, the middles between them, and both sides of these.
    for (auto it = levels.begin(); std::next(it) != levels.end(); ++it) {
      const float middle = (*it + *std::next(it)) / 2;
      for (float value : {*it, middle, std::nextafter(middle, 0.0f),
                          std::nextafter(middle, 1e9f)})
        check(value);
    }
    Random random(5);
    for (int i = 0; i < 10000; ++i)
      check(random.uniform() * 4 * grid.getLargestNormal());
    for (float value : {0.0f, 1e-40f, 0.49999997f, *levels.rbegin() * 1.01f})
      check(value);
    EXPECT_EQ(
        grid.roundMagnitude<false>(std::numeric_limits<float>::infinity()),
        grid.getLargestOutlier());
  }
}

TEST(OvpFormat, OutliersTakeTheirNeighbours) {
  const OvpFormat format = makeOvp();
  // 9.5 lies in the middle of 7 and 12.
  EXPECT_EQ(getLevels(format, {7, 9.4f, 9.5f, 7, -3, -100, 0.4f, -11}),
            (std::vector<float>{7, 7, 12, 0, 0, -96, 0, -12}));
  // Of two outliers the larger value, then the left one.
  EXPECT_EQ(getLevels(format, {12, -13, 31, 33, 16, -16}),
            (std::vector<float>{0, -12, 0, 32, 16, 0}));
  const OvpFormat left = makeOvp(OvpNormals::Int4, OvpOutliers::E2M1, 1, 0,
                                 ScaleType::F32, /*keepsLeft=*/true);
  EXPECT_EQ(getLevels(left, {12, -13, 31, 96, 3, -16}),
            (std::vector<float>{12, 0, 32, 0, 0, -16}));
}

TEST(OvpFormat, StoresTheLeftOneOfAPairInTheHighNibble) {
  OvpFormat format = makeOvp();
  auto encoder = unwrap(format.createEncoder(Matrix(1, 7), minMax));
  Matrix fitted(1, 7), values(1, 7), decoded(1, 7);
  // 6 times the candidate 1.17 is nearest to 7.
  fitted.values = {7, 7, 7, 7, 7, 7, 7};
  encoder->fit(0, 0, fitted);
  const float scale = 1.17f;
  values.values = {1 * scale, -2 * scale, 3 * scale, -96 * scale,
                   0,         7 * scale,  12 * scale};
  encoder->encode(0, 0, values, decoded.view());
  QuantizedMatrix matrix = encoder->finish();
  EXPECT_EQ(matrix.getComponent("codes")->bytes,
            (std::vector<uint8_t>{0x1E, 0x8F, 0x07, 0x18}));
  EXPECT_EQ(decode(format, matrix).values, decoded.values);
  EXPECT_EQ(matrix.getBitsPerWeight(), (4 * 8 + 32) / 7.);
}

TEST(OvpFormat, BytesThatNoEncoderWrites) {
  OvpFormat format = makeOvp();
  const std::vector<uint8_t> codes = {0x88, 0x80, 0x08, 0x8F},
                             scale = {0, 0, 0x80, 0x3F};
  Matrix decoded(1, 8);
  llvm::cantFail(format.decode({codes, scale}, decoded.view()));
  EXPECT_EQ(decoded.values, (std::vector<float>{0, 0, 0, 8, 8, 0, 0, -96}));
  EXPECT_EQ(llvm::toString(format.decode({codes}, decoded.view())),
            "a matrix of format ovp int4 [1, *] f32 has 2 components, but 1 "
            "are given");
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

struct VectorCase {
  const char *name;
  OvpFormat format;
};

TEST(OvpFormat, AgreesWithTheReference) {
  auto read = [](llvm::StringRef name, llvm::StringRef kind) {
    return unwrap(readNpy(std::string(LOWBIT_UNITTEST_SOURCE_DIR) + "/ovp/" +
                          name.str() + "." + kind.str() + ".npy"));
  };
  const auto int4 = OvpNormals::Int4, flint4 = OvpNormals::Flint4,
             int8 = OvpNormals::Int8;
  const auto e2m1 = OvpOutliers::E2M1;
  for (const auto &[name, format] : {
           VectorCase{"int4", makeOvp()},
           {"int4-left",
            makeOvp(int4, e2m1, 1, 0, ScaleType::F32, /*keepsLeft=*/true)},
           {"int4-odd-f16", makeOvp(int4, e2m1, 1, 16, ScaleType::F16)},
           {"int4-important", makeOvp()},
           {"flint4", makeOvp(flint4)},
           {"flint4-rows-bf16", makeOvp(flint4, e2m1, 3, 12, ScaleType::BF16)},
           {"int8-e4m3", makeOvp(int8, OvpOutliers::E4M3)},
           {"int8-e2m5-tensor", makeOvp(int8, OvpOutliers::E2M5, 0, 0)},
       }) {
    Tensor weight = read(name, "weight"), importance = read(name, "importance");
    const int64_t rows = weight.getShape()[0], cols = weight.getShape()[1];
    ConstMatrixView weights(weight.data<float>(), rows, cols);
    QuantizedMatrix matrix = unwrap(roundToNearest(format, weights, minMax, 0,
                                                   importance.values<float>()))
                                 .matrix;
    EXPECT_EQ(matrix.getComponent("codes")->bytes,
              llvm::ArrayRef(read(name, "codes").values<uint8_t>()).vec())
        << name;
    Tensor expected = read(name, "scales");
    Matrix scales(format.getNumRowGroups(rows), format.getNumColGroups(cols));
    llvm::SmallVector<llvm::ArrayRef<uint8_t>, 3> bytes = matrix.getBytes();
    llvm::cantFail(format.getSpec().scales.decode(
        llvm::ArrayRef(bytes).drop_front(), scales.view()));
    for (auto [scale, other] :
         llvm::zip_equal(scales.values, expected.values<float>()))
      EXPECT_FLOAT_EQ(scale, other) << name;
  }
}

//===----------------------------------------------------------------------===//
// Properties
//===----------------------------------------------------------------------===//

/// The sum of squared errors of row 0 with a scale.
double getError(const OvpFormat &format, const Matrix &weights, float scale,
                llvm::ArrayRef<float> importance = {}) {
  std::vector<float> normalized(OvpFormat::getPaddedCols(weights.cols));
  for (int64_t col = 0; col < weights.cols; ++col)
    normalized[col] = weights(0, col) / scale;
  const std::vector<float> levels = getLevels(format, normalized);
  double error = 0;
  for (int64_t col = 0; col < weights.cols; ++col)
    error +=
        std::pow(static_cast<double>(scale) * levels[col] - weights(0, col),
                 2) *
        (importance.empty() ? 1 : importance[col]);
  return error;
}

TEST(OvpFormat, NoOtherCandidateIsBetter) {
  for (auto [normals, outliers] : kinds)
    for (bool isWeighted : {false, true}) {
      const OvpFormat format = makeOvp(normals, outliers);
      const Matrix weights = makeWeights(3, 1, 101, 0.02f);
      std::vector<float> importance(101, 1);
      Random random(4);
      for (float &value : importance)
        value = isWeighted ? random.uniform() : 1;
      Matrix decoded = decode(
          format, unwrap(roundToNearest(format, weights, minMax, 1, importance))
                      .matrix);
      double error = 0, mean = 0, squares = 0;
      for (int64_t col = 0; col < 101; ++col) {
        error +=
            std::pow(decoded(0, col) - weights(0, col), 2) * importance[col];
        mean += weights(0, col) / 101;
      }
      for (float value : weights.values)
        squares += std::pow(value - mean, 2);
      const double base = (std::fabs(mean) + 3 * std::sqrt(squares / 100)) /
                          format.getGrid().getLargestNormal();
      for (int i = 75; i < 150; i += 2)
        EXPECT_LE(error,
                  getError(format, weights, static_cast<float>(base * i / 100),
                           importance) *
                      (1 + 1e-5));
    }
}

TEST(OvpFormat, OutliersBeatClipping) {
  // What the format is for: the same bits without outliers are worse.
  const Matrix weights = makeWeights(6, 16, 256);
  UniformFormat uniform = makeFormat(4, 256, /*symmetric=*/true);
  const double clipped =
      unwrap(roundToNearest(uniform, weights, MseSearch())).weightError;
  for (auto [normals, outliers] : kinds)
    EXPECT_LT(
        unwrap(roundToNearest(makeOvp(normals, outliers), weights, minMax))
            .weightError,
        0.8 * clipped);
}

TEST(OvpFormat, SignsAndScalesGoThrough) {
  for (auto [normals, outliers] : kinds) {
    const OvpFormat format = makeOvp(normals, outliers, 1, 32);
    const Matrix weights = makeWeights(7, 9, 75);
    Matrix negative = weights, large = weights;
    for (float &value : negative.values)
      value = -value;
    for (float &value : large.values)
      value *= 8;
    const Matrix decoded = roundTrip(format, weights);
    const Matrix mirrored = roundTrip(format, negative);
    const Matrix scaled = roundTrip(format, large);
    for (size_t i = 0; i < decoded.values.size(); ++i) {
      EXPECT_EQ(mirrored.values[i], -decoded.values[i]);
      EXPECT_EQ(scaled.values[i], 8 * decoded.values[i]);
    }
  }
}

TEST(OvpFormat, DoesNotDependOnThreads) {
  const Matrix weights = makeWeights(8, 203, 51);
  auto nested =
      std::make_shared<UniformFormat>(makeFormat(8, 0, /*symmetric=*/false));
  for (const OvpFormat &format :
       {makeOvp(), makeOvp(OvpNormals::Flint4, OvpOutliers::E2M1, 3, 16),
        makeOvp(OvpNormals::Int8, OvpOutliers::E4M3, 0, 0),
        makeOvp(OvpNormals::Int4, OvpOutliers::E2M1, 1, 16,
                ScaleStorage(nested))}) {
    SolverResult one = unwrap(roundToNearest(format, weights, minMax, 1));
    for (unsigned threads : {2u, 5u})
      EXPECT_TRUE(isIdentical(
          one.matrix,
          unwrap(roundToNearest(format, weights, minMax, threads)).matrix))
          << format.describe();
    // The error is that of what is stored.
    const Matrix decoded = decode(format, one.matrix);
    double error = 0, norm = 0;
    for (size_t i = 0; i < weights.values.size(); ++i) {
      error += std::pow(weights.values[i] - decoded.values[i], 2.0);
      norm += std::pow(weights.values[i], 2.0);
    }
    EXPECT_NEAR(one.weightError, std::sqrt(error / norm), 1e-6);
  }
}

TEST(OvpFormat, ScalesInAFormat) {
  auto nested = std::make_shared<UniformFormat>(makeFormat(8, 0));
  const OvpFormat format =
      makeOvp(OvpNormals::Int4, OvpOutliers::E2M1, 1, 16, ScaleStorage(nested));
  EXPECT_EQ(format.describe(), "ovp int4 [1, 16] (u8 [1, *] f32)");
  const Matrix weights = makeWeights(9, 4, 512);
  EXPECT_LT(unwrap(roundToNearest(format, weights, minMax)).weightError,
            1.05 * unwrap(roundToNearest(makeOvp(OvpNormals::Int4,
                                                 OvpOutliers::E2M1, 1, 16),
                                         weights, minMax))
                       .weightError);
}

//===----------------------------------------------------------------------===//
// Ends
//===----------------------------------------------------------------------===//

TEST(OvpFormat, ZerosStayZero) {
  for (auto [normals, outliers] : kinds)
    for (ScaleType type : {ScaleType::F32, ScaleType::F16, ScaleType::BF16,
                           ScaleType::F8E8M0FNU, ScaleType::F8E4M3FN}) {
      Matrix weights(3, 9);
      weights(1, 4) = 1;
      const OvpFormat format = makeOvp(normals, outliers, 1, 0, type);
      const Matrix decoded = roundTrip(format, weights);
      for (size_t i = 0; i < 27; ++i)
        EXPECT_EQ(decoded.values[i] != 0, i == 13) << format.describe();
    }
}

TEST(OvpFormat, HugeAndTinyValues) {
  for (float size : {3e38f, 1e-38f, 1e-41f, 1e-44f})
    for (auto [normals, outliers] : kinds) {
      Matrix weights(1, 4);
      weights.values = {size, -size, 0, size / 2};
      const Matrix decoded = roundTrip(makeOvp(normals, outliers), weights);
      for (int64_t col = 0; col < 4; ++col) {
        EXPECT_TRUE(std::isfinite(decoded(0, col)));
        EXPECT_LE(std::fabs(decoded(0, col) - weights(0, col)), 0.5f * size);
      }
    }
}

TEST(OvpFormat, OneValue) {
  Matrix weights(1, 1);
  weights(0, 0) = -2;
  // There is no deviation: the scale is near 2 / 7.
  EXPECT_NEAR(roundTrip(makeOvp(), weights)(0, 0), -2, 0.03);
}

TEST(OvpFormat, RefusesWhatItCannotHold) {
  auto getError = [](OvpFormat::Spec spec) {
    return getMessage(OvpFormat::get(spec));
  };
  OvpFormat::Spec spec;
  spec.groupCols = 7;
  EXPECT_EQ(getError(spec),
            "groups of 7 columns cut outlier-victim pairs; an even number, or "
            "whole rows, does not");
  spec.groupCols = -2;
  EXPECT_EQ(getError(spec),
            "the group is 1 x -2, but its sizes must be positive, or 0 for the "
            "whole dimension");
  spec.groupCols = 0;
  spec.outliers = OvpOutliers::E4M3;
  EXPECT_EQ(getError(spec), "the outliers of int4 are e2m1, not e4m3");
  spec.normals = OvpNormals::Int8;
  spec.outliers = OvpOutliers::E2M1;
  EXPECT_EQ(getError(spec), "the outliers of int8 are e4m3 or e2m5, not e2m1");
  spec.outliers = OvpOutliers::E2M5;
  spec.scales = ScaleStorage(std::make_shared<OvpFormat>(makeOvp()));
  EXPECT_EQ(getError(spec), "scales are coded one by one, but ovp int4 [1, *] "
                            "f32 codes 2 columns together");

  Matrix weights(2, 2);
  weights(1, 1) = std::nanf("");
  EXPECT_EQ(getMessage(roundToNearest(makeOvp(), weights, minMax)),
            "the weight in row 1, column 1 is NaN; only finite weights can be "
            "quantized");
  weights(1, 1) = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(getMessage(roundToNearest(makeOvp(), weights, minMax)),
            "the weight in row 1, column 1 is infinite; only finite weights "
            "can be quantized");
  weights(1, 0) = weights(1, 1) = 7e5f;
  EXPECT_EQ(
      getMessage(roundToNearest(
          makeOvp(OvpNormals::Int4, OvpOutliers::E2M1, 1, 0, ScaleType::F16),
          weights, minMax)),
      "the weights need scales up to 100000, but f16 ends at 65504; a "
      "wider scale type is needed");
}

TEST(OvpFormat, SolversOfSingleColumnsRefuseIt) {
  const Matrix weights = Random(10).matrix(4, 8);
  HessianAccumulator accumulator(8);
  accumulator.update(Random(11).matrix(16, 8), 1);
  GptqFactor factor =
      unwrap(GptqFactor::compute(std::move(accumulator).finish(), {}));
  EXPECT_EQ(getMessage(gptq(makeOvp(), weights, factor, minMax, {})),
            "GPTQ codes one column after the other, but the format ovp int4 "
            "[1, *] f32 codes 2 together");
  EXPECT_EQ(getMessage(hqq(makeOvp(), weights, minMax, {})),
            "HQQ chooses the zero points of groups, which the format ovp int4 "
            "[1, *] f32 does not have");
}

TEST(OvpFormat, Describes) {
  EXPECT_EQ(makeOvp().describe(), "ovp int4 [1, *] f32");
  EXPECT_EQ(makeOvp(OvpNormals::Int8, OvpOutliers::E4M3, 0, 64, ScaleType::BF16,
                    /*keepsLeft=*/true)
                .describe(),
            "ovp int8 e4m3 [*, 64] bf16 keep left");
}

} // namespace
