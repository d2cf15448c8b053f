//===- GgmlSearch.cpp - The scale searches of GGML ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GgmlSearch.h"
#include "lowbit/Quantize/GgmlLayout.h"

using namespace lowbit;
using namespace lowbit::ggml;

static constexpr Floats zero = {};

Floats ggml::getSignedLargest(Values values) {
  Floats largest = zero, magnitude = zero;
  for (Floats x : values) {
    const Ints larger = abs(x) > magnitude;
    magnitude = select(larger, abs(x), magnitude);
    largest = select(larger, x, largest);
  }
  return largest;
}

//===----------------------------------------------------------------------===//
// Symmetric codes
//===----------------------------------------------------------------------===//

namespace {
/// What the error of codes depends on: the sums of w x q and of w q².
struct Projection {
  Floats sumXQ = zero, sumQQ = zero;

  void add(Floats x, Floats weight, Floats code) {
    sumXQ += weight * x * code;
    sumQQ += weight * code * code;
  }
  /// The least-squares scale, where there is one.
  Floats getScale() const { return select(sumQQ != zero, sumXQ / sumQQ, zero); }
};
} // namespace

SymmetricScale ggml::searchSymmetric(Values values, Values weights,
                                     float maxCode) {
  const Floats largest = getSignedLargest(values);
  const Ints isZero = abs(largest) < splat(zeroBound);
  auto project = [&](Floats inverse) {
    Projection sums;
    for (size_t i = 0; i < values.size(); ++i)
      sums.add(values[i], weights[i],
               nearest(inverse * values[i], -maxCode, maxCode - 1));
    return sums;
  };
  Floats inverse = splat(-maxCode) / largest;
  Projection sums = project(inverse);
  Floats scale = sums.getScale();
  Floats best = scale * sums.sumXQ;
  for (int trial = -9; trial <= 9; ++trial) {
    if (trial == 0)
      continue;
    const Floats candidate =
        splat(-(maxCode + 0.1f * static_cast<float>(trial))) / largest;
    sums = project(candidate);
    const Ints better =
        (sums.sumQQ > zero) & (sums.sumXQ * sums.sumXQ > best * sums.sumQQ);
    scale = select(better, sums.sumXQ / sums.sumQQ, scale);
    best = select(better, scale * sums.sumXQ, best);
    inverse = select(better, candidate, inverse);
  }
  return {select(isZero, zero, scale), select(isZero, zero, inverse), isZero};
}

Floats ggml::descendSymmetric(Values values, float maxCode, Codes codes) {
  const Floats largest = getSignedLargest(values);
  const Ints isZero = abs(largest) < splat(zeroBound);
  const Floats inverse = splat(-maxCode) / largest;
  Floats current[maxGroupCols];
  Projection sums;
  for (size_t i = 0; i < values.size(); ++i) {
    const Floats x = values[i];
    current[i] = nearest(inverse * x, -maxCode, maxCode - 1);
    sums.add(x, x * x, current[i]);
  }
  for (int pass = 0; pass < 5; ++pass) {
    Ints changed = {};
    for (size_t i = 0; i < values.size(); ++i) {
      const Floats x = values[i], weight = x * x;
      // Without this value's share.
      Projection others;
      others.sumXQ = sums.sumXQ - weight * x * current[i];
      others.sumQQ = sums.sumQQ - weight * current[i] * current[i];
      const Ints possible = others.sumXQ > zero;
      // The quotient may be beyond what rounds to an integer.
      const Floats code =
          clamp(toFloats(nearestInt(x * others.sumQQ / others.sumXQ)), -maxCode,
                maxCode - 1);
      const Ints differs = possible & (code != current[i]);
      // The next value need not wait for sums that do not change.
      if (!any(differs))
        continue;
      others.add(x, weight, code);
      const Ints better = differs & (others.sumQQ > zero) &
                          (others.sumXQ * others.sumXQ * sums.sumQQ >
                           sums.sumXQ * sums.sumXQ * others.sumQQ);
      current[i] = select(better, code, current[i]);
      sums.sumXQ = select(better, others.sumXQ, sums.sumXQ);
      sums.sumQQ = select(better, others.sumQQ, sums.sumQQ);
      changed |= better & ~isZero;
    }
    if (!any(changed))
      break;
  }
  for (size_t i = 0; i < values.size(); ++i)
    codes[i] = ~isZero & toInts(current[i] + splat(maxCode));
  return select(isZero | ~(sums.sumQQ > zero), zero, sums.sumXQ / sums.sumQQ);
}

