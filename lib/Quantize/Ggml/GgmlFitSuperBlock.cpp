//===- GgmlFitSuperBlock.cpp - The parameters of k-quants -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The groups of a super-block are fitted one by one, then their scales are
// themselves quantized. Codes follow from the scales as they are stored.
//
//===----------------------------------------------------------------------===//

#include "GgmlFit.h"
#include "llvm/Support/ErrorHandling.h"
#include <algorithm>

using namespace lowbit;
using namespace lowbit::ggml;

static constexpr Floats zero = {};

static Floats sum(Values values) {
  Floats total = zero;
  for (Floats x : values)
    total += x;
  return total;
}

static Floats getLargest(Values values) {
  Floats largest = zero;
  for (Floats x : values)
    largest = x > largest ? x : largest;
  return largest;
}

//===----------------------------------------------------------------------===//
// Scales and mins
//===----------------------------------------------------------------------===//

namespace {
/// What differs between the types with mins.
struct MinType {
  /// Without importance.
  AffineSearch search;
  /// The weight of a group's value is its magnitude plus, if set, the root of
  /// the group's mean square.
  bool addRootMeanSquare;
  /// With importance: the mean square of the super-block counts this often.
  float meanSquareFactor;
  int32_t maxScale;
};
} // namespace

static MinType getMinType(GgmlType type) {
  switch (type) {
  case GgmlType::Q2_K:
    return {{3, -0.5f, 0.1f, 15, /*useAbsolute=*/true}, false, 1, 15};
  case GgmlType::Q4_K:
    return {{15, -1.0f, 0.1f, 20}, true, 2, 63};
  case GgmlType::Q5_K:
    return {{31, -0.5f, 0.1f, 15}, true, 2, 63};
  default:
    llvm_unreachable("a type without mins");
  }
}

/// Rounds scales, or mins, to multiples of the largest one over `maxScale`.
/// Returns that unit.
static Floats roundToLargest(Values scales, int32_t maxScale, Ints *rounded) {
  const Floats largest = getLargest(scales);
  const float bound = static_cast<float>(maxScale);
  const Floats inverse = select(largest > zero, splat(bound) / largest, zero);
  for (size_t i = 0; i < scales.size(); ++i)
    rounded[i] = toInts(nearest(inverse * scales[i], 0, bound));
  return largest / splat(bound);
}

void ggml::fitWithMins(const GgmlLayout &layout, const BlockValues &block,
                       BlockFit &fit) {
  const MinType type = getMinType(layout.type);
  const size_t cols = layout.groupCols, groups = layout.getNumGroups();
  const bool important = !block.importance.empty();
  const Floats meanSquare = splat(type.meanSquareFactor) *
                            sumSquares(block.values) /
                            splat(static_cast<float>(layout.blockCols));
  AffineSearch search = type.search;
  if (important)
    search = {search.maxCode, /*first=*/-0.9f, /*delta=*/0.05f, /*steps=*/36};

  Floats scales[maxGroups], mins[maxGroups], groupWeights[maxGroups];
  for (size_t group = 0; group < groups; ++group) {
    Values values = block.values.slice(group * cols, cols);
    Floats weights[maxGroupCols];
    if (important) {
      weighByImportance(values, block.importance.slice(group * cols, cols),
                        meanSquare, weights);
      groupWeights[group] = sum({weights, cols});
    } else {
      Floats root = zero;
      if (type.addRootMeanSquare)
        root = sqrt(sumSquares(values) / splat(static_cast<float>(cols)));
      for (size_t i = 0; i < cols; ++i)
        weights[i] = root + abs(values[i]);
    }
    const AffineScale found = searchAffine(values, {weights, cols}, search);
    scales[group] = found.scale;
    mins[group] = -found.min;
    for (size_t i = 0; i < cols; ++i)
      fit.codes[group * cols + i] = toInts(nearest(
          found.inverse * (values[i] - found.origin), 0, search.maxCode));
  }
  if (important) {
    fit.scale = searchPositive({scales, groups}, {groupWeights, groups},
                               type.maxScale, {fit.groupScales, groups});
    fit.min = searchPositive({mins, groups}, {groupWeights, groups},
                             type.maxScale, {fit.groupMins, groups});
    return;
  }
  fit.scale = roundToLargest({scales, groups}, type.maxScale, fit.groupScales);
  fit.min = roundToLargest({mins, groups}, type.maxScale, fit.groupMins);
}

