//===- EigenTypes.h - The Eigen types that the solvers use ------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Only files of this library include Eigen: its inline functions depend on the
// compiler's target options, and must not be mixed with those of other code.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_EIGENTYPES_H
#define LOWBIT_LIB_QUANTIZE_EIGENTYPES_H

// Solvers bring their own threads, whose results do not depend on their number.
#define EIGEN_DONT_PARALLELIZE
#include "lowbit/Quantize/MatrixView.h"
#include <Eigen/Core>

namespace lowbit {

using ColMajorMatrix = Eigen::MatrixXf;
using RowMajorMap = Eigen::Map<
    const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>,
    0, Eigen::OuterStride<>>;
using ColMajorMap = Eigen::Map<Eigen::MatrixXf, 0, Eigen::OuterStride<>>;

inline MatrixView getView(ColMajorMatrix &matrix) {
  return MatrixView(matrix.data(), matrix.rows(), matrix.cols(), 1,
                    matrix.rows());
}

/// The columns from `begin` to `end`.
inline ConstMatrixView getColumns(const ColMajorMatrix &matrix, int64_t begin,
                                  int64_t end) {
  return ConstMatrixView(matrix.data() + begin * matrix.rows(), matrix.rows(),
                         end - begin, 1, matrix.rows());
}

} // namespace lowbit

#endif // LOWBIT_LIB_QUANTIZE_EIGENTYPES_H
