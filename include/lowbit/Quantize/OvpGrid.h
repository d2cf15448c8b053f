//===- OvpGrid.h - The levels of outlier-victim pairs -----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Outlier-victim pairs (OliVe: Guo et al., ISCA 2023, arXiv 2304.07493) store a
// value either as a normal one, or as an outlier, which takes another meaning
// of the same bits from the code of its neighbour. Levels are in units of the
// scale, and symmetric about 0.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_OVPGRID_H
#define LOWBIT_QUANTIZE_OVPGRID_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/bit.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

namespace lowbit {

/// How normal values are coded.
///   * Int4, Int8: integers up to 7 and 127, in two's complement.
///   * Flint4: 0, 1, 2, 3, 4, 6, 8, 16; a sign above the first-one code of ANT
///     (Guo et al., MICRO 2022): 000, 001, 010, 011, 110, 111, 101, 100.
enum class OvpNormals : uint8_t { Int4, Flint4, Int8 };

/// How outliers are coded: a sign, e exponent bits and m mantissa bits, which
/// stand for (2^m + mantissa) 2^(exponent + bias). The bias lets them begin
/// where the normal values end (abfloat, "adaptive biased float"). Exponent and
/// mantissa 0 is not used: with a minus sign it would be the identifier.
enum class OvpOutliers : uint8_t { E2M1, E4M3, E2M5 };

/// "int4", "flint4", "int8".
llvm::StringRef getName(OvpNormals normals);
std::optional<OvpNormals> getOvpNormals(llvm::StringRef name);
/// "e2m1", "e4m3", "e2m5".
llvm::StringRef getName(OvpOutliers outliers);
std::optional<OvpOutliers> getOvpOutliers(llvm::StringRef name);

/// Codes and levels of one choice of both, which have the same bits.
class OvpGrid {
public:
  OvpGrid(OvpNormals normals, OvpOutliers outliers);

  unsigned getBits() const { return bits; }
  unsigned getMantissaBits() const { return mantissaBits; }
  unsigned getExponentBits() const { return bits - 1 - mantissaBits; }
  unsigned getBias() const { return bias; }
  bool isFlint() const { return flint; }
  /// The code of a victim: its neighbour is an outlier, and it is 0 itself. No
  /// normal value and no outlier has it.
  uint8_t getIdentifier() const { return 1 << (bits - 1); }

  float getLargestNormal() const { return largestNormal; }
  float getSmallestOutlier() const { return smallestOutlier; }
  float getLargestOutlier() const { return largestOutlier; }
  /// From here on magnitudes are nearer to an outlier than to a normal level.
  float getThreshold() const { return threshold; }
  bool isOutlier(float level) const { return std::fabs(level) > largestNormal; }

  /// The magnitudes of the codes 0 to 7 of flint4.
  static constexpr uint8_t flintMagnitudes[] = {0, 1, 2, 3, 16, 8, 4, 6};

  /// What a code stands for beside `neighbour`. Pairs that no encoder writes,
  /// two identifiers or an unused outlier, have a value, too.
  float decode(uint8_t code, uint8_t neighbour) const;
  /// The code of a level.
  uint8_t encode(float level) const;

  /// The magnitude of the level that is nearest to a magnitude, of normal
  /// values and outliers alike; in the middle of two the greater one.
  /// `isFlintGrid` is `isFlint`, known early so that loops vectorize.
  template <bool isFlintGrid>
  float roundMagnitude(float magnitude) const {
    const float outlier = std::max(
        roundMantissa(std::min(magnitude, largestOutlier), mantissaBits),
        smallestOutlier);
    const float clamped = std::min(magnitude, largestNormal);
    const float integer = roundToInteger(clamped);
    float normal = integer;
    if constexpr (isFlintGrid) {
      const float half = roundMantissa(clamped, 1);
      const float power = roundMantissa(clamped, 0);
      normal = clamped < 4 ? integer : clamped < 8 ? half : power;
    }
    return magnitude < threshold ? normal : outlier;
  }

private:
  /// A positive number to one of so many mantissa bits; ties go up.
  static float roundMantissa(float value, unsigned mantissaBits) {
    const uint32_t half = 1u << (22 - mantissaBits);
    const uint32_t number = llvm::bit_cast<uint32_t>(value) + half;
    return llvm::bit_cast<float>(number & ~(2 * half - 1));
  }
  /// Of 0 <= value < 2^22; ties go up.
  static float roundToInteger(float value) {
    // Adding 2^23 leaves no fraction, and rounds ties to even.
    const float even = (value + 0x1p23f) - 0x1p23f;
    return even + (value - even == 0.5f ? 1.0f : 0.0f);
  }

  unsigned bits, mantissaBits, bias;
  bool flint;
  float largestNormal, smallestOutlier, largestOutlier, threshold;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_OVPGRID_H
