//===- CodebookEncoder.h - Codes one matrix by a table ----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_CODEBOOKENCODER_H
#define LOWBIT_LIB_QUANTIZE_CODEBOOKENCODER_H

#include "lowbit/Quantize/CodebookFormat.h"
#include <optional>
#include <vector>

namespace lowbit {

/// Keeps codes and scales column by column, the order in which solvers walk.
class CodebookEncoder final : public MatrixEncoder {
public:
  CodebookEncoder(const CodebookFormat &format,
                  std::unique_ptr<ScaleEncoder> scaleEncoder, int64_t rows,
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
  QuantizedMatrix finish() override;

private:
  /// The rows of a group, of which `getGroupRows` may be a multiple.
  int64_t getScaleRows() const { return format.getGroupRows(getRows()); }
  /// A scale with which all members are levels, if there is one.
  std::optional<float> findExactScale(llvm::ArrayRef<float> members) const;
  float searchScale(float greatest, llvm::ArrayRef<float> members) const;
  /// Keeps what `scaleEncoder` has stored, for `rows` rows.
  void setScales(int64_t firstRow, int64_t group, int64_t rows,
                 llvm::ArrayRef<float> stored);

  CodebookFormat format;
  std::unique_ptr<ScaleEncoder> scaleEncoder;
  const RangeSearch &search;
  /// [cols][rows].
  std::vector<uint8_t> codes;
  /// [column groups][rows]: repeated for each row of a group, so that `encode`
  /// reads them in step with the rows.
  std::vector<float> scales;
  std::vector<float> inverses;
};

} // namespace lowbit

#endif // LOWBIT_LIB_QUANTIZE_CODEBOOKENCODER_H
