//===- UniformFormat.h - Integers with a scale per group --------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_UNIFORMFORMAT_H
#define LOWBIT_QUANTIZE_UNIFORMFORMAT_H

#include "lowbit/Quantize/BlockFormat.h"

namespace lowbit {

/// Uniform integer codes of 1 to 8 bits, signed ones of 2 to 8: value = scale *
/// (code - zero).
///
/// A group is a block of `groupRows` x `groupCols` values with one scale and,
/// if the format has zero points, one integer zero point of as many bits as a
/// code. Zero is always exactly representable.
///
/// Parameters from a range [lo, hi] that contains 0, with b bits:
///   * zero points: scale = (hi - lo) / (2^b - 1), zero = round(-lo / scale)
///     (shifted to the signed codes where codes are signed);
///   * no zero points, signed: scale = 2a / (2^b - 1), a = max(-lo, hi), so
///     that all 2^b codes are used (the symmetric grid of the GPTQ reference);
///   * the same with a narrow range: scale = a / (2^(b-1) - 1), codes within
///     +-(2^(b-1) - 1);
///   * no zero points, unsigned: scale = hi / (2^b - 1), negative values clip.
/// The scale is rounded to its storage type first, and codes are computed
/// against the rounded scale. A scale that would be stored as 0 becomes the
/// smallest positive number of the type. An all-zero group takes the range
/// [-1, 1], so that its scale stays a normal number.
///
/// Codes are `round(value / scale) + zero`, halves to even, clamped.
class UniformFormat final : public BlockFormat {
public:
  struct Spec {
    unsigned bits = 4;
    bool isSigned = false;
    bool hasZeroPoint = true;
    /// Only for signed codes without zero points.
    bool narrowRange = false;
    /// The shape of a group; 0 stands for the whole dimension.
    int64_t groupRows = 1;
    int64_t groupCols = 128;
    ElementType scaleType = ElementType::F16;
  };

  /// The parameters of one group.
  struct Parameters {
    /// As it reads back from storage.
    float scale;
    int32_t zero;
  };

  /// Fails with a message that names the wrong value.
  static llvm::Expected<UniformFormat> get(const Spec &spec);

  const Spec &getSpec() const { return spec; }
  /// The least and the greatest code.
  int32_t getMinCode() const;
  int32_t getMaxCode() const;

  /// The shape of a group in a matrix of this shape, and how many there are.
  int64_t getGroupRows(int64_t rows) const;
  int64_t getGroupCols(int64_t cols) const;
  int64_t getNumRowGroups(int64_t rows) const;
  int64_t getNumColGroups(int64_t cols) const;

  /// The parameters whose codes span `range`.
  Parameters getParameters(Range range) const;
  /// The code nearest to a finite value.
  int32_t encodeValue(float value, const Parameters &parameters) const;
  float decodeValue(int32_t code, const Parameters &parameters) const {
    return parameters.scale * static_cast<float>(code - parameters.zero);
  }

  std::string describe() const override;
  llvm::SmallVector<ComponentSpec, 3>
  getComponents(int64_t rows, int64_t cols) const override;
  llvm::Expected<std::unique_ptr<MatrixEncoder>>
  createEncoder(ConstMatrixView weights,
                const RangeSearch &search) const override;
  using BlockFormat::decode;
  llvm::Error decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                     MatrixView decoded) const override;

private:
  explicit UniformFormat(const Spec &spec) : spec(spec) {}

  Spec spec;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_UNIFORMFORMAT_H
