//===- MatrixProduct.cpp - sums of products of matrices -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The program is compiled for the oldest processors, and so is Eigen in it,
// which leaves most of a newer one idle where nearly all time goes to products
// of large matrices. So these have a kernel for each width of vectors, chosen
// when the program runs (the usual scheme: Goto, van de Geijn, "Anatomy of
// high-performance matrix multiplication", 2008): blocks of both operands are
// packed into panels, and a kernel forms a small block of the sum in registers.
//
//===----------------------------------------------------------------------===//

#include "MatrixProduct.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <vector>

using namespace lowbit;

namespace {
/// Adds `sign` times the product of a panel of a [depth][rows] and one of b
/// [depth][cols] to a block of the sum, whose columns are `stride` apart.
using Kernel = void (*)(const float *a, const float *b, int64_t depth,
                        float sign, float *sum, int64_t stride);

/// Copies a matrix into panels.
using Packer = void (*)(ConstMatrixView matrix, std::vector<float> &panels);

struct KernelInfo {
  int64_t rows, cols;
  Kernel run;
  Packer packRows, packCols;
};
} // namespace

/// The kernel for `NumVectors` vectors of `Lanes` rows.
template <int Lanes, int NumVectors, int Cols>
[[gnu::always_inline]] static inline void
runKernel(const float *a, const float *b, int64_t depth, float sign, float *sum,
          int64_t stride) {
  using Vector [[gnu::vector_size(Lanes * sizeof(float)), gnu::aligned(4)]] =
      float;
  Vector acc[Cols][NumVectors] = {};
  for (int64_t k = 0; k < depth; ++k) {
    Vector rows[NumVectors];
#pragma clang loop unroll(full)
    for (int i = 0; i < NumVectors; ++i)
      rows[i] = reinterpret_cast<const Vector *>(a)[i];
#pragma clang loop unroll(full)
    for (int col = 0; col < Cols; ++col)
#pragma clang loop unroll(full)
      for (int i = 0; i < NumVectors; ++i)
        acc[col][i] += rows[i] * b[col];
    a += NumVectors * Lanes;
    b += Cols;
  }
#pragma clang loop unroll(full)
  for (int col = 0; col < Cols; ++col)
#pragma clang loop unroll(full)
    for (int i = 0; i < NumVectors; ++i)
      reinterpret_cast<Vector *>(sum + col * stride)[i] += sign * acc[col][i];
}

#if defined(__x86_64__)
[[gnu::target("avx512f")]] static void runAvx512(const float *a, const float *b,
                                                 int64_t depth, float sign,
                                                 float *sum, int64_t stride) {
  runKernel<16, 2, 12>(a, b, depth, sign, sum, stride);
}
[[gnu::target("avx2,fma")]] static void runAvx2(const float *a, const float *b,
                                                int64_t depth, float sign,
                                                float *sum, int64_t stride) {
  runKernel<8, 2, 6>(a, b, depth, sign, sum, stride);
}
#endif

static void runPlain(const float *a, const float *b, int64_t depth, float sign,
                     float *sum, int64_t stride) {
  runKernel<4, 2, 4>(a, b, depth, sign, sum, stride);
}

/// Copies a matrix [rows, depth] into panels of `PanelRows` rows, depth by
/// depth, and fills up the last one with zeros.
template <int PanelRows>
static void pack(ConstMatrixView matrix, std::vector<float> &panels) {
  const int64_t rows = matrix.getRows(), depth = matrix.getCols();
  const int64_t rowStride = matrix.getRowStride();
  panels.resize(llvm::alignTo(rows, PanelRows) * depth);
  float *out = panels.data();
  for (int64_t first = 0; first < rows; first += PanelRows) {
    const float *in = matrix.getData() + first * rowStride;
    const int64_t count = std::min<int64_t>(PanelRows, rows - first);
    for (int64_t k = 0; k < depth; ++k) {
      // With constants, as the usual case is given, this is a few vectors.
      if (count == PanelRows && rowStride == 1)
        for (int i = 0; i < PanelRows; ++i)
          out[i] = in[i];
      else if (count == PanelRows)
        for (int i = 0; i < PanelRows; ++i)
          out[i] = in[i * rowStride];
      else
        for (int i = 0; i < PanelRows; ++i)
          out[i] = i < count ? in[i * rowStride] : 0.0f;
      in += matrix.getColStride();
      out += PanelRows;
    }
  }
}

static KernelInfo chooseKernel(int maxLanes) {
#if defined(__x86_64__)
  if (maxLanes >= 16 && __builtin_cpu_supports("avx512f"))
    return {32, 12, runAvx512, pack<32>, pack<12>};
  if (maxLanes >= 8 && __builtin_cpu_supports("avx2") &&
      __builtin_cpu_supports("fma"))
    return {16, 6, runAvx2, pack<16>, pack<6>};
#endif
  return {8, 4, runPlain, pack<8>, pack<4>};
}

static ConstMatrixView transpose(ConstMatrixView matrix) {
  return {matrix.getData(), matrix.getCols(), matrix.getRows(),
          matrix.getColStride(), matrix.getRowStride()};
}

void lowbit::addProduct(ConstMatrixView a, ConstMatrixView b, MatrixView sum,
                        Sign sign, int maxLanes) {
  assert(a.getRows() == sum.getRows() && b.getCols() == sum.getCols() &&
         a.getCols() == b.getRows() && "the shapes must fit");
  if (sum.getRowStride() != 1) {
    assert(sum.getColStride() == 1 && "the sum must be dense on one axis");
    MatrixView transposed(sum.getData(), sum.getCols(), sum.getRows(), 1,
                          sum.getRowStride());
    return addProduct(transpose(b), transpose(a), transposed, sign, maxLanes);
  }
  const KernelInfo kernel = chooseKernel(maxLanes);
  // A panel of b stays in the first cache, a block of a in the second.
  constexpr int64_t maxDepth = 256, maxRows = 256;
  thread_local std::vector<float> aPanels, bPanels, edge;
  edge.resize(kernel.rows * kernel.cols);
  const float factor = sign == Sign::Plus ? 1.0f : -1.0f;
  const int64_t rows = sum.getRows(), cols = sum.getCols();
  for (int64_t k = 0; k < a.getCols(); k += maxDepth) {
    const int64_t depth = std::min(maxDepth, a.getCols() - k);
    kernel.packCols(transpose(b.block(k, 0, depth, cols)), bPanels);
    for (int64_t firstRow = 0; firstRow < rows; firstRow += maxRows) {
      const int64_t numRows = std::min(maxRows, rows - firstRow);
      kernel.packRows(a.block(firstRow, k, numRows, depth), aPanels);
      for (int64_t col = 0; col < cols; col += kernel.cols)
        for (int64_t row = 0; row < numRows; row += kernel.rows) {
          const float *aPanel = aPanels.data() + row * depth;
          const float *bPanel = bPanels.data() + col * depth;
          float *out = &sum(firstRow + row, col);
          const int64_t restRows = numRows - row, restCols = cols - col;
          if (restRows >= kernel.rows && restCols >= kernel.cols) {
            kernel.run(aPanel, bPanel, depth, factor, out, sum.getColStride());
            continue;
          }
          std::fill(edge.begin(), edge.end(), 0.0f);
          kernel.run(aPanel, bPanel, depth, factor, edge.data(), kernel.rows);
          for (int64_t j = 0, e = std::min(restCols, kernel.cols); j < e; ++j)
            for (int64_t i = 0, f = std::min(restRows, kernel.rows); i < f; ++i)
              out[j * sum.getColStride() + i] += edge[j * kernel.rows + i];
        }
    }
  }
}
