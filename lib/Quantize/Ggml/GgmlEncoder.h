//===- GgmlEncoder.h - Codes one matrix in GGML blocks ----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_GGML_GGMLENCODER_H
#define LOWBIT_LIB_QUANTIZE_GGML_GGMLENCODER_H

#include "GgmlFit.h"
#include "lowbit/Quantize/GgmlFormat.h"
#include <vector>

namespace lowbit::ggml {

/// Writes into the blocks right away: `fit` their scales, `encode` their codes.
/// Beside them it keeps, for each group of each row, what values are rounded
/// with.
class GgmlEncoder final : public MatrixEncoder {
public:
  GgmlEncoder(const GgmlFormat &format, ConstMatrixView weights);

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
  /// How a type rounds without importance.
  enum class Family : uint8_t { Truncate, Bytes, Divide, Table };

  /// Up to `numLanes` rows.
  struct RowRange {
    int64_t first;
    int64_t count;
  };
  using CodeRows = uint8_t (*)[maxBlockCols];
  /// One group of these rows.
  struct LaneParameters {
    Floats scale, min, inverse, origin;
    /// Lanes that round to nearest, and lanes whose codes stay.
    Ints isNearest = {}, isFixed = {};
  };

  Family getFamily() const;
  uint8_t *getBlock(int64_t row, int64_t block) {
    return result.components.front().bytes.data() +
           (row * (getCols() / layout.blockCols) + block) * layout.blockBytes;
  }
  /// Where the parameters of a group, counted along the row, are kept.
  int64_t getIndex(int64_t row, int64_t group) const {
    return group * getRows() + row;
  }

  void storeFit(RowRange rows, int64_t block, const BlockFit &fit);
  /// What the block's scales decode to becomes what values are coded with.
  void loadParameters(int64_t row, int64_t block);
  LaneParameters getParameters(RowRange rows, int64_t group) const;
  template <Family family>
  Ints roundUsual(Floats values, const LaneParameters &parameters) const;
  /// Codes columns of one group into `codes`, by lane and column of the block.
  template <Family family>
  void encodeGroup(RowRange rows, int64_t firstCol, ConstMatrixView values,
                   MatrixView decoded, CodeRows codes);
  template <Family family>
  void encodeRows(RowRange rows, int64_t firstCol, ConstMatrixView values,
                  MatrixView decoded);

  const GgmlLayout &layout;
  QuantizedMatrix result;
  /// Of each row, as the encoder was given it; 0 where no search asks for it.
  std::vector<float> rowMeanSquares;
  // For each group of each row; the last two are empty in types that divide by
  // the stored scale.
  std::vector<GroupParameters> parameters;
  std::vector<Rounding> roundings;
  std::vector<float> inverses, origins;
};

} // namespace lowbit::ggml

#endif // LOWBIT_LIB_QUANTIZE_GGML_GGMLENCODER_H
