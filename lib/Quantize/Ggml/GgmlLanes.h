//===- GgmlLanes.h - Several rows at once -----------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The searches sum floats in a fixed order, so a loop over the values of a
// group cannot be vectorized without changing bits. Rows are independent: a
// lane is a row, and every lane does what scalar code does for its row.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_GGML_GGMLLANES_H
#define LOWBIT_LIB_QUANTIZE_GGML_GGMLLANES_H

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace lowbit::ggml {

/// As wide as the vectors that every x86-64 and every AArch64 processor has.
inline constexpr int64_t numLanes = 4;
using Floats = float __attribute__((vector_size(numLanes * sizeof(float))));
using Ints = int32_t __attribute__((vector_size(numLanes * sizeof(int32_t))));

inline Floats splat(float value) { return Floats{value, value, value, value}; }
inline Ints splat(int32_t value) { return Ints{value, value, value, value}; }
inline Floats toFloats(Ints values) {
  return __builtin_convertvector(values, Floats);
}
/// Towards zero.
inline Ints toInts(Floats values) {
  return __builtin_convertvector(values, Ints);
}

// Masks are what comparisons give: all bits of a lane or none.
inline Floats select(Ints mask, Floats yes, Floats no) {
  return reinterpret_cast<Floats>((mask & reinterpret_cast<Ints>(yes)) |
                                  (~mask & reinterpret_cast<Ints>(no)));
}
inline Ints select(Ints mask, Ints yes, Ints no) {
  return (mask & yes) | (~mask & no);
}
inline bool any(Ints mask) {
  return (mask[0] | mask[1] | mask[2] | mask[3]) != 0;
}

inline Floats abs(Floats values) {
  return reinterpret_cast<Floats>(reinterpret_cast<Ints>(values) &
                                  splat(0x7FFFFFFF));
}
inline Floats sqrt(Floats values) {
  for (int64_t lane = 0; lane < numLanes; ++lane)
    values[lane] = std::sqrt(values[lane]);
  return values;
}
/// A NaN becomes `lo`.
inline Floats clamp(Floats values, float lo, float hi) {
  values = values > splat(lo) ? values : splat(lo);
  return values < splat(hi) ? values : splat(hi);
}

/// `count` floats, `stride` apart; lanes beyond repeat the last one.
inline Floats load(const float *from, int64_t stride, int64_t count) {
  Floats values;
  if (stride == 1 && count == numLanes) {
    std::memcpy(&values, from, sizeof(values));
    return values;
  }
  for (int64_t lane = 0; lane < numLanes; ++lane)
    values[lane] = from[std::min(lane, count - 1) * stride];
  return values;
}
inline void store(Floats values, float *to, int64_t stride, int64_t count) {
  if (stride == 1 && count == numLanes) {
    std::memcpy(to, &values, sizeof(values));
    return;
  }
  for (int64_t lane = 0; lane < count; ++lane)
    to[lane * stride] = values[lane];
}

/// To the nearest integer, ties to even, for |x| <= 2^22; beyond, what the
/// reference code makes of it: the low 23 bits.
inline Ints nearestInt(Floats values) {
  const Ints bits = reinterpret_cast<Ints>(values + splat(12582912.0f));
  return (bits & splat(0x007FFFFF)) - splat(0x00400000);
}
/// The same as a float, first clamped to bounds that are integers.
inline Floats nearest(Floats values, float lo, float hi) {
  constexpr float magic = 12582912.0f;
  return (clamp(values, lo, hi) + splat(magic)) - splat(magic);
}

} // namespace lowbit::ggml

#endif // LOWBIT_LIB_QUANTIZE_GGML_GGMLLANES_H
