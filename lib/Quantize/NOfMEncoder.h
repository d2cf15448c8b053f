//===- NOfMEncoder.h - Codes some elements of every block --------*- C++
//-*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_NOFMENCODER_H
#define LOWBIT_LIB_QUANTIZE_NOFMENCODER_H

#include "lowbit/Quantize/NOfMFormat.h"
#include <vector>

namespace lowbit {

/// Which elements of a matrix are stored.
class KeptElements {
public:
  KeptElements(const SparsityPattern &pattern, ConstMatrixView weights);

  /// The first stored column that can hold an element from `col` on.
  int64_t getFirstStored(int64_t col) const {
    return col / pattern.block * pattern.kept;
  }
  /// The stored columns that can hold an element before `col`.
  int64_t getEndStored(int64_t col) const;
  /// Where in its block the value of a stored column is.
  uint8_t getIndex(int64_t row, int64_t stored) const {
    return indices[row * storedCols + stored];
  }
  int64_t getColumn(int64_t row, int64_t stored) const {
    return stored / pattern.kept * pattern.block + getIndex(row, stored);
  }
  /// The values of the blocks that `values`, which begin at (firstRow,
  /// firstCol), touch: zeros for those that are not among them. Column-major,
  /// in `buffer`.
  MatrixView gather(int64_t firstRow, int64_t firstCol, ConstMatrixView values,
                    std::vector<float> &buffer) const;
  /// The inverse; what is not stored becomes zero.
  void scatter(int64_t firstRow, int64_t firstCol, ConstMatrixView stored,
               MatrixView values) const;

private:
  SparsityPattern pattern;
  int64_t storedCols;
  /// [rows][storedCols]
  std::vector<uint8_t> indices;
};

/// Hands what is stored to the encoder of the values.
class NOfMEncoder final : public MatrixEncoder {
public:
  NOfMEncoder(const NOfMFormat &format, std::unique_ptr<MatrixEncoder> values,
              KeptElements kept, int64_t cols);

  /// Takes no notice of the importance of columns: rows store different ones.
  void fit(int64_t firstRow, int64_t group, ConstMatrixView values,
           llvm::ArrayRef<float> importance) override;
  void fitExactly(int64_t firstRow, int64_t group,
                  ConstMatrixView values) override;
  void encode(int64_t firstRow, int64_t firstCol, ConstMatrixView values,
              MatrixView decoded) override;
  void rescale(int64_t firstRow, llvm::ArrayRef<int64_t> storedCols,
               llvm::ArrayRef<float> factors, MatrixView decoded) override;
  bool hasScales() const override { return inner->hasScales(); }
  QuantizedMatrix finish() override;

private:
  /// Codes elements of blocks that are not given whole.
  void encodeSingly(int64_t firstRow, int64_t firstCol, ConstMatrixView values,
                    MatrixView decoded);

  NOfMFormat format;
  std::unique_ptr<MatrixEncoder> inner;
  KeptElements kept;
};

} // namespace lowbit

#endif // LOWBIT_LIB_QUANTIZE_NOFMENCODER_H