//===----------------------------------------------------------------------===//
// Codes with a min
//===----------------------------------------------------------------------===//

AffineScale ggml::searchAffine(Values values, Values weights,
                               const AffineSearch &search) {
  const size_t count = values.size();
  Floats min = values[0], max = values[0];
  Floats sumW = weights[0], sumX = sumW * values[0];
  for (size_t i = 1; i < count; ++i) {
    const Floats x = values[i];
    min = x < min ? x : min;
    max = x > max ? x : max;
    sumW += weights[i];
    sumX += weights[i] * x;
  }
  min = min > zero ? zero : min;
  const Ints isFlat = max == min;

  auto getCode = [&](Floats inverse, Floats origin, Floats x) {
    return nearest(inverse * (x - origin), 0, search.maxCode);
  };
  // Of the codes for `inverse` and `origin`, decoded with `scale` and `offset`.
  auto getError = [&](Floats inverse, Floats origin, Floats scale,
                      Floats offset) {
    Floats error = zero;
    for (size_t i = 0; i < count; ++i) {
      const Floats code = getCode(inverse, origin, values[i]);
      const Floats difference = scale * code + offset - values[i];
      error += weights[i] *
               (search.useAbsolute ? abs(difference) : difference * difference);
    }
    return error;
  };
  AffineScale best;
  best.inverse = splat(search.maxCode) / (max - min);
  best.scale = splat(1.0f) / best.inverse;
  best.min = min;
  best.origin = min;
  Floats leastError = getError(best.inverse, min, best.scale, min);
  for (int step = 0; step <= search.steps; ++step) {
    // The range begins at the best min so far.
    const Floats origin = best.min;
    const Floats inverse =
        splat(search.first + search.delta * static_cast<float>(step) +
              search.maxCode) /
        (max - origin);
    Floats sumQ = zero, sumQQ = zero, sumXQ = zero;
    for (size_t i = 0; i < count; ++i) {
      const Floats code = getCode(inverse, origin, values[i]);
      const Floats weighted = weights[i] * code;
      sumQ += weighted;
      sumQQ += weighted * code;
      sumXQ += weighted * values[i];
    }
    const Floats determinant = sumW * sumQQ - sumQ * sumQ;
    Floats scale = (sumW * sumXQ - sumX * sumQ) / determinant;
    Floats offset = (sumQQ * sumX - sumQ * sumXQ) / determinant;
    const Ints positive = offset > zero;
    offset = select(positive, zero, offset);
    scale = select(positive, sumXQ / sumQQ, scale);
    const Floats error = getError(inverse, origin, scale, offset);
    const Ints better = (determinant > zero) & (error < leastError);
    leastError = select(better, error, leastError);
    best.scale = select(better, scale, best.scale);
    best.min = select(better, offset, best.min);
    best.inverse = select(better, inverse, best.inverse);
    best.origin = select(better, origin, best.origin);
  }
  best.scale = select(isFlat, zero, best.scale);
  best.min = select(isFlat, min, best.min);
  best.inverse = select(isFlat, zero, best.inverse);
  best.origin = select(isFlat, min, best.origin);
  return best;
}

//===----------------------------------------------------------------------===//
// Scales of scales
//===----------------------------------------------------------------------===//

