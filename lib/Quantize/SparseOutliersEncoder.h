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
#include "llvm/ADT/STLFunctionalExtras.h"
#include <vector>

namespace lowbit {

/// Hands everything but the outliers to the encoder of the dense part.
class SparseOutliersEncoder final : public MatrixEncoder {
public:
  SparseOutliersEncoder(const SparseOutliersFormat &format,
                        std::unique_ptr<MatrixEncoder> dense,
                        SparsePositions positions);

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
  QuantizedMatrix finish() override;

private:
  /// Calls `visit(index, row, col)` for the outliers in columns from `firstCol`
  /// on, with their place among all and in a block that begins there.
  void forEachOutlier(
      int64_t firstRow, int64_t firstCol, int64_t rows, int64_t cols,
      llvm::function_ref<void(int64_t, int64_t, int64_t)> visit) const;
  /// Copies `values` with outliers cleared.
  ConstMatrixView copyNormal(int64_t firstRow, int64_t firstCol,
                             ConstMatrixView values,
                             std::vector<float> &buffer) const;

  SparseOutliersFormat format;
  std::unique_ptr<MatrixEncoder> dense;
  SparsePositions positions;
  /// Of each outlier: what the dense part decodes to, and what is added.
  std::vector<float> denseValues, sparseValues;
};

} // namespace lowbit

#endif // LOWBIT_LIB_QUANTIZE_SPARSEOUTLIERSENCODER_H
