//===- UniformExactFit.cpp - Uniform parameters of exact values -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExactFit.h"
#include "lowbit/Quantize/UniformFormat.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

using namespace lowbit;

/// The zero point with which multiples of a scale, from `range.lo` to
/// `range.hi`, are codes: of several the one nearest to the middle of the
/// codes, so that symmetric codes are merely shifted. Nothing if there is none.
static std::optional<float> findZero(const UniformFormat &format, Range range) {
  const auto minCode = static_cast<float>(format.getMinCode());
  const auto maxCode = static_cast<float>(format.getMaxCode());
  const float least = minCode - range.lo, most = maxCode - range.hi;
  if (least > most)
    return std::nullopt;
  const float middle = (minCode + maxCode + 1) / 2;
  const float zero = format.roundZero(std::clamp(middle, least, most));
  // A zero point that had to be rounded or clipped leaves some out.
  if (range.lo + zero < minCode || range.hi + zero > maxCode ||
      zero != std::nearbyint(zero))
    return std::nullopt;
  return zero;
}

/// Whether the format decodes its nearest codes to the values themselves.
static bool isExact(const UniformFormat &format, llvm::ArrayRef<float> values,
                    const UniformFormat::Parameters &parameters) {
  return llvm::all_of(values, [&](float value) {
    return format.decodeValue(format.encodeValue(value, parameters),
                              parameters) == value;
  });
}

/// The zero point, which need not be a whole number, that goes with a scale.
/// The least value is `lo`, and the greatest one `steps` codes above it.
static std::optional<float> findFloatZero(const UniformFormat &format,
                                          llvm::ArrayRef<float> values,
                                          float lo, float scale,
                                          int32_t steps) {
  // Most scales are wrong, which shows before zero points are tried: with the
  // right one, differences are off by rounding errors of the values.
  const float tolerance =
      0x1p-20f * (std::fabs(getGreatest(values)) / scale + steps);
  if (!(scale > 0) || !llvm::all_of(values, [&](float value) {
        const float count = (value - lo) / scale;
        return std::fabs(count - std::nearbyint(count)) <= tolerance;
      }))
    return std::nullopt;
  for (int32_t least = format.getMinCode();
       least <= format.getMaxCode() - steps; ++least)
    if (std::optional<float> zero = findExact(
            static_cast<float>(least) - lo / scale,
            [&](float zero) { return format.roundZero(zero); },
            [&](float zero) { return isExact(format, values, {scale, zero}); }))
      return zero;
  return std::nullopt;
}

std::optional<UniformFormat::Parameters>
UniformFormat::findExact(llvm::ArrayRef<float> values) const {
  const float greatest = getGreatest(values);
  if (greatest == 0)
    return std::nullopt;
  auto round = [&](float scale) { return roundScale(scale); };
  const int32_t steps = getMaxCode() - getMinCode();
  const float minCode = getMinCode(), maxCode = getMaxCode();

  // Values that are multiples of a scale.
  float zero = 0;
  std::optional<float> scale =
      findExactScale(std::fabs(greatest), countTo(steps), /*anySign=*/false,
                     round, [&](float candidate) {
                       std::optional<Range> range =
                           getMultiples(values, candidate);
                       if (!range)
                         return false;
                       if (!spec.hasZeroPoint())
                         return range->lo >= minCode && range->hi <= maxCode;
                       std::optional<float> found = findZero(*this, *range);
                       zero = found.value_or(0);
                       return found.has_value();
                     });
  if (scale)
    return Parameters{*scale, zero};
  if (!spec.hasFloatZero())
    return std::nullopt;

  // Values whose differences are multiples of a scale.
  const auto [lo, hi] = std::minmax_element(values.begin(), values.end());
  for (int32_t count = 1; count <= steps; ++count) {
    scale = lowbit::findExact(
        (*hi - *lo) / static_cast<float>(count), round, [&](float candidate) {
          std::optional<float> found =
              findFloatZero(*this, values, *lo, candidate, count);
          zero = found.value_or(0);
          return found.has_value();
        });
    if (scale)
      return Parameters{*scale, zero};
  }
  return std::nullopt;
}
