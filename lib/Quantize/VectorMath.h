//===- VectorMath.h - Functions that vectorize on every target --*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_VECTORMATH_H
#define LOWBIT_LIB_QUANTIZE_VECTORMATH_H

#include "llvm/ADT/bit.h"
#include <algorithm>
#include <cstdint>

namespace lowbit {

/// Rounds to nearest, ties to even, for |x| < 2^22: adding 1.5 * 2^23 leaves no
/// fraction bits. Unlike `nearbyint`, this vectorizes on every target.
inline float roundHalfEven(float x) {
  constexpr float magic = 0x1.8p23f;
  return (x + magic) - magic;
}

/// log2(x) for normal x > 0, to about 1e-7 of the result or absolute.
inline float log2OfPositive(float x) {
  // x = m * 2^e with m within a factor of sqrt(2) of 1.
  const int32_t bits = llvm::bit_cast<int32_t>(x);
  const int32_t exponent = (bits - 0x3F3504F3) >> 23;
  const float m = llvm::bit_cast<float>(bits - (exponent << 23));
  // log2(m) = 2 / ln(2) * artanh((m - 1) / (m + 1)).
  const float t = (m - 1) / (m + 1), t2 = t * t;
  const float series =
      t * (2.8853901f + t2 * (0.96179669f + t2 * (0.57707802f + t2 * 0.412f)));
  return static_cast<float>(exponent) + series;
}

/// 2^x, relative to about 1e-6; |x| is cut to 126.
inline float exp2Clamped(float x) {
  x = std::min(std::max(x, -126.0f), 126.0f);
  const float n = roundHalfEven(x);
  const float y = (x - n) * 0.69314718f;
  const float series =
      1 + y * (1 + y * (1 / 2.f +
                        y * (1 / 6.f +
                             y * (1 / 24.f + y * (1 / 120.f + y / 720.f)))));
  const int32_t exponent = static_cast<int32_t>(n) + 127;
  return llvm::bit_cast<float>(exponent << 23) * series;
}

/// x^y for normal x > 0 and |y| <= 1. Exactly 1 for y = 0.
inline float powOfPositive(float x, float y) {
  return exp2Clamped(y * log2OfPositive(x));
}

} // namespace lowbit

#endif // LOWBIT_LIB_QUANTIZE_VECTORMATH_H
