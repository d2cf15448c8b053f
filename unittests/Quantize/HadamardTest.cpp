//===- HadamardTest.cpp - Orthogonal matrices of +1 and -1 ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Hadamard.h"
#include "gtest/gtest.h"
#include <cmath>
#include <numeric>

using namespace lowbit;

/// H, from what `apply` makes of the rows of the identity.
static std::vector<double> getMatrix(const HadamardMatrix &hadamard,
                                     bool transposed) {
  const int64_t order = hadamard.getOrder();
  std::vector<double> matrix(order * order);
  for (int64_t i = 0; i < order; ++i) {
    matrix[i * order + i] = 1;
    hadamard.apply(
        llvm::MutableArrayRef<double>(matrix).slice(i * order, order),
        transposed);
  }
  return matrix;
}

static void expectHadamard(int64_t order) {
  std::optional<HadamardMatrix> hadamard = HadamardMatrix::get(order);
  ASSERT_TRUE(hadamard) << order;
  EXPECT_EQ(hadamard->getOrder(), order);
  const std::vector<double> h = getMatrix(*hadamard, /*transposed=*/false);
  const std::vector<double> t = getMatrix(*hadamard, /*transposed=*/true);
  for (int64_t i = 0; i < order; ++i) {
    for (int64_t j = 0; j < order; ++j) {
      EXPECT_NEAR(std::abs(h[i * order + j]), 1 / std::sqrt(double(order)),
                  1e-12);
      EXPECT_EQ(h[i * order + j], t[j * order + i]);
      double product = 0;
      for (int64_t k = 0; k < order; ++k)
        product += h[i * order + k] * h[j * order + k];
      EXPECT_NEAR(product, i == j, 1e-12) << order << ": " << i << ", " << j;
    }
  }
}

TEST(HadamardTest, SmallOrdersAreOrthogonal) {
  for (int64_t order :
       {1,  2,  4,  8,  12, 16, 20, 24,  28,  36,  40,  44,  48,
        56, 60, 64, 76, 80, 84, 88, 104, 108, 120, 124, 128, 140})
    expectHadamard(order);
}

TEST(HadamardTest, LargerOrdersAreOrthogonal) {
  for (int64_t order : {192, 252, 256, 352, 448})
    expectHadamard(order);
}

// Every matrix that `get` may multiply densely, in integers.
TEST(HadamardTest, EveryPaleyMatrixIsOrthogonal) {
  int count = 0;
  for (int64_t order = 2; order <= HadamardMatrix::maxPaleyOrder; ++order) {
    std::optional<HadamardMatrix> hadamard = HadamardMatrix::get(order);
    if (!hadamard || hadamard->getPaleyOrder() != order)
      continue;
    ++count;
    llvm::ArrayRef<int8_t> paley = hadamard->getPaleyMatrix();
    for (int64_t i = 0; i < order; ++i)
      for (int64_t j = 0; j <= i; ++j)
        ASSERT_EQ(std::inner_product(&paley[i * order],
                                     &paley[i * order] + order,
                                     &paley[j * order], 0),
                  i == j ? order : 0)
            << order << ": " << i << ", " << j;
  }
  EXPECT_GT(count, 20);
}

TEST(HadamardTest, ChoosesTheSmallestPaleyMatrix) {
  EXPECT_EQ(HadamardMatrix::get(4096)->getPaleyOrder(), 1);
  EXPECT_EQ(HadamardMatrix::get(768)->getPaleyOrder(), 12);
  EXPECT_EQ(HadamardMatrix::get(5120)->getPaleyOrder(), 20);
  EXPECT_EQ(HadamardMatrix::get(14336)->getPaleyOrder(), 28);
  EXPECT_EQ(HadamardMatrix::get(352)->getPaleyOrder(), 44);
  EXPECT_EQ(HadamardMatrix::get(13824)->getPaleyOrder(), 108);
}

TEST(HadamardTest, SaysWhereThereIsNone) {
  for (int64_t order : {-4, 0, 3, 6, 10, 43, 52, 86, 92, 100, 172, 11008})
    EXPECT_FALSE(HadamardMatrix::get(order)) << order;
  EXPECT_EQ(HadamardMatrix::getLargestOrder(1), 1);
  EXPECT_EQ(HadamardMatrix::getLargestOrder(7), 1);
  EXPECT_EQ(HadamardMatrix::getLargestOrder(172), 4);
  EXPECT_EQ(HadamardMatrix::getLargestOrder(11008), 256);
  EXPECT_EQ(HadamardMatrix::getLargestOrder(768), 768);
  EXPECT_EQ(HadamardMatrix::getLargestOrder(36), 36);
}

static std::vector<float> makeValues(int64_t count) {
  std::vector<float> values(count);
  for (int64_t i = 0; i < count; ++i)
    values[i] = std::sin(0.37f * i) + 0.1f * (i % 5);
  return values;
}

TEST(HadamardTest, RotationsKeepInnerProducts) {
  constexpr int64_t rows = 21, width = 24;
  const std::vector<float> before = makeValues(rows * width);
  for (int64_t block : {24, 12, 4}) {
    std::vector<float> after = before;
    HadamardRotation(width, block, /*seed=*/7)
        .applyToRows(MatrixView(after.data(), rows, width), /*threads=*/2);
    EXPECT_NE(before, after);
    for (int64_t i = 1; i < rows; ++i)
      EXPECT_NEAR(
          std::inner_product(&after[0], &after[width], &after[i * width], 0.0),
          std::inner_product(&before[0], &before[width], &before[i * width],
                             0.0),
          1e-5);
  }
}

TEST(HadamardTest, RotationsDependOnTheSeedAlone) {
  constexpr int64_t rows = 40, width = 32;
  auto rotate = [&](std::optional<uint64_t> seed, unsigned threads) {
    std::vector<float> values = makeValues(rows * width);
    HadamardRotation(width, width, seed)
        .applyToRows(MatrixView(values.data(), rows, width), threads);
    return values;
  };
  EXPECT_EQ(rotate(3, 1), rotate(3, 4));
  EXPECT_NE(rotate(3, 1), rotate(4, 1));
  EXPECT_NE(rotate(0, 1), rotate(std::nullopt, 1));
}

TEST(HadamardTest, RotatesColumnsThroughATransposedView) {
  constexpr int64_t rows = 12, cols = 19;
  std::vector<float> stored = makeValues(rows * cols);
  std::vector<float> transposed(rows * cols);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; ++j)
      transposed[j * rows + i] = stored[i * cols + j];
  HadamardRotation rotation(rows, rows, /*seed=*/1);
  rotation.applyToRows(MatrixView(stored.data(), cols, rows, 1, cols), 1);
  rotation.applyToRows(MatrixView(transposed.data(), cols, rows), 1);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; ++j)
      EXPECT_EQ(transposed[j * rows + i], stored[i * cols + j]);
}
