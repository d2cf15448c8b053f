//===- GgmlFormatTest.cpp - The block types of GGML -----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The files in ggml/ are written by
// python/lowbit/reference/make_ggml_vectors.py with ggml's own quantizer.
// Everything must agree bit for bit.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/GgmlFormat.h"
#include "TestUtils.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "lowbit/Quantize/Gptq.h"
#include "lowbit/Support/Npy.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <cstring>
#include <limits>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;

class GgmlTypes : public ::testing::TestWithParam<GgmlType> {
protected:
  GgmlTypes() : format(GetParam()), layout(format.getLayout()) {}

  Tensor read(const llvm::Twine &name) {
    return unwrap(readNpy(
        (std::string(LOWBIT_UNITTEST_SOURCE_DIR) + "/ggml/" + name + ".npy")
            .str()));
  }
  std::vector<uint8_t> readBytes(llvm::StringRef kind) {
    Tensor tensor = read(layout.name + "." + kind);
    return llvm::ArrayRef(tensor.values<uint8_t>()).vec();
  }
  /// Random values, and some zeros.
  Matrix draw(int64_t rows, int64_t cols) {
    Matrix weights = Random(7).matrix(rows, cols);
    for (int64_t col = 0; col < 40; ++col)
      weights(rows / 2, col) = 0;
    return weights;
  }

  GgmlFormat format;
  const GgmlLayout &layout;
};

std::vector<uint8_t> getBlocks(const SolverResult &result) {
  return result.matrix.components.front().bytes;
}

TEST_P(GgmlTypes, BytesAreThoseOfGgml) {
  Tensor weight = read("weight"), importance = read("importance");
  const int64_t rows = weight.getShape()[0], cols = weight.getShape()[1];
  ConstMatrixView weights(weight.data<float>(), rows, cols);
  EXPECT_EQ(getBlocks(unwrap(roundToNearest(format, weights, minMax))),
            readBytes("blocks"));
  EXPECT_EQ(getBlocks(unwrap(roundToNearest(format, weights, minMax,
                                            /*threads=*/3,
                                            importance.values<float>()))),
            readBytes("important"));
}

TEST_P(GgmlTypes, ValuesAreThoseOfGgml) {
  Tensor expected = read(layout.name + ".values");
  Matrix decoded(expected.getShape()[0], expected.getShape()[1]);
  std::vector<uint8_t> bytes = readBytes("blocks");
  llvm::Error error = format.decode({bytes}, decoded.view());
  ASSERT_FALSE(static_cast<bool>(error));
  EXPECT_EQ(std::memcmp(decoded.values.data(), expected.data<float>(),
                        decoded.values.size() * sizeof(float)),
            0);
}

// Tiles of rows, threads and strides must not show in the bytes.
TEST_P(GgmlTypes, RowsAreIndependent) {
  const int64_t rows = 150, cols = 512;
  Matrix weights = draw(rows, cols);
  std::vector<float> importance(cols);
  for (int64_t col = 0; col < cols; ++col)
    importance[col] = 1.0f / static_cast<float>(1 + col % 29);
  SolverResult one = unwrap(
      roundToNearest(format, weights, minMax, /*threads=*/1, importance));
  SolverResult many = unwrap(
      roundToNearest(format, weights, minMax, /*threads=*/5, importance));
  EXPECT_TRUE(isIdentical(one.matrix, many.matrix));
  SolverResult last = unwrap(roundToNearest(
      format, ConstMatrixView(weights).block(rows - 1, 0, 1, cols), minMax,
      /*threads=*/1, importance));
  std::vector<uint8_t> all = getBlocks(one), own = getBlocks(last);
  EXPECT_TRUE(std::equal(own.rbegin(), own.rend(), all.rbegin()));
}

// Nothing is left to make up for: columns that are coded one by one, fitted
// before or in between, get the codes of whole blocks.
TEST_P(GgmlTypes, GptqWithoutCorrelationRoundsToNearest) {
  const int64_t rows = 5, cols = 512;
  Matrix weights = draw(rows, cols);
  SolverResult rounded = unwrap(roundToNearest(format, weights, minMax));
  Hessian identity{cols, std::vector<float>(cols * cols)};
  for (int64_t i = 0; i < cols; ++i)
    identity.values[i * (cols + 1)] = 1;
  for (bool staticGroups : {false, true}) {
    GptqOptions options;
    options.staticGroups = staticGroups;
    GptqFactor factor = unwrap(GptqFactor::compute(identity, options));
    GptqResult result = unwrap(gptq(format, weights, factor, minMax, options));
    EXPECT_TRUE(isIdentical(result.matrix, rounded.matrix));
  }
}

