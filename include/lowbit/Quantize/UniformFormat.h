//===- UniformFormat.h - Integers with a scale per group --------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_UNIFORMFORMAT_H
#define LOWBIT_QUANTIZE_UNIFORMFORMAT_H

#include "lowbit/Quantize/GroupedFormat.h"
#include <optional>

namespace lowbit {

/// What the zero points of a uniform format are: absent, which stands for 0,
/// integers of the codes' type, or floats.
enum class ZeroKind : uint8_t { None, Integer, F16, BF16, F32 };

/// The type that float zero points are stored in; nothing for other kinds.
std::optional<ElementType> getFloatType(ZeroKind kind);

/// Uniform integer codes of 1 to 8 bits, signed ones of 2 to 8: value = scale *
/// (code - zero).
///
/// A group is a block of `groupRows` x `groupCols` values with one scale and,
/// if the format has zero points, one zero point: an integer of as many bits as
/// a code, or a float. Unless zero points are floats, zero is exactly
/// representable.
///
/// Parameters from a range [lo, hi] with b bits, which contains 0 unless zero
/// points are floats:
///   * zero points: scale = (hi - lo) / (2^b - 1), zero = round(-lo / scale)
///     (shifted to the signed codes where codes are signed);
///   * no zero points, signed: scale = 2a / (2^b - 1), a = max(-lo, hi), so
///     that all 2^b codes are used (the symmetric grid of the GPTQ reference);
///   * the same with a narrow range: scale = a / (2^(b-1) - 1), codes within
///     +-(2^(b-1) - 1);
///   * no zero points, unsigned: scale = hi / (2^b - 1), negative values clip;
///   * float zero points: scale = (hi - lo) / (2^b - 1), zero = -lo / scale
///     (shifted as above). A range so narrow that the zero point would have
///     more integer bits than its type gets a scale that leaves it those.
/// The scale is rounded to its storage type first, and codes are computed
/// against the rounded scale. A scale that would be stored as 0 becomes the
/// smallest positive number of the type. An all-zero group takes the range
/// [-1, 1], so that its scale stays a normal number; with float zero points
/// [0, 1], which decodes to exact zeros.
///
/// Codes are `round(value / scale) + zero`, or `round(value / scale + zero)` if
/// zero points are floats, halves to even, clamped.
class UniformFormat final : public GroupedFormat {
public:
  struct Spec {
    unsigned bits = 4;
    bool isSigned = false;
    ZeroKind zero = ZeroKind::Integer;
    /// Only for signed codes without zero points.
    bool narrowRange = false;
    /// The shape of a group; 0 stands for the whole dimension.
    int64_t groupRows = 1;
    int64_t groupCols = 128;
    ElementType scaleType = ElementType::F16;

    bool hasZeroPoint() const { return zero != ZeroKind::None; }
    bool hasFloatZero() const { return getFloatType(zero).has_value(); }
  };

  /// The parameters of one group.
  struct Parameters {
    /// As they read back from storage.
    float scale;
    float zero;
  };

  /// Fails with a message that names the wrong value.
  static llvm::Expected<UniformFormat> get(const Spec &spec);

  const Spec &getSpec() const { return spec; }
  /// The least and the greatest code.
  int32_t getMinCode() const;
  int32_t getMaxCode() const;

  /// The range that the codes have to cover for `values`, which are at least
  /// one.
  Range getRange(llvm::ArrayRef<float> values) const;
  /// `scale` as it reads back from storage: positive and finite.
  float roundScale(float scale) const;
  /// `zero` as it reads back from storage: for integers the nearest code.
  float roundZero(float zero) const;
  /// The parameters whose codes span `range`.
  Parameters getParameters(Range range) const;
  /// Those of a group that `components` store, which have the right sizes.
  Parameters loadParameters(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                            int64_t rowGroup, int64_t colGroup,
                            int64_t colGroups) const;
  /// The code nearest to a finite value.
  int32_t encodeValue(float value, const Parameters &parameters) const;
  float decodeValue(int32_t code, const Parameters &parameters) const {
    return parameters.scale * (static_cast<float>(code) - parameters.zero);
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
  explicit UniformFormat(const Spec &spec)
      : GroupedFormat(spec.groupRows, spec.groupCols), spec(spec) {}

  Spec spec;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_UNIFORMFORMAT_H