Floats ggml::searchPositive(Values values, Values weights, int32_t maxCode,
                            Codes codes) {
  const size_t count = values.size();
  const float bound = static_cast<float>(maxCode);
  Floats max = zero;
  for (Floats x : values)
    max = max > x ? max : x;
  const Ints isZero = max < splat(zeroBound);
  auto getCode = [&](Floats inverse, Floats x) {
    const Ints code = nearestInt(inverse * x);
    return select(code < splat(maxCode), code, splat(maxCode));
  };
  auto getError = [&](Floats inverse) {
    const Floats scale = splat(1.0f) / inverse;
    Floats error = zero;
    for (size_t i = 0; i < count; ++i) {
      const Floats difference =
          values[i] - scale * toFloats(getCode(inverse, values[i]));
      error += weights[i] * difference * difference;
    }
    return error;
  };
  Floats inverse = splat(bound) / max;
  Floats leastError = getError(inverse);
  for (int trial = -4; trial <= 4; ++trial) {
    if (trial == 0)
      continue;
    const Floats candidate =
        splat(0.1f * static_cast<float>(trial) + bound) / max;
    const Floats error = getError(candidate);
    const Ints better = error < leastError;
    leastError = select(better, error, leastError);
    inverse = select(better, candidate, inverse);
  }
  Projection sums;
  for (size_t i = 0; i < count; ++i) {
    codes[i] = getCode(inverse, values[i]);
    sums.add(values[i], weights[i], toFloats(codes[i]));
  }
  for (int pass = 0; pass < 5; ++pass) {
    Ints changed = {};
    for (size_t i = 0; i < count; ++i) {
      const Floats x = values[i], weight = weights[i];
      const Floats current = toFloats(codes[i]);
      Projection others;
      others.sumXQ = sums.sumXQ - weight * x * current;
      others.sumQQ = sums.sumQQ - weight * current * current;
      const Ints possible = (others.sumXQ > zero) & (others.sumQQ > zero);
      Ints code = nearestInt(x * others.sumQQ / others.sumXQ);
      code = select(code < splat(maxCode), code, splat(maxCode));
      const Ints differs = possible & (code != codes[i]);
      others.add(x, weight, toFloats(code));
      const Ints better = differs & (others.sumXQ * others.sumXQ * sums.sumQQ >
                                     sums.sumXQ * sums.sumXQ * others.sumQQ);
      codes[i] = select(better, code, codes[i]);
      sums.sumXQ = select(better, others.sumXQ, sums.sumXQ);
      sums.sumQQ = select(better, others.sumQQ, sums.sumQQ);
      changed |= better & ~isZero;
    }
    if (!any(changed))
      break;
  }
  for (Ints &code : codes)
    code &= ~isZero;
  return select(isZero | ~(sums.sumQQ > zero), zero, sums.sumXQ / sums.sumQQ);
}

//===----------------------------------------------------------------------===//
// Codes of a table
//===----------------------------------------------------------------------===//

namespace {
/// A step from one table entry to the next.
struct TableStep {
  /// Half-way, from where on the next entry is nearer or as near.
  float bound;
  float height;
};
} // namespace

static constexpr TableStep getTableStep(size_t index) {
  const float low = ggmlTable[index], high = ggmlTable[index + 1];
  return {(low + high) / 2, high - low};
}

/// The nearest table entry. Sums of the steps are exact.
static Floats roundToTable(Floats values) {
  Floats entry = splat(static_cast<float>(ggmlTable[0]));
#pragma unroll
  for (size_t i = 0; i + 1 < ggmlTable.size(); ++i)
    entry += select(values >= splat(getTableStep(i).bound),
                    splat(getTableStep(i).height), zero);
  return entry;
}

Ints ggml::findInTable(Floats values) {
  Ints index = {};
  for (size_t i = 0; i + 1 < ggmlTable.size(); ++i)
    index -= values >= splat(getTableStep(i).bound);
  return index;
}

Floats ggml::searchTable(Values values, Values weights) {
  const float first = ggmlTable[0];
  const Floats largest = getSignedLargest(values);
  auto project = [&](Floats inverse) {
    Projection sums;
    for (size_t i = 0; i < values.size(); ++i) {
      const Floats entry = roundToTable(inverse * values[i]);
      sums.sumXQ += weights[i] * entry * values[i];
      sums.sumQQ += weights[i] * entry * entry;
    }
    return sums;
  };
  Projection sums = project(splat(1.0f) / (-largest / splat(first)));
  Floats scale = select(sums.sumQQ > zero, sums.sumXQ / sums.sumQQ, zero);
  Floats best = scale * sums.sumXQ;
  for (int trial = -7; trial <= 7; ++trial) {
    sums = project(splat(static_cast<float>(trial) + first) / largest);
    const Ints better =
        (sums.sumQQ > zero) & (sums.sumXQ * sums.sumXQ > best * sums.sumQQ);
    scale = select(better, sums.sumXQ / sums.sumQQ, scale);
    best = select(better, scale * sums.sumXQ, best);
  }
  return select(abs(largest) < splat(zeroBound), zero, scale);
}
