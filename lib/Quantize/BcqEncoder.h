//===- BcqEncoder.h - Codes one matrix as sums of signs ---------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_BCQENCODER_H
#define LOWBIT_LIB_QUANTIZE_BCQENCODER_H

#include "lowbit/Quantize/BcqFormat.h"
#include <array>
#include <optional>
#include <vector>

namespace lowbit {

/// Keeps codes and parameters column by column, as the uniform encoder does.
class BcqEncoder final : public MatrixEncoder {
public:
  BcqEncoder(const BcqFormat &format, int64_t rows, int64_t cols);

  void fit(int64_t firstRow, int64_t group, ConstMatrixView values,
           llvm::ArrayRef<float> importance) override;
  void fitExactly(int64_t firstRow, int64_t group,
                  ConstMatrixView values) override;
  void encode(int64_t firstRow, int64_t firstCol, ConstMatrixView values,
              MatrixView decoded) override;
  QuantizedMatrix finish() override;

private:
  static constexpr unsigned maxBits = 4;
  static constexpr unsigned maxLevels = 1 << maxBits;

  /// The parameters of one row.
  struct Parameters {
    /// Descending; those beyond the format's bits are 0.
    std::array<float, maxBits> scales;
    float offset;
  };
  /// What a group decodes to, ascending.
  struct Levels {
    std::array<float, maxLevels> values;
    /// Bit i says that scale i is added.
    std::array<uint8_t, maxLevels> codes;

    float getBound(unsigned i) const { return (values[i - 1] + values[i]) / 2; }
  };
  struct Sums;

  Levels getLevels(const Parameters &parameters) const;
  /// The parameters of the greedy fit, and the sums over its codes.
  std::vector<Parameters> fitGreedily(ConstMatrixView values,
                                      llvm::ArrayRef<float> importance,
                                      Sums &sums) const;
  /// Sums over the nearest codes.
  void sumNearest(llvm::ArrayRef<Parameters> parameters, ConstMatrixView values,
                  llvm::ArrayRef<float> importance, Sums &sums) const;
  /// The parameters of least squares for codes with these sums, which it adds
  /// up over the rows that share them.
  void refine(std::vector<Parameters> &parameters, Sums &sums) const;
  Parameters solve(const Sums &sums, int64_t row) const;
  /// Parameters of equidistant levels, `step` apart.
  Parameters makeEquidistant(float step, float offset) const;
  /// Those with which all members are levels, if there are any.
  std::optional<Parameters> findExact(llvm::ArrayRef<float> members) const;
  float roundScale(float scale) const;

  BcqFormat format;
  unsigned numLevels;
  /// [cols][rows]
  std::vector<uint8_t> codes;
  /// [column groups][rows]
  std::vector<Parameters> parameters;
  std::vector<Levels> levels;
};

} // namespace lowbit

#endif // LOWBIT_LIB_QUANTIZE_BCQENCODER_H
