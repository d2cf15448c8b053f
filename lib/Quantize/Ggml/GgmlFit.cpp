//===- GgmlFit.cpp - The parameters of blocks without super-blocks --------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GgmlFit.h"
#include <algorithm>

using namespace lowbit;
using namespace lowbit::ggml;

static constexpr Floats zero = {};

Floats ggml::sumSquares(Values values) {
  Floats sum = zero;
  for (Floats x : values)
    sum += x * x;
  return sum;
}

void ggml::weighByImportance(Values values, Values importance,
                             Floats meanSquare,
                             llvm::MutableArrayRef<Floats> weights) {
  for (size_t i = 0; i < values.size(); ++i)
    weights[i] = importance[i] * sqrt(meanSquare + values[i] * values[i]);
}

/// 1 / scale; 0 for 0.
static Floats invert(Floats scale) {
  return select(scale != zero, splat(1.0f) / scale, zero);
}

//===----------------------------------------------------------------------===//
// 32 values with a scale, and perhaps a min, as floats
//===----------------------------------------------------------------------===//

/// Codes that reach from -codeOffset to codeOffset - 1.
static void fitSymmetric(const GgmlLayout &layout, const BlockValues &block,
                         BlockFit &fit) {
  const float maxCode = static_cast<float>(layout.codeOffset);
  fit.origin[0] = zero;
  if (block.importance.empty()) {
    fit.scale = getSignedLargest(block.values) / splat(-maxCode);
    fit.inverse[0] = invert(fit.scale);
    return;
  }
  Floats weights[maxGroupCols];
  weighByImportance(block.values, block.importance, block.rowMeanSquare,
                    weights);
  const SymmetricScale found =
      searchSymmetric(block.values, {weights, block.values.size()}, maxCode);
  fit.scale = found.scale;
  fit.inverse[0] = found.inverse;
  std::fill_n(fit.codes, block.values.size(), Ints{});
  for (int64_t lane = 0; lane < numLanes; ++lane)
    fit.rounding[lane] =
        found.isZero[lane] ? Rounding::Fixed : Rounding::Nearest;
}

static void fitAffine(const GgmlLayout &layout, const BlockValues &block,
                      BlockFit &fit) {
  const float maxCode = static_cast<float>(layout.getNumCodes() - 1);
  if (block.importance.empty()) {
    Floats min = block.values[0], max = min;
    for (Floats x : block.values) {
      min = x < min ? x : min;
      max = x > max ? x : max;
    }
    fit.scale = (max - min) / splat(maxCode);
    fit.min = min;
    fit.inverse[0] = invert(fit.scale);
    fit.origin[0] = min;
    return;
  }
  Floats weights[maxGroupCols];
  weighByImportance(block.values, block.importance, block.rowMeanSquare,
                    weights);
  const AffineScale found =
      searchAffine(block.values, {weights, block.values.size()},
                   {maxCode, /*first=*/-0.9f, /*delta=*/0.05f, /*steps=*/36});
  fit.scale = found.scale;
  fit.min = found.min;
  fit.inverse[0] = found.inverse;
  fit.origin[0] = found.origin;
  std::fill_n(fit.rounding, numLanes, Rounding::Nearest);
}

/// Signed bytes; importance does not matter.
static void fitBytes(const BlockValues &block, BlockFit &fit) {
  fit.scale = abs(getSignedLargest(block.values)) / splat(127.0f);
  fit.inverse[0] = invert(fit.scale);
  fit.origin[0] = zero;
}

void ggml::fitLegacy(const GgmlLayout &layout, const BlockValues &block,
                     BlockFit &fit) {
  if (layout.hasSignedCodes())
    fitBytes(block, fit);
  else if (layout.hasMin())
    fitAffine(layout, block, fit);
  else
    fitSymmetric(layout, block, fit);
}

//===----------------------------------------------------------------------===//
// Codes of a table
//===----------------------------------------------------------------------===//

void ggml::fitTable(const GgmlLayout &layout, const BlockValues &block,
                    BlockFit &fit) {
  const int64_t cols = layout.groupCols, groups = layout.getNumGroups();
  // The product of these two is exact.
  const Floats meanSquare = sumSquares(block.values) *
                            splat(2.0f / static_cast<float>(layout.blockCols));
  Floats scales[maxGroups];
  for (int64_t group = 0; group < groups; ++group) {
    Values values = block.values.slice(group * cols, cols);
    Floats weights[maxGroupCols];
    if (block.importance.empty())
      for (int64_t i = 0; i < cols; ++i)
        weights[i] = values[i] * values[i];
    else
      weighByImportance(values, block.importance.slice(group * cols, cols),
                        meanSquare, weights);
    scales[group] = searchTable(values, {weights, static_cast<size_t>(cols)});
    fit.origin[group] = zero;
  }
  if (groups == 1) {
    fit.scale = scales[0];
    fit.inverse[0] = invert(fit.scale);
    return;
  }
  // The scale of the largest magnitude becomes -32.
  fit.scale = -getSignedLargest({scales, static_cast<size_t>(groups)}) /
              splat(static_cast<float>(layout.scaleOffset));
  const Floats inverse = invert(fit.scale);
  for (int64_t group = 0; group < groups; ++group) {
    const Floats scale = nearest(inverse * scales[group], -layout.scaleOffset,
                                 layout.scaleOffset - 1);
    fit.groupScales[group] = toInts(scale);
    fit.inverse[group] = invert(fit.scale * scale);
  }
}

void ggml::fitBlock(const GgmlLayout &layout, const BlockValues &block,
                    BlockFit &fit) {
  std::fill_n(fit.rounding, numLanes, Rounding::Usual);
  if (layout.hasTable)
    fitTable(layout, block, fit);
  else if (layout.scales == GgmlLayout::Scales::None)
    fitLegacy(layout, block, fit);
  else if (layout.hasMin())
    fitWithMins(layout, block, fit);
  else
    fitWithoutMins(layout, block, fit);
}