//===----------------------------------------------------------------------===//
// Scales alone
//===----------------------------------------------------------------------===//

/// The codes of a search, offset to be unsigned.
static void storeCodes(const SymmetricScale &found, Values values,
                       float maxCode, Ints *codes) {
  for (size_t i = 0; i < values.size(); ++i)
    codes[i] = ~found.isZero & toInts(nearest(found.inverse * values[i],
                                              -maxCode, maxCode - 1) +
                                      splat(maxCode));
}

/// The weights of a group's errors.
static void weigh(const GgmlLayout &layout, Values values, Values importance,
                  Floats meanSquare, llvm::MutableArrayRef<Floats> weights) {
  if (importance.empty()) {
    for (size_t i = 0; i < values.size(); ++i)
      weights[i] = values[i] * values[i];
  } else if (layout.type == GgmlType::Q6_K) {
    std::copy(importance.begin(), importance.end(), weights.begin());
  } else {
    weighByImportance(values, importance, meanSquare, weights);
  }
}

void ggml::fitWithoutMins(const GgmlLayout &layout, const BlockValues &block,
                          BlockFit &fit) {
  const size_t cols = layout.groupCols, groups = layout.getNumGroups();
  const float maxCode = static_cast<float>(layout.codeOffset);
  const bool important = !block.importance.empty();
  const bool isQ6 = layout.type == GgmlType::Q6_K;
  const Floats meanSquare = splat(2.0f) * sumSquares(block.values) /
                            splat(static_cast<float>(layout.blockCols));
  Floats scales[maxGroups], groupWeights[maxGroups];
  for (size_t group = 0; group < groups; ++group) {
    Values values = block.values.slice(group * cols, cols);
    Codes codes(fit.codes + group * cols, cols);
    if (!isQ6 && !important) {
      scales[group] = descendSymmetric(values, maxCode, codes);
      continue;
    }
    Floats weights[maxGroupCols];
    weigh(layout, values,
          important ? block.importance.slice(group * cols, cols) : Values(),
          meanSquare, {weights, cols});
    groupWeights[group] = sum({weights, cols});
    const SymmetricScale found =
        searchSymmetric(values, {weights, cols}, maxCode);
    storeCodes(found, values, maxCode, codes.data());
    scales[group] = found.scale;
  }

  // Signed scales, the one of the largest magnitude becomes the least.
  const float least = isQ6 ? -128.0f : -32.0f;
  Floats inverse;
  Ints isZero;
  if (!isQ6 && important) {
    const SymmetricScale found =
        searchSymmetric({scales, groups}, {groupWeights, groups}, -least);
    fit.scale = found.scale;
    inverse = found.inverse;
    isZero = found.isZero;
  } else {
    const Floats largest = getSignedLargest({scales, groups});
    isZero = isQ6 ? abs(largest) < splat(zeroBound) : largest == zero;
    inverse = splat(least) / largest;
    fit.scale = select(isZero, zero, splat(1.0f) / inverse);
  }
  // Blocks of zeros are zero bytes, which in q3_K stand for the least scale.
  const Ints zeroScale = splat(isQ6 ? 0 : static_cast<int32_t>(least));
  for (size_t group = 0; group < groups; ++group)
    fit.groupScales[group] =
        select(isZero, zeroScale,
               toInts(nearest(inverse * scales[group], least, -least - 1)));
  if (isQ6)
    for (Ints &code : fit.codes)
      code &= ~isZero;
}
