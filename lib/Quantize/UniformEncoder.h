//===- UniformEncoder.h - Codes one matrix uniformly ------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_UNIFORMENCODER_H
#define LOWBIT_LIB_QUANTIZE_UNIFORMENCODER_H

#include "lowbit/Quantize/UniformFormat.h"
#include <vector>

namespace lowbit {

/// Keeps codes and parameters column by column while the matrix is coded:
/// solvers walk along columns of many rows, and that order lets the loops over
/// rows vectorize. `finish` turns them into the stored, row-major components.
class UniformEncoder final : public MatrixEncoder, public AffineParameters {
public:
  /// `zeroEncoder` is null, unless zero points have a format.
  UniformEncoder(const UniformFormat &format,
                 std::unique_ptr<ScaleEncoder> scaleEncoder,
                 std::unique_ptr<ScaleEncoder> zeroEncoder, int64_t rows,
                 int64_t cols, const RangeSearch &search);

  void fit(int64_t firstRow, int64_t group, ConstMatrixView values,
           llvm::ArrayRef<float> importance) override;
  void fitExactly(int64_t firstRow, int64_t group,
                  ConstMatrixView values) override;
  void encode(int64_t firstRow, int64_t firstCol, ConstMatrixView values,
              MatrixView decoded) override;
  void rescale(int64_t firstRow, llvm::ArrayRef<int64_t> storedCols,
               llvm::ArrayRef<float> factors, MatrixView decoded) override;
  bool hasScales() const override { return true; }
  AffineParameters *getAffineParameters() override { return this; }
  int64_t getSharedRows() const override {
    return format.getGroupRows(getRows());
  }
  bool hasZeros() const override { return format.getSpec().hasZeroPoint(); }
  std::pair<float, float> getCodeRange() const override {
    return {format.getMinCode(), format.getMaxCode()};
  }
  void getParameters(int64_t firstRow, int64_t group,
                     llvm::MutableArrayRef<float> groupScales,
                     llvm::MutableArrayRef<float> groupZeros) const override;
  void setParameters(int64_t firstRow, int64_t group,
                     llvm::MutableArrayRef<float> groupScales,
                     llvm::MutableArrayRef<float> groupZeros) override;
  QuantizedMatrix finish() override;

private:
  /// The parameters of a column group for `rows` rows, without repetition.
  struct GroupParameters {
    llvm::SmallVector<float> scales, zeros;
  };
  /// Keeps them for each row.
  void keep(int64_t firstRow, int64_t group, int64_t rows,
            const GroupParameters &parameters);

  UniformFormat format;
  std::unique_ptr<ScaleEncoder> scaleEncoder, zeroEncoder;
  const RangeSearch &search;
  /// [cols][rows]; codes are cut to `bits` bits.
  std::vector<uint8_t> codes;
  /// [column groups][rows]: repeated for each row of a group, so that `encode`
  /// reads them in step with the rows. Zero points that are integers are kept
  /// as floats, too, since all arithmetic on them is float arithmetic on small
  /// integers.
  std::vector<float> scales;
  std::vector<float> zeros;
};

} // namespace lowbit

#endif // LOWBIT_LIB_QUANTIZE_UNIFORMENCODER_H
