//===- OvpFormat.h - Outlier-victim pairs with scales -----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_OVPFORMAT_H
#define LOWBIT_QUANTIZE_OVPFORMAT_H

#include "lowbit/Quantize/GroupedFormat.h"
#include "lowbit/Quantize/OvpGrid.h"
#include "lowbit/Quantize/ScaleStorage.h"

namespace lowbit {

/// value = scale * level, where two columns 2i and 2i + 1 are a pair: at most
/// one of them is an outlier, and then the other is its victim, 0. A missing
/// last column is 0.
///
/// Every value takes the nearest level, normal or outlier. The victim of an
/// outlier becomes 0; of two outliers the one of the larger value stays, or
/// always the left one, as in the authors' code.
///
/// The scale of a group is found by its squared error, weighted by the
/// importance of columns: of the 38 scales a / largest normal level with a =
/// 0.75, 0.77, ... 1.49 times max(|mean + 3 sigma|, |mean - 3 sigma|), where
/// sigma is the standard deviation of a sample, the first one with the least
/// error, all of it counted as it is stored. A range search has no say.
class OvpFormat final : public GroupedFormat {
public:
  struct Spec {
    OvpNormals normals = OvpNormals::Int4;
    OvpOutliers outliers = OvpOutliers::E2M1;
    /// Of two outliers, the left one stays.
    bool keepsLeft = false;
    /// The shape of a group; 0 stands for the whole dimension.
    int64_t groupRows = 1;
    int64_t groupCols = 0;
    ScaleStorage scales = ScaleType::F16;
  };

  /// Fails with a message that names the wrong value.
  static llvm::Expected<OvpFormat> get(const Spec &spec);

  const Spec &getSpec() const { return spec; }
  const OvpGrid &getGrid() const { return grid; }

  /// The columns with the one that the last pair may lack.
  static int64_t getPaddedCols(int64_t cols) { return cols + cols % 2; }
  /// Where the code of a column stands in a row of codes whose bytes are filled
  /// from the least significant bit: of four bits, the left one of a pair has
  /// the high nibble.
  int64_t getPlace(int64_t col) const {
    return grid.getBits() == 4 ? col ^ 1 : col;
  }

  /// A value in units of its scale, which is 0 where all values are.
  static float divide(float value, float scale) {
    return scale == 0 ? 0 : value / scale;
  }
  /// The levels of pairs of values, which are in units of the scale.
  void roundPairs(int64_t count, const float *left, const float *right,
                  float *leftLevels, float *rightLevels) const;
  /// The scale, not stored yet, of each group of rows in values of one group of
  /// columns.
  llvm::SmallVector<float> searchScales(ConstMatrixView values,
                                        llvm::ArrayRef<float> importance) const;
  /// The scales in the middle of what is searched, for the size of scales.
  llvm::SmallVector<float> getTypicalScales(ConstMatrixView values) const;

  std::string describe() const override;
  int64_t getUnitCols() const override { return 2; }
  llvm::SmallVector<ComponentSpec, 3>
  getComponents(int64_t rows, int64_t cols) const override;
  llvm::Expected<std::unique_ptr<MatrixEncoder>>
  createEncoder(ConstMatrixView weights,
                const RangeSearch &search) const override;
  std::unique_ptr<ScaledLevels> getScaledLevels() const override;
  using BlockFormat::decode;
  llvm::Error decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                     MatrixView decoded) const override;

private:
  explicit OvpFormat(const Spec &spec)
      : GroupedFormat(spec.groupRows, spec.groupCols), spec(spec),
        grid(spec.normals, spec.outliers) {}

  Spec spec;
  OvpGrid grid;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_OVPFORMAT_H
