//===- OvpEncoder.h - Codes one matrix in pairs -----------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_OVPENCODER_H
#define LOWBIT_LIB_QUANTIZE_OVPENCODER_H

#include "lowbit/Quantize/OvpFormat.h"
#include <vector>

namespace lowbit {

/// Keeps codes and scales column by column, the order in which solvers walk.
class OvpEncoder final : public MatrixEncoder {
public:
  OvpEncoder(const OvpFormat &format,
             std::unique_ptr<ScaleEncoder> scaleEncoder, int64_t rows,
             int64_t cols);

  void fit(int64_t firstRow, int64_t group, ConstMatrixView values,
           llvm::ArrayRef<float> importance) override;
  void fitExactly(int64_t firstRow, int64_t group,
                  ConstMatrixView values) override;
  void encode(int64_t firstRow, int64_t firstCol, ConstMatrixView values,
              MatrixView decoded) override;
  QuantizedMatrix finish() override;

private:
  /// The rows of a group, of which `getGroupRows` may be a multiple.
  int64_t getScaleRows() const { return format.getGroupRows(getRows()); }
  /// Keeps a scale for each group of rows, for all of them.
  void setScales(int64_t firstRow, int64_t group, int64_t rows,
                 llvm::ArrayRef<float> stored);
  /// Whether the pairs of a group are levels of the grid.
  bool isExact(ConstMatrixView values, float scale) const;
  uint8_t *getCodes(int64_t col, int64_t firstRow) {
    return &codes[format.getPlace(col) * getRows() + firstRow];
  }

  OvpFormat format;
  std::unique_ptr<ScaleEncoder> scaleEncoder;
  /// [places][rows], with the column that the last pair may lack.
  std::vector<uint8_t> codes;
  /// [column groups][rows]: repeated for each row of a group.
  std::vector<float> scales;
};

} // namespace lowbit

#endif // LOWBIT_LIB_QUANTIZE_OVPENCODER_H
