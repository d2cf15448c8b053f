//===- MatrixView.h - Non-owning view of a float matrix ---------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_MATRIXVIEW_H
#define LOWBIT_QUANTIZE_MATRIXVIEW_H

#include <cassert>
#include <cstdint>
#include <type_traits>

namespace lowbit {

/// A non-owning view of a matrix with any row and column stride, so that
/// solvers hand row-major weights, column-major work tiles and single columns
/// to the same code.
template <typename T>
class BasicMatrixView {
public:
  BasicMatrixView() = default;

  /// A dense row-major matrix.
  BasicMatrixView(T *data, int64_t rows, int64_t cols)
      : BasicMatrixView(data, rows, cols, /*rowStride=*/cols, /*colStride=*/1) {
  }

  BasicMatrixView(T *data, int64_t rows, int64_t cols, int64_t rowStride,
                  int64_t colStride)
      : data(data), rows(rows), cols(cols), rowStride(rowStride),
        colStride(colStride) {}

  /// A mutable view converts to a constant one.
  template <typename U, typename = std::enable_if_t<std::is_same_v<const U, T>>>
  BasicMatrixView(const BasicMatrixView<U> &other)
      : BasicMatrixView(other.getData(), other.getRows(), other.getCols(),
                        other.getRowStride(), other.getColStride()) {}

  T *getData() const { return data; }
  int64_t getRows() const { return rows; }
  int64_t getCols() const { return cols; }
  int64_t getRowStride() const { return rowStride; }
  int64_t getColStride() const { return colStride; }
  int64_t size() const { return rows * cols; }

  T &operator()(int64_t row, int64_t col) const {
    assert(row >= 0 && row < rows && col >= 0 && col < cols &&
           "matrix index out of bounds");
    return data[row * rowStride + col * colStride];
  }

  /// The sub-matrix of `numRows` x `numCols` that starts at (row, col).
  BasicMatrixView block(int64_t row, int64_t col, int64_t numRows,
                        int64_t numCols) const {
    assert(row >= 0 && row + numRows <= rows && col >= 0 &&
           col + numCols <= cols && "block out of bounds");
    return BasicMatrixView(data + row * rowStride + col * colStride, numRows,
                           numCols, rowStride, colStride);
  }

private:
  T *data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t rowStride = 0;
  int64_t colStride = 1;
};

using MatrixView = BasicMatrixView<float>;
using ConstMatrixView = BasicMatrixView<const float>;

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_MATRIXVIEW_H
