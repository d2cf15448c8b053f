//===- SparseOutliersFormat.h - Codes and a few exact elements -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_SPARSEOUTLIERSFORMAT_H
#define LOWBIT_QUANTIZE_SPARSEOUTLIERSFORMAT_H

#include "lowbit/Quantize/BlockFormat.h"

namespace lowbit {

/// A matrix that is the sum of one in any other format, the dense part, and a
/// sparse one, whose elements are the outliers.
///
/// The dense part has the outliers as zeros, so that they neither widen the
/// range of their group nor take part in any search. The sparse part stores how
/// much an outlier differs from what the dense part decodes to there: the
/// outlier itself, rounded to the type of the values, if the dense part can
/// represent zero. An element is the sum of the two in single precision.
///
/// Outliers are those of `findOutliers`. The components of the dense part are
/// followed by `outlier_offsets` (i32, one more than there are rows),
/// `outlier_columns` (unsigned numbers, in 16 bits where the columns are at
/// most 65536, else in 32) and `outlier_values`.
class SparseOutliersFormat final : public BlockFormat {
public:
  struct Spec {
    std::shared_ptr<const BlockFormat> dense;
    /// How many outliers a matrix has.
    int64_t count = 0;
    ElementType valueType = ElementType::F16;
  };
  /// How many components the sparse part has.
  static constexpr size_t numSparseComponents = 3;

  /// Fails with a message that names the wrong value.
  static llvm::Expected<SparseOutliersFormat> get(const Spec &spec);

  const Spec &getSpec() const { return spec; }
  /// What the columns of a matrix are stored as.
  static ElementType getColumnType(int64_t cols);

  std::string describe() const override;
  int64_t getUnitCols() const override { return spec.dense->getUnitCols(); }
  llvm::SmallVector<ComponentSpec, 3>
  getComponents(int64_t rows, int64_t cols) const override;
  std::shared_ptr<const BlockFormat> withOutliers(int64_t count) const override;
  llvm::Expected<std::unique_ptr<MatrixEncoder>>
  createEncoder(ConstMatrixView weights,
                const RangeSearch &search) const override;
  llvm::Error verifyContents(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                             int64_t rows, int64_t cols) const override;
  using BlockFormat::decode;
  llvm::Error decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                     MatrixView decoded) const override;

private:
  explicit SparseOutliersFormat(Spec spec) : spec(std::move(spec)) {}

  Spec spec;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_SPARSEOUTLIERSFORMAT_H
