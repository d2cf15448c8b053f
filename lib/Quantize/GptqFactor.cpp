//===- GptqFactor.cpp - Order and Cholesky factor of a Hessian ------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EigenTypes.h"
#include "MatrixProduct.h"
#include "Parallel.h"
#include "lowbit/Quantize/Gptq.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/MathExtras.h"
#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <numeric>

using namespace lowbit;

llvm::Error GptqOptions::check() const {
  if (!(damping >= 0) || !std::isfinite(damping))
    return makeError("damping is " + std::to_string(damping) +
                     ", but must be a number from 0 on");
  if (refinements < 0)
    return makeError("refinements is " + llvm::Twine(refinements) +
                     ", but must not be negative");
  if (blockSize < 1)
    return makeError("block-size is " + llvm::Twine(blockSize) +
                     ", but must be at least 1");
  return llvm::Error::success();
}

/// Permutes rows and columns of a square matrix in place: afterwards element
/// (i, j) is what was at (from[i], from[j]).
static void permuteSymmetric(ColMajorMap h, llvm::ArrayRef<int64_t> from) {
  const int64_t width = h.cols();
  Eigen::VectorXf saved(width);
  for (int64_t col = 0; col < width; ++col) {
    saved = h.col(col);
    for (int64_t row = 0; row < width; ++row)
      h(row, col) = saved(from[row]);
  }
  std::vector<bool> done(width, false);
  for (int64_t start = 0; start < width; ++start) {
    if (done[start])
      continue;
    saved = h.col(start);
    int64_t col = start;
    for (; from[col] != start; col = from[col]) {
      h.col(col) = h.col(from[col]);
      done[col] = true;
    }
    h.col(col) = saved;
    done[col] = true;
  }
}

/// Replaces the lower triangle of `h` by its Cholesky factor; false if it has
/// none. What is above the diagonal stays.
static bool factorizeLower(ColMajorMap h, unsigned threads) {
  constexpr int64_t panel = 128, tile = 256;
  const int64_t width = h.cols();
  auto view = [&](int64_t row, int64_t col, int64_t rows, int64_t cols) {
    return MatrixView(&h(row, col), rows, cols, 1, width);
  };
  for (int64_t begin = 0; begin < width; begin += panel) {
    const int64_t count = std::min(panel, width - begin), end = begin + count;
    Eigen::MatrixXf diagonal = h.block(begin, begin, count, count);
    Eigen::LLT<Eigen::Ref<Eigen::MatrixXf>> llt(diagonal);
    if (llt.info() != Eigen::Success || !diagonal.diagonal().allFinite())
      return false;
    h.block(begin, begin, count, count).triangularView<Eigen::Lower>() =
        diagonal;
    const int64_t tiles = llvm::divideCeil(width - end, tile);
    parallelFor(tiles, threads, [&](int64_t i) {
      const int64_t row = end + i * tile;
      auto below = h.block(row, begin, std::min(tile, width - row), count);
      diagonal.triangularView<Eigen::Lower>()
          .transpose()
          .solveInPlace<Eigen::OnTheRight>(below);
    });
    parallelFor(tiles * (tiles + 1) / 2, threads, [&](int64_t task) {
      int64_t i = 0;
      while ((i + 1) * (i + 2) / 2 <= task)
        ++i;
      const int64_t row = end + i * tile;
      const int64_t col = end + (task - i * (i + 1) / 2) * tile;
      const int64_t rows = std::min(tile, width - row);
      const int64_t cols = std::min(tile, width - col);
      const ConstMatrixView left = view(row, begin, rows, count);
      const ConstMatrixView right(&h(col, begin), count, cols, width, 1);
      if (row != col)
        return addProduct(left, right, view(row, col, rows, cols), Sign::Minus);
      Eigen::MatrixXf product = Eigen::MatrixXf::Zero(rows, cols);
      addProduct(left, right, MatrixView(product.data(), rows, cols, 1, rows));
      h.block(row, col, rows, cols).triangularView<Eigen::Lower>() -= product;
    });
  }
  return true;
}

/// Replaces `h` plus `shift` on the diagonal by its Cholesky factor, in the
/// lower and, transposed, in the upper triangle. On failure `h` is as before,
/// but for the diagonal.
static bool factorize(ColMajorMap h, const Eigen::VectorXf &diagonal,
                      float shift, unsigned threads) {
  h.diagonal() = diagonal.array() + shift;
  if (factorizeLower(h, threads)) {
    h.triangularView<Eigen::StrictlyUpper>() = h.transpose();
    return true;
  }
  h.triangularView<Eigen::StrictlyLower>() = h.transpose();
  return false;
}

llvm::Expected<GptqFactor> GptqFactor::compute(Hessian input,
                                               const GptqOptions &options) {
  if (llvm::Error error = options.check())
    return std::move(error);
  GptqFactor factor;
  factor.hessian = std::move(input);
  const int64_t width = factor.hessian.width;
  ColMajorMap h(factor.hessian.values.data(), width, width,
                Eigen::OuterStride<>(width));

  factor.order.resize(width);
  std::iota(factor.order.begin(), factor.order.end(), 0);
  factor.dead.resize(width);
  double diagonalSum = 0;
  int64_t live = 0;
  for (int64_t i = 0; i < width; ++i) {
    if (!std::isfinite(h(i, i)) || h(i, i) < 0)
      return makeError("the inputs of the layer are not finite, or too large: "
                       "channel " +
                       llvm::Twine(i) + " has a mean square of " +
                       std::to_string(h(i, i)));
    factor.dead[i] = h(i, i) == 0;
    live += !factor.dead[i];
    diagonalSum += h(i, i);
  }
  factor.empty = live == 0;
  if (factor.empty)
    return factor;

  // A dead column is alone in its row of the Hessian, and any diagonal will do.
  // The reference code takes 1, which also enters the mean that damping is
  // relative to.
  const double mean = (diagonalSum + (width - live)) / width;
  if (options.actOrder)
    std::stable_sort(factor.order.begin(), factor.order.end(),
                     [&](int64_t a, int64_t b) { return h(a, a) > h(b, b); });
  for (int64_t i = 0; i < width; ++i)
    if (factor.dead[i])
      h(i, i) = 1;

  permuteSymmetric(h, llvm::SmallVector<int64_t>(llvm::reverse(factor.order)));
  const Eigen::VectorXf diagonal = h.diagonal();
  constexpr double firstRaise = 0.01, limit = 1e3;
  factor.damping = options.damping;
  while (!factorize(h, diagonal, static_cast<float>(factor.damping * mean),
                    options.threads)) {
    factor.damping = std::max(2 * factor.damping, firstRaise);
    if (factor.damping > limit)
      return makeError("the Hessian of the layer's inputs is not positive "
                       "definite, even with a damping of " +
                       std::to_string(limit));
  }
  factor.shift = factor.damping * mean;
  return factor;
}
