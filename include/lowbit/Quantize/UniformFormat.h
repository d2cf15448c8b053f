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
#include "lowbit/Quantize/ScaleStorage.h"
#include <optional>

namespace lowbit {

/// What the zero points of a uniform format are: absent, which stands for 0,
/// integers of the codes' type, or floats, which are stored as numbers or in a
/// number format.
enum class ZeroKind : uint8_t { None, Integer, F16, BF16, F32, Format };

/// The type that float zero points are stored in as numbers; nothing for other
/// kinds.
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
///     more integer bits than its type gets a scale that leaves it those. Zero
///     points in a format have no type: a range that is narrower than its
///     distance from 0 gets the scale of one that is as wide as that, so that
///     its zero point does not spoil those that are quantized with it.
/// A scale that is a power of two (f8E8M0FNU) follows the rule of OCP
/// Microscaling, of which MXINT8 is an instance: the least one with which the
/// range has fewer steps than codes of b bits can count, so that values clip by
/// less than a step.
///
/// The scale is rounded to its storage first, and codes are computed against
/// the rounded scale, except where `ScaleStorage` says otherwise. A scale that
/// would be stored as 0 in a type becomes the smallest positive number of the
/// type. An all-zero group takes the range [-1, 1], so that its scale stays a
/// normal number; with float zero points [0, 1], which decodes to exact zeros.
/// Scales that a format stores have neighbours that one of that size would
/// spoil: there the scale of an all-zero group is 0.
///
/// Zero points follow from scales as they are stored, if these are numbers. If
/// they have a format, zero points follow from the scales before that, and are
/// then quantized themselves: the bilevel quantization of SpQR.
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
    ScaleStorage scales = ScaleType::F16;
    /// Of `ZeroKind::Format`.
    std::shared_ptr<const BlockFormat> zeroFormat = nullptr;

    bool hasZeroPoint() const { return zero != ZeroKind::None; }
    bool hasFloatZero() const {
      return hasZeroPoint() && zero != ZeroKind::Integer;
    }
    /// Of `ZeroKind::Format`.
    ScaleStorage getZeroStorage() const {
      return ScaleStorage(zeroFormat, /*hasOffset=*/false, "zeros");
    }
  };

  /// The parameters of one group, as far as they are rounded to storage without
  /// those of other groups.
  struct Parameters {
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
  /// `scale` as it reads back from storage, as far as that depends on no other
  /// scale; as a number of some type it is positive and finite.
  float roundScale(float scale) const;
  /// `zero` as it reads back from storage, as far as that depends on no other
  /// one: for integers the nearest code.
  float roundZero(float zero) const;
  /// The parameters whose codes span `range`.
  Parameters getParameters(Range range) const;
  /// Parameters with which all values are exact, if there are any, as far as
  /// those of other groups do not matter. Values that are all 0 need none.
  std::optional<Parameters> findExact(llvm::ArrayRef<float> values) const;
  /// Reads all parameters, [row groups x column groups], from components of the
  /// right sizes. Without zero points, these are 0.
  llvm::Error
  decodeParameters(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                   MatrixView scales, MatrixView zeros) const;
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
  std::unique_ptr<ScaledLevels> getScaledLevels() const override;
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
