//===- TestUtils.h - Matrices for the solver tests --------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_UNITTESTS_QUANTIZE_TESTUTILS_H
#define LOWBIT_UNITTESTS_QUANTIZE_TESTUTILS_H

#include "lowbit/Quantize/BlockFormat.h"
#include "lowbit/Quantize/UniformFormat.h"
#include "gtest/gtest.h"
#include <cstdint>
#include <string>
#include <vector>

namespace lowbit::testing {

/// A row-major matrix that owns its values.
struct Matrix {
  Matrix(int64_t rows, int64_t cols)
      : rows(rows), cols(cols), values(rows * cols) {}

  float &operator()(int64_t row, int64_t col) {
    return values[row * cols + col];
  }
  float operator()(int64_t row, int64_t col) const {
    return values[row * cols + col];
  }
  operator ConstMatrixView() const {
    return ConstMatrixView(values.data(), rows, cols);
  }
  MatrixView view() { return MatrixView(values.data(), rows, cols); }

  int64_t rows, cols;
  std::vector<float> values;
};

/// Roughly normal numbers (the sum of twelve uniform ones) that are the same on
/// every machine.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed * 2654435769u + 1) {}

  float uniform() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<float>(state >> 40) * 0x1p-24f;
  }
  float normal() {
    float sum = -6;
    for (int i = 0; i < 12; ++i)
      sum += uniform();
    return sum;
  }
  Matrix matrix(int64_t rows, int64_t cols, float scale = 1) {
    Matrix result(rows, cols);
    for (float &value : result.values)
      value = scale * normal();
    return result;
  }

private:
  uint64_t state;
};

template <typename T>
T unwrap(llvm::Expected<T> value) {
  if (!value) {
    ADD_FAILURE() << llvm::toString(value.takeError());
    std::abort();
  }
  return std::move(*value);
}

template <typename T>
std::string getMessage(llvm::Expected<T> value) {
  return value ? "no error" : llvm::toString(value.takeError());
}

inline UniformFormat makeFormat(unsigned bits, int64_t groupCols,
                                bool symmetric = false,
                                ScaleType scaleType = ScaleType::F32) {
  UniformFormat::Spec spec;
  spec.bits = bits;
  spec.isSigned = symmetric;
  spec.zero = symmetric ? ZeroKind::None : ZeroKind::Integer;
  spec.groupCols = groupCols;
  spec.scales = scaleType;
  return unwrap(UniformFormat::get(spec));
}

inline Matrix decode(const BlockFormat &format, const QuantizedMatrix &matrix) {
  Matrix decoded(matrix.rows, matrix.cols);
  llvm::Error error = format.decode(matrix, decoded.view());
  EXPECT_FALSE(static_cast<bool>(error));
  llvm::consumeError(std::move(error));
  return decoded;
}

/// Whether all components agree bit for bit.
inline bool isIdentical(const QuantizedMatrix &a, const QuantizedMatrix &b) {
  if (a.components.size() != b.components.size())
    return false;
  for (size_t i = 0; i < a.components.size(); ++i)
    if (a.components[i].bytes != b.components[i].bytes)
      return false;
  return true;
}

} // namespace lowbit::testing

#endif // LOWBIT_UNITTESTS_QUANTIZE_TESTUTILS_H
