//===- NOfMFormatTest.cpp - Some elements of every block ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/NOfMFormat.h"
#include "TestUtils.h"
#include "lowbit/Quantize/FloatFormat.h"
#include "lowbit/Quantize/Solver.h"
#include <limits>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;

template <typename FormatT>
NOfMFormat makeSparse(SparsityPattern pattern, const FormatT &values) {
  return unwrap(NOfMFormat::get({pattern, std::make_shared<FormatT>(values)}));
}

FloatFormat makeFloats(ElementType type) {
  return unwrap(FloatFormat::get({type}));
}

QuantizedMatrix round(const BlockFormat &format, const Matrix &weights,
                      unsigned threads = 0) {
  return unwrap(roundToNearest(format, weights, minMax, threads)).matrix;
}

/// The weights, zero where the pattern does not keep them.
Matrix prune(SparsityPattern pattern, const Matrix &weights) {
  Matrix pruned = weights;
  forEachOutside(pattern, weights,
                 [&](int64_t row, int64_t col) { pruned(row, col) = 0; });
  return pruned;
}

TEST(NOfMFormat, StoresWhatItsDefinitionSays) {
  Matrix weights(2, 8);
  weights.values = {1, -4, 3, 2, 0, 0, 0, 9, 5, 6, 7, -8, 2, 1, 1, 0};
  NOfMFormat format = makeSparse({2, 4}, makeFloats(ElementType::F16));
  EXPECT_EQ(format.describe(), "2:4 f16");
  QuantizedMatrix matrix = round(format, weights);
  // Places 1, 2 and 0, 3; 2, 3 and 0, 1.
  EXPECT_EQ(matrix.getComponent("indices")->bytes,
            (std::vector<uint8_t>{0b11001001, 0b01001110}));
  EXPECT_EQ(
      decode(format, matrix).values,
      (std::vector<float>{0, -4, 3, 0, 0, 0, 0, 9, 0, 0, 7, -8, 2, 1, 0, 0}));
  EXPECT_EQ(matrix.getBitsPerWeight(), 9);
}

TEST(NOfMFormat, KeepsWhatPruningKeeps) {
  for (SparsityPattern pattern :
       {SparsityPattern{2, 4}, {4, 8}, {1, 2}, {3, 5}, {1, 16}, {4, 4}})
    for (int64_t cols : {1, 7, 40, 43}) {
      Matrix weights = Random(cols).matrix(5, cols);
      NOfMFormat format = makeSparse(pattern, makeFloats(ElementType::F32));
      EXPECT_EQ(decode(format, round(format, weights)).values,
                prune(pattern, weights).values)
          << pattern.kept << ":" << pattern.block << " of " << cols;
    }
}

TEST(NOfMFormat, ValuesHaveGroupsOfTheirOwn) {
  Matrix weights = Random(3).matrix(6, 64);
  UniformFormat dense = makeFormat(4, 8, true);
  NOfMFormat format = makeSparse({2, 4}, dense);
  Matrix decoded = decode(format, round(format, weights));
  // The same as coding the rows of what is kept.
  Matrix pruned = prune({2, 4}, weights);
  Matrix kept(6, 32);
  std::vector<int64_t> columns(6 * 32);
  for (int64_t row = 0; row < 6; ++row)
    for (int64_t col = 0, i = 0; col < 64; ++col)
      if (pruned(row, col) != 0) {
        columns[row * 32 + i] = col;
        kept(row, i++) = pruned(row, col);
      }
  Matrix expected = decode(dense, round(dense, kept));
  for (int64_t row = 0; row < 6; ++row)
    for (int64_t i = 0; i < 32; ++i)
      EXPECT_EQ(decoded(row, columns[row * 32 + i]), expected(row, i));
}

TEST(NOfMFormat, ColumnsCanBeCodedOneByOne) {
  Matrix weights = Random(4).matrix(7, 22);
  NOfMFormat format = makeSparse({2, 4}, makeFormat(4, 0, true));
  auto encoder = unwrap(format.createEncoder(weights, minMax));
  encoder->fit(0, 0, weights);
  Matrix decoded(7, 22);
  for (int64_t col = 21; col >= 0; --col)
    encoder->encode(0, col, ConstMatrixView(weights).block(0, col, 7, 1),
                    decoded.view().block(0, col, 7, 1));
  QuantizedMatrix matrix = encoder->finish();
  EXPECT_TRUE(isIdentical(matrix, round(format, weights)));
  EXPECT_EQ(decode(format, matrix).values, decoded.values);
}

TEST(NOfMFormat, DoesNotDependOnThreads) {
  Matrix weights = Random(5).matrix(300, 100);
  NOfMFormat format = makeSparse({4, 8}, makeFormat(4, 16));
  EXPECT_TRUE(
      isIdentical(round(format, weights, 1), round(format, weights, 5)));
}

TEST(NOfMFormat, SaysWhatIsWrong) {
  auto floats = std::make_shared<FloatFormat>(makeFloats(ElementType::F16));
  for (SparsityPattern pattern :
       {SparsityPattern{0, 4}, {5, 4}, {1, 1}, {2, 257}})
    EXPECT_EQ(getMessage(NOfMFormat::get({pattern, floats})),
              "the pattern is " + std::to_string(pattern.kept) + ":" +
                  std::to_string(pattern.block) +
                  ", but must be N:M with 1 <= N <= M and M from 2 to 256");
  Matrix weights = Random(6).matrix(2, 16);
  NOfMFormat uneven = makeSparse({2, 4}, makeFormat(4, 3, true));
  EXPECT_EQ(getMessage(uneven.createEncoder(weights, minMax)),
            "the groups of s4 [1, 3] f32 have 3 values, which blocks of 2 do "
            "not divide");
  NOfMFormat format = makeSparse({2, 4}, *floats);
  QuantizedMatrix matrix = round(format, weights);
  Matrix decoded(2, 16);
  matrix.components.back().bytes[3] = 0b11100101;
  EXPECT_EQ(llvm::toString(format.decode(matrix, decoded.view())),
            "'indices' must ascend below 4 in a block, but do not in row 1, "
            "block 2");
  weights(1, 1) = std::numeric_limits<float>::infinity();
  EXPECT_EQ(
      getMessage(format.createEncoder(weights, minMax)),
      "the weight in row 1, column 1 is infinite; only finite weights can "
      "be quantized");
}

} // namespace
