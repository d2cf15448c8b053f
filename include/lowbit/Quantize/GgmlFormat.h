//===- GgmlFormat.h - The block types of GGML -------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_GGMLFORMAT_H
#define LOWBIT_QUANTIZE_GGMLFORMAT_H

#include "lowbit/Quantize/BlockFormat.h"
#include "lowbit/Quantize/GgmlLayout.h"
#include <array>
#include <cstdint>

namespace lowbit {

/// Blocks of GGML, byte for byte. The only component, "blocks", is what a GGUF
/// file holds.
///
/// Parameters are found by the searches of GGML's reference code, which differ
/// between types, and between fits with and without importance; the range
/// search that an encoder is given has no say. Rounding every value to the
/// nearest code (`fit`, then `encode` of the same values) gives the bytes of
/// `ggml_quantize_chunk`, operation by operation as a machine without fused
/// multiply-add computes them. Where that weighs errors by the mean square of
/// the whole row (the types of 32 columns, with importance), that is the mean
/// square of the row that the encoder was made for; super-blocks take that of
/// the values that they are fitted to.
///
/// Values that change after `fit` are rounded as the unchanged ones are, and
/// codes are clamped.
class GgmlFormat final : public BlockFormat {
public:
  explicit GgmlFormat(GgmlType type) : layout(&getGgmlLayout(type)) {}

  /// What a block holds, each thing by itself: an element is
  /// d * scale * level - dmin * min, or d * level + dmin.
  struct Block {
    std::array<uint8_t, 256> codes;
    /// Of each group; 1 and 0 where there are none.
    std::array<int32_t, 16> scales, mins;
    /// f16. Without mins there is no `dmin`.
    uint16_t d, dmin;
  };

  const GgmlLayout &getLayout() const { return *layout; }
  Block readBlock(const uint8_t *block) const;
  /// The largest magnitude of a value whose scales are finite.
  float getLargestValue() const;

  std::string describe() const override;
  /// `cols` must be a multiple of the columns of a block.
  llvm::SmallVector<ComponentSpec, 3>
  getComponents(int64_t rows, int64_t cols) const override;
  llvm::Expected<std::unique_ptr<MatrixEncoder>>
  createEncoder(ConstMatrixView weights,
                const RangeSearch &search) const override;
  using BlockFormat::decode;
  llvm::Error decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                     MatrixView decoded) const override;

private:
  const GgmlLayout *layout;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_GGMLFORMAT_H