TEST_P(GgmlTypes, RefinementsLowerTheLoss) {
  const int64_t rows = 6, cols = 256, tokens = 300;
  Matrix weights = draw(rows, cols);
  Random random(3);
  Matrix inputs = random.matrix(tokens, cols);
  for (int64_t token = 0; token < tokens; ++token)
    for (int64_t col = 1; col < cols; ++col)
      inputs(token, col) += 0.7f * inputs(token, col - 1);
  auto solve = [&](int64_t refinements) {
    HessianAccumulator accumulator(cols);
    accumulator.update(inputs, 1);
    GptqOptions options;
    options.refinements = refinements;
    GptqFactor factor =
        unwrap(GptqFactor::compute(std::move(accumulator).finish(), options));
    GptqResult result = unwrap(gptq(format, weights, factor, minMax, options));
    // What the encoder said that codes decode to is what they decode to.
    Matrix decoded = decode(format, result.matrix);
    double error = 0, norm = 0;
    for (size_t i = 0; i < weights.values.size(); ++i) {
      error += std::pow(weights.values[i] - decoded.values[i], 2);
      norm += std::pow(weights.values[i], 2);
    }
    EXPECT_NEAR(result.weightError, std::sqrt(error / norm), 1e-6);
    return result.loss;
  };
  EXPECT_LT(solve(2), solve(0));
}

TEST_P(GgmlTypes, ZerosDecodeToZero) {
  Matrix weights(5, 256);
  std::vector<float> ones(256, 1.0f);
  for (llvm::ArrayRef<float> importance : {llvm::ArrayRef<float>(), {ones}}) {
    SolverResult result = unwrap(
        roundToNearest(format, weights, minMax, /*threads=*/1, importance));
    EXPECT_EQ(decode(format, result.matrix).values, weights.values);
  }
}

// What solvers hand to `encode` may be far from what was fitted.
TEST_P(GgmlTypes, CodesAreClamped) {
  Matrix weights = draw(1, 256);
  auto encoder = unwrap(format.createEncoder(weights, minMax));
  const int64_t cols = layout.blockCols;
  for (int64_t block = 0; block < 256 / cols; ++block)
    encoder->fit(0, block,
                 ConstMatrixView(weights).block(0, block * cols, 1, cols));
  const float infinity = std::numeric_limits<float>::infinity();
  for (int64_t col = 0; col < 256; ++col) {
    const float values[] = {1e30f, -1e30f, infinity, -infinity, std::nanf("")};
    float decoded;
    encoder->encode(0, col, ConstMatrixView(&values[col % 5], 1, 1),
                    MatrixView(&decoded, 1, 1));
    EXPECT_LT(std::fabs(decoded), 10) << "column " << col;
  }
  Matrix decoded = decode(format, encoder->finish());
  for (float value : decoded.values)
    EXPECT_LT(std::fabs(value), 10);
}

TEST_P(GgmlTypes, RescalingByPowersOfTwoIsExact) {
  Matrix weights = draw(2, 256);
  auto encoder = unwrap(format.createEncoder(weights, minMax));
  Matrix decoded(2, 256), scaled(2, 256);
  const int64_t cols = layout.blockCols;
  for (int64_t block = 0; block < 256 / cols; ++block) {
    const int64_t first = block * cols;
    auto part = [&](Matrix &matrix) {
      return matrix.view().block(0, first, 2, cols);
    };
    encoder->fit(0, block, part(weights));
    encoder->encode(0, first, part(weights), part(decoded));
    std::vector<int64_t> columns(cols);
    for (int64_t i = 0; i < cols; ++i)
      columns[i] = first + i;
    // The second row keeps its sign.
    encoder->rescale(0, columns, {4.0f, -1.0f}, part(scaled));
    // Values that have grown with the scale keep their codes.
    Matrix grown(1, cols), again(1, cols);
    for (int64_t i = 0; i < cols; ++i)
      grown(0, i) = 4 * weights(0, first + i);
    encoder->encode(0, first, grown, again.view());
    for (int64_t i = 0; i < cols; ++i) {
      EXPECT_EQ(scaled(0, first + i), 4 * decoded(0, first + i));
      EXPECT_EQ(again(0, i), scaled(0, first + i));
      EXPECT_EQ(scaled(1, first + i), 0) << "written though left alone";
    }
  }
}

TEST_P(GgmlTypes, RefusesWhatItCannotHold) {
  Matrix weights = draw(2, 256);
  const std::string name = layout.name.str();
  weights(1, 3) = std::nanf("");
  EXPECT_EQ(getMessage(roundToNearest(format, weights, minMax)),
            "the weight in row 1, column 3 is NaN; only finite weights can be "
            "quantized");
  weights(1, 3) = 1e10f;
  EXPECT_TRUE(
      llvm::StringRef(getMessage(roundToNearest(format, weights, minMax)))
          .starts_with("the weight in row 1, column 3 is 1e+10, but " + name +
                       ", whose scales are f16, ends at "));
  // The largest value has finite scales.
  weights(1, 3) = -format.getLargestValue();
  SolverResult result = unwrap(roundToNearest(format, weights, minMax));
  for (float value : decode(format, result.matrix).values)
    EXPECT_TRUE(std::isfinite(value));

  Matrix narrow(1, layout.blockCols + 8);
  EXPECT_EQ(getMessage(roundToNearest(format, narrow, minMax)),
            "a matrix of " + std::to_string(narrow.cols) +
                " columns cannot be stored in blocks of " +
                std::to_string(layout.blockCols) + " of type " + name);
  std::vector<uint8_t> bytes(7);
  Matrix decoded(1, 256);
  EXPECT_EQ(llvm::toString(format.decode({bytes}, decoded.view())),
            "the component 'blocks' of a 1 x 256 matrix of format " + name +
                " has 7 bytes, but takes " +
                std::to_string(256 / layout.blockCols * layout.blockBytes));
}

