//===- SparseOutliersEncoder.h - Codes what is not an outlier ---*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_SPARSEOUTLIERSENCODER_H
#define LOWBIT_LIB_QUANTIZE_SPARSEOUTLIERSENCODER_H

#include "lowbit/Quantize/Outliers.h"
#include "lowbit/Quantize/SparseOutliersFormat.h"
#include <vector>

namespace lowbit {

/// Hands everything but the outliers to the encoder of the dense part. There
/// are those that are known from the beginning, and those that a solver stores.
class SparseOutliersEncoder final : public MatrixEncoder {
public:
  SparseOutliersEncoder(const SparseOutliersFormat &format,
                        std::unique_ptr<MatrixEncoder> dense,
                        const SparsePositions &positions = {});

  void fit(int64_t firstRow, int64_t group, ConstMatrixView values,
           llvm::ArrayRef<float> importance) override;
  void fitExactly(int64_t firstRow, int64_t group,
                  ConstMatrixView values) override;
  void encode(int64_t firstRow, int64_t firstCol, ConstMatrixView values,
              MatrixView decoded) override;
  void rescale(int64_t firstRow, llvm::ArrayRef<int64_t> storedCols,
               llvm::ArrayRef<float> factors, MatrixView decoded) override;
  bool hasScales() const override { return dense->hasScales(); }
  void clearOutliers(int64_t firstRow, int64_t firstCol,
                     MatrixView values) const override;
  AffineParameters *getAffineParameters() override {
    return dense->getAffineParameters();
  }
  /// Stores elements of the stored column `col` apart that are not yet: those
  /// of `rows`, counted from `firstRow` on. `values` are of the whole column,
  /// and `decoded` what its codes decode to, in which the elements become what
  /// is stored: the values, but for rounding to the type of outliers.
  void store(int64_t firstRow, int64_t col, llvm::ArrayRef<int64_t> rows,
             ConstMatrixView values, MatrixView decoded);
  QuantizedMatrix finish() override;

private:
  struct Outlier {
    int32_t column;
    /// What the dense part decodes to, and what is added.
    float dense, sparse;
  };

  /// What is added to `dense` to come as near to `value` as the type allows.
  float getDifference(float value, float dense) const;
  /// Copies `values` with outliers cleared.
  ConstMatrixView copyNormal(int64_t firstRow, int64_t firstCol,
                             ConstMatrixView values,
                             std::vector<float> &buffer) const;

  SparseOutliersFormat format;
  std::unique_ptr<MatrixEncoder> dense;
  /// By row, in ascending order of columns.
  std::vector<std::vector<Outlier>> outliers;
};

} // namespace lowbit

#endif // LOWBIT_LIB_QUANTIZE_SPARSEOUTLIERSENCODER_H
