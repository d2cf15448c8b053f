//===- NOfMFormat.h - Some elements of every block ---------------*- C++
//-*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_NOFMFORMAT_H
#define LOWBIT_QUANTIZE_NOFMFORMAT_H

#include "lowbit/Quantize/BlockFormat.h"
#include "lowbit/Quantize/Pruning.h"

namespace lowbit {

/// Of every M adjacent elements of a row, N are stored, and where they were;
/// the others are zero.
///
/// The stored values, N for each block, are a matrix of their own, in any other
/// format: its groups count stored values. Their places in the block follow as
/// the component `indices`: numbers of ceil(log2 M) bits that ascend in a
/// block, packed to a stream of bits row by row. The last block of a row may be
/// short; then values for places behind its end are stored as zeros.
///
/// The encoder keeps the elements with the greatest magnitudes.
class NOfMFormat final : public BlockFormat {
public:
  struct Spec {
    SparsityPattern pattern = {2, 4};
    std::shared_ptr<const BlockFormat> values;
  };

  /// Fails with a message that names the wrong value.
  static llvm::Expected<NOfMFormat> get(const Spec &spec);

  const Spec &getSpec() const { return spec; }
  unsigned getIndexBits() const;
  /// How many values of a row are stored.
  int64_t getStoredCols(int64_t cols) const;

  std::string describe() const override;
  llvm::SmallVector<ComponentSpec, 3>
  getComponents(int64_t rows, int64_t cols) const override;
  llvm::Expected<std::unique_ptr<MatrixEncoder>>
  createEncoder(ConstMatrixView weights,
                const RangeSearch &search) const override;
  llvm::Error verifyContents(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                             int64_t rows, int64_t cols) const override;
  using BlockFormat::decode;
  llvm::Error decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                     MatrixView decoded) const override;

private:
  explicit NOfMFormat(Spec spec) : spec(std::move(spec)) {}

  Spec spec;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_NOFMFORMAT_H