INSTANTIATE_TEST_SUITE_P(All, GgmlTypes, ::testing::ValuesIn([] {
                           std::vector<GgmlType> types;
                           for (const GgmlLayout &layout : getGgmlLayouts())
                             types.push_back(layout.type);
                           return types;
                         }()),
                         [](const ::testing::TestParamInfo<GgmlType> &info) {
                           return getGgmlLayout(info.param).name.str();
                         });

TEST(GgmlFormat, BlocksHaveTheSizesOfGgml) {
  std::vector<int64_t> bytes;
  std::vector<double> bits;
  for (const GgmlLayout &layout : getGgmlLayouts()) {
    bytes.push_back(layout.blockBytes);
    EXPECT_EQ(getGgmlType(layout.name), layout.type);
    EXPECT_EQ(&getGgmlLayout(layout.type), &layout);
    bits.push_back(8.0 * layout.blockBytes / layout.blockCols);
  }
  EXPECT_EQ(bytes, (std::vector<int64_t>{18, 20, 22, 24, 34, 84, 110, 144, 176,
                                         210, 18, 136}));
  EXPECT_EQ(bits, (std::vector<double>{4.5, 5.0, 5.5, 6.0, 8.5, 2.625, 3.4375,
                                       4.5, 5.5, 6.5625, 4.5, 4.25}));
  EXPECT_EQ(getGgmlType("q4_k"), std::nullopt);
}

TEST(GgmlFormat, SignedExtremeTakesTheFirstCode) {
  GgmlFormat format(GgmlType::Q4_0);
  Matrix weights(2, 32);
  for (int64_t i = 0; i < 32; ++i)
    weights(0, i) = -(weights(1, i) = 0.25f * static_cast<float>(i % 16 - 8));
  SolverResult result = unwrap(roundToNearest(format, weights, minMax));
  EXPECT_EQ(decode(format, result.matrix).values, weights.values);
  // The extreme of both rows, -2 and 2, is their first element.
  std::vector<uint8_t> blocks = getBlocks(result);
  EXPECT_EQ(blocks[2] & 15, 0);
  EXPECT_EQ(blocks[18 + 2] & 15, 0);
}

// Values are at most half a step away from what they decode to, but a whole one
// beyond the greatest code, on the side that is not the extreme's.
TEST(GgmlFormat, ErrorsAreBoundedBySteps) {
  const int64_t rows = 50;
  Matrix weights = Random(9).matrix(rows, 32);
  SolverResult result =
      unwrap(roundToNearest(GgmlFormat(GgmlType::Q4_0), weights, minMax));
  Matrix decoded = decode(GgmlFormat(GgmlType::Q4_0), result.matrix);
  std::vector<uint8_t> blocks = getBlocks(result);
  for (int64_t row = 0; row < rows; ++row) {
    const float step = loadFloat(ElementType::F16, &blocks[row * 18]);
    for (int64_t col = 0; col < 32; ++col) {
      const float value = weights(row, col);
      const bool isBeyond = value / step > 7;
      // The step was rounded to 11 bits, and may be 8 times too short.
      EXPECT_LE(std::fabs(value - decoded(row, col)),
                std::fabs(step) * ((isBeyond ? 1.0f : 0.5f) + 0x1p-8f));
    }
  }
}

// Every scale of six bits, in every place, packs and unpacks to itself.
TEST(GgmlFormat, SixBitScalesComeBack) {
  for (int scale = 0; scale < 64; ++scale)
    for (int place = 0; place < 8; ++place) {
      Matrix weights(1, 256);
      for (int64_t i = 0; i < 256; ++i) {
        const int own = i / 32 == place             ? scale
                        : i / 32 == (place + 3) % 8 ? 63
                                                    : 1 + int(i / 32);
        weights(0, i) = static_cast<float>(own * (i % 16));
      }
      GgmlFormat format(GgmlType::Q4_K);
      SolverResult result = unwrap(roundToNearest(format, weights, minMax));
      EXPECT_EQ(decode(format, result.matrix).values, weights.values)
          << scale << " in group " << place;
    }
}

TEST(GgmlFormat, SignedSixBitScalesComeBack) {
  for (int scale = -32; scale < 32; ++scale)
    for (int place = 0; place < 16; ++place) {
      Matrix weights(1, 256);
      for (int64_t i = 0; i < 256; ++i) {
        const int own = i / 16 == place              ? scale
                        : i / 16 == (place + 5) % 16 ? -32
                                                     : int(i / 16) - 5;
        weights(0, i) = static_cast<float>(own * (i % 8 - 4));
      }
      GgmlFormat format(GgmlType::Q3_K);
      SolverResult result = unwrap(roundToNearest(format, weights, minMax));
      EXPECT_EQ(decode(format, result.matrix).values, weights.values)
          << scale << " in group " << place;
    }
}

} // namespace
