//===- MatrixProductTest.cpp - sums of products of matrices ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatrixProduct.h"
#include "TestUtils.h"

using namespace lowbit;
using namespace lowbit::testing;

namespace {

struct Shape {
  int64_t rows, depth, cols;
};

/// Compares with sums in double precision, in all orders of storage.
void check(Shape shape, Sign sign, int maxLanes) {
  const auto [rows, depth, cols] = shape;
  Random random(rows * 1000 + depth + cols);
  for (int order = 0; order < 8; ++order) {
    auto view = [](Matrix &matrix, int64_t rows, int64_t cols, bool colMajor) {
      float *data = matrix.values.data();
      return colMajor ? MatrixView(data, rows, cols, 1, rows)
                      : MatrixView(data, rows, cols, cols, 1);
    };
    Matrix aData = random.matrix(rows, depth),
           bData = random.matrix(depth, cols);
    Matrix sumData = random.matrix(rows, cols);
    Matrix before = sumData;
    MatrixView a = view(aData, rows, depth, order & 1);
    MatrixView b = view(bData, depth, cols, order & 2);
    MatrixView sum = view(sumData, rows, cols, order & 4);
    MatrixView old = view(before, rows, cols, order & 4);
    addProduct(a, b, sum, sign, maxLanes);
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t col = 0; col < cols; ++col) {
        double product = 0;
        for (int64_t k = 0; k < depth; ++k)
          product += static_cast<double>(a(row, k)) * b(k, col);
        const double expected =
            old(row, col) + (sign == Sign::Plus ? product : -product);
        EXPECT_NEAR(sum(row, col), expected, 1e-4 + 2e-6 * depth)
            << row << ", " << col << " in order " << order << ", " << maxLanes
            << " lanes";
      }
  }
}

TEST(MatrixProduct, AddsProductsOfAnyShape) {
  for (int maxLanes : {16, 8, 4})
    for (Shape shape : {Shape{1, 1, 1},
                        {32, 12, 12},
                        {64, 300, 24},
                        {33, 5, 13},
                        {7, 520, 3},
                        {300, 2, 25}}) {
      check(shape, Sign::Plus, maxLanes);
      check(shape, Sign::Minus, maxLanes);
    }
}

TEST(MatrixProduct, EmptySumsStay) {
  Matrix sum = Random(1).matrix(3, 4);
  Matrix before = sum;
  addProduct(ConstMatrixView(nullptr, 3, 0), ConstMatrixView(nullptr, 0, 4),
             sum.view());
  for (int64_t row = 0; row < 3; ++row)
    for (int64_t col = 0; col < 4; ++col)
      EXPECT_EQ(sum(row, col), before(row, col));
}

} // namespace
