//===- FeedbackTestUtils.h - Layers with correlated inputs ------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_UNITTESTS_QUANTIZE_FEEDBACKTESTUTILS_H
#define LOWBIT_UNITTESTS_QUANTIZE_FEEDBACKTESTUTILS_H

#include "TestUtils.h"
#include "lowbit/Quantize/Gptq.h"
#include "lowbit/Support/Npy.h"
#include <cmath>

namespace lowbit::testing {

/// Inputs with `rank` strong directions and some noise.
inline Matrix makeInputs(int64_t width, int64_t rank, uint64_t seed = 11) {
  Random random(seed);
  const int64_t tokens = 4 * width;
  Matrix mixing = random.matrix(rank, width),
         sources = random.matrix(tokens, rank);
  Matrix inputs = random.matrix(tokens, width, 0.1f);
  for (int64_t token = 0; token < tokens; ++token)
    for (int64_t k = 0; k < rank; ++k)
      for (int64_t col = 0; col < width; ++col)
        inputs(token, col) += sources(token, k) * mixing(k, col);
  return inputs;
}

inline Hessian makeHessianOf(const Matrix &inputs) {
  HessianAccumulator accumulator(inputs.cols);
  accumulator.update(inputs, 1);
  return std::move(accumulator).finish();
}

inline GptqFactor factorize(Hessian hessian, double damping = 0.01,
                            bool actOrder = false) {
  GptqOptions options;
  options.damping = damping;
  options.actOrder = actOrder;
  return unwrap(GptqFactor::compute(std::move(hessian), options));
}

/// tr(D H Dᵀ) of D = a - b.
inline double getOutputError(const Matrix &a, const Matrix &b,
                             const Hessian &hessian) {
  const int64_t width = hessian.width;
  double sum = 0;
  for (int64_t row = 0; row < a.rows; ++row)
    for (int64_t i = 0; i < width; ++i)
      for (int64_t j = 0; j < width; ++j)
        sum += (double(a(row, i)) - b(row, i)) * hessian.values[i * width + j] *
               (double(a(row, j)) - b(row, j));
  return sum;
}

/// Columns as they were before they were stored in this order.
inline Matrix restoreOrder(const Matrix &stored,
                           llvm::ArrayRef<int64_t> order) {
  if (order.empty())
    return stored;
  Matrix restored(stored.rows, stored.cols);
  for (int64_t row = 0; row < stored.rows; ++row)
    for (int64_t col = 0; col < stored.cols; ++col)
      restored(row, order[col]) = stored(row, col);
  return restored;
}

/// A matrix that python/lowbit/reference/make_feedback_vectors.py has written.
inline Matrix readReference(llvm::StringRef name) {
  Tensor tensor = unwrap(readNpy(std::string(LOWBIT_UNITTEST_SOURCE_DIR) +
                                 "/feedback/" + name.str() + ".npy"));
  Matrix matrix(tensor.getShape()[0], tensor.getShape()[1]);
  llvm::ArrayRef<float> values = tensor.values<float>();
  matrix.values.assign(values.begin(), values.end());
  return matrix;
}

/// How many rows agree but for rounding errors. These may tip a choice between
/// two values, after which the rest of its row differs: that must be rare.
inline int64_t countEqualRows(const Matrix &a, const Matrix &b) {
  int64_t equalRows = 0;
  for (int64_t row = 0; row < a.rows; ++row) {
    bool isEqual = true;
    for (int64_t col = 0; col < a.cols; ++col)
      isEqual &= std::fabs(a(row, col) - b(row, col)) < 2e-3f;
    equalRows += isEqual;
  }
  return equalRows;
}

} // namespace lowbit::testing

#endif // LOWBIT_UNITTESTS_QUANTIZE_FEEDBACKTESTUTILS_H
