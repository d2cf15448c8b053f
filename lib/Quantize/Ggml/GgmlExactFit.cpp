//===- GgmlExactFit.cpp - GGML blocks of exact values ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GgmlExactFit.h"
#include "../ExactFit.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>
#include <vector>

using namespace lowbit;
using namespace lowbit::ggml;

namespace {
class BlockFinder {
public:
  BlockFinder(const GgmlLayout &layout, llvm::ArrayRef<float> values);

  std::optional<ExactBlock> find();

private:
  /// A scale of a sub-block, and roughly what its min must be.
  struct Option {
    int32_t scale;
    float min;
  };

  llvm::ArrayRef<float> getGroup(int64_t group) const {
    return values.slice(group * layout.groupCols, layout.groupCols);
  }
  std::optional<uint8_t> findCode(float value, float scale, float min) const;
  bool fits(int64_t group, float scale, float min) const;
  bool writeCodes();

  bool findLegacy();
  bool findLegacyWithMin();
  /// The other sub-blocks, once `d` is known.
  bool findScales(float d);
  bool findSuperBlock();
  /// What goes with a scale, if differences in the sub-block are whole numbers
  /// of its steps.
  void findOptions(int64_t group, float d, int32_t scale,
                   std::vector<Option> &options) const;
  std::vector<Option> findOptions(int64_t group, float d) const;
  /// Mins, once `d` is known.
  bool findMins(float d);
  bool findMins(float d, float dmin,
                llvm::ArrayRef<std::vector<Option>> options);
  bool findSuperBlockWithMins();

  const GgmlLayout &layout;
  llvm::ArrayRef<float> values;
  /// Those of codes, other than 0.
  llvm::SmallVector<float> levels;
  /// The least and the greatest scale of a sub-block.
  int32_t minScale, maxScale;
  ExactBlock block;
};
} // namespace

static float roundHalf(float value) {
  uint8_t stored[2];
  storeHalf(value, stored);
  return loadHalf(stored);
}

BlockFinder::BlockFinder(const GgmlLayout &layout, llvm::ArrayRef<float> values)
    : layout(layout), values(values) {
  for (int32_t code = 0; code < layout.getNumCodes(); ++code)
    if (const int32_t level = getLevel(layout, code); level != 0)
      levels.push_back(static_cast<float>(level));
  const int bits = layout.scales == GgmlLayout::Scales::SixBits
                       ? 6
                       : layout.scaleLow.bits + layout.scaleHigh.bits;
  const int32_t offset = layout.hasSignedScales() ? 128 : layout.scaleOffset;
  minScale = -offset;
  maxScale = (1 << bits) - 1 - offset;
}

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

/// As the encoder decodes, operation by operation.
std::optional<uint8_t> BlockFinder::findCode(float value, float scale,
                                             float min) const {
  auto isExact = [&](uint32_t code) {
    const float product = scale * static_cast<float>(getLevel(layout, code));
    return (layout.hasMin() ? product + min : product) == value;
  };
  if (layout.hasTable) {
    for (uint32_t code = 0; code < ggmlTable.size(); ++code)
      if (isExact(code))
        return code;
    return std::nullopt;
  }
  const int32_t offset = layout.hasSignedCodes() ? 128 : layout.codeOffset;
  const float level = scale == 0 ? 0 : std::nearbyint((value - min) / scale);
  if (!(level >= -offset && level < layout.getNumCodes() - offset))
    return std::nullopt;
  const auto code =
      static_cast<uint8_t>(static_cast<int32_t>(level) + layout.codeOffset);
  if (isExact(code))
    return code;
  return std::nullopt;
}

bool BlockFinder::fits(int64_t group, float scale, float min) const {
  return llvm::all_of(getGroup(group), [&](float value) {
    return findCode(value, scale, min).has_value();
  });
}

/// With the scales of the block.
bool BlockFinder::writeCodes() {
  for (int64_t col = 0; col < layout.blockCols; ++col) {
    const int64_t group = col / layout.groupCols;
    float scale = block.scale, min = block.min;
    if (layout.scales != GgmlLayout::Scales::None) {
      scale *= static_cast<float>(block.scales.scale[group]);
      min = -(min * static_cast<float>(block.scales.min[group]));
    }
    std::optional<uint8_t> code = findCode(values[col], scale, min);
    if (!code)
      return false;
    block.codes[col] = *code;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// One scale for the block
//===----------------------------------------------------------------------===//

bool BlockFinder::findLegacy() {
  std::optional<float> scale =
      findExactScale(getGreatest(values), levels, /*anySign=*/true, roundHalf,
                     [&](float candidate) { return fits(0, candidate, 0); });
  block.scale = scale.value_or(0);
  return scale.has_value();
}

bool BlockFinder::findLegacyWithMin() {
  const int32_t steps = layout.getNumCodes() - 1;
  const auto [lo, hi] = std::minmax_element(values.begin(), values.end());
  auto findMin = [&](float first, float scale, int32_t maxCode) {
    for (int32_t code = 0; code <= maxCode; ++code)
      if (std::optional<float> min = findExact(
              first - scale * static_cast<float>(code), roundHalf,
              [&](float candidate) { return fits(0, scale, candidate); })) {
        block.scale = scale;
        block.min = *min;
        return true;
      }
    return false;
  };
  if (*lo == *hi) {
    // One value is a min, or else a product.
    return findMin(*lo, 0, 0) ||
           findExactScale(*lo, countTo(steps), /*anySign=*/true, roundHalf,
                          [&](float scale) {
                            block.scale = scale;
                            return fits(0, scale, 0);
                          });
  }
  // Codes may fall as values rise.
  for (int32_t count = 1; count <= steps; ++count)
    for (auto [first, last] : {std::pair(*lo, *hi), std::pair(*hi, *lo)})
      if (findExact((last - first) / static_cast<float>(count), roundHalf,
                    [&, first = first](float scale) {
                      return findMin(first, scale, steps - count);
                    }))
        return true;
  return false;
}

//===----------------------------------------------------------------------===//
// Scales of sub-blocks
//===----------------------------------------------------------------------===//

bool BlockFinder::findScales(float d) {
  for (int64_t group = 0, e = layout.getNumGroups(); group < e; ++group) {
    // Zeros take the scale 0, which nothing else can.
    int32_t scale = fits(group, 0, 0) ? 0 : minScale;
    while (scale <= maxScale && !fits(group, d * static_cast<float>(scale), 0))
      ++scale;
    if (scale > maxScale)
      return false;
    block.scales.scale[group] = scale;
  }
  block.scale = d;
  return true;
}

bool BlockFinder::findSuperBlock() {
  const auto *greatest = llvm::max_element(
      values, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
  if (*greatest == 0)
    return findScales(0);
  const int64_t group = (greatest - values.begin()) / layout.groupCols;
  for (int32_t scale = minScale; scale <= maxScale; ++scale)
    if (scale != 0 &&
        findExactScale(*greatest / static_cast<float>(scale), levels,
                       /*anySign=*/true, roundHalf, [&](float d) {
                         return fits(group, d * static_cast<float>(scale), 0) &&
                                findScales(d);
                       }))
      return true;
  return false;
}

//===----------------------------------------------------------------------===//
// Scales and mins of sub-blocks
//===----------------------------------------------------------------------===//

void BlockFinder::findOptions(int64_t group, float d, int32_t scale,
                              std::vector<Option> &options) const {
  const llvm::ArrayRef<float> members = getGroup(group);
  const auto [lo, hi] = std::minmax_element(members.begin(), members.end());
  const float step = d * static_cast<float>(scale);
  if (step == 0) {
    if (*lo == *hi)
      options.push_back({scale, *lo});
    return;
  }
  // Values are off by rounding errors of a sum.
  const float tolerance =
      0x1p-20f * std::max(std::fabs(*lo), std::fabs(*hi)) / std::fabs(step);
  // Codes may fall as values rise.
  const float first = step > 0 ? *lo : *hi;
  const int32_t maxCode = layout.getNumCodes() - 1;
  float count = 0;
  for (float value : members) {
    const float steps = (value - first) / step;
    const float nearest = std::nearbyint(steps);
    if (!(std::fabs(steps - nearest) <= tolerance))
      return;
    count = std::max(count, nearest);
  }
  for (int32_t code = 0;
       static_cast<float>(code) + count <= static_cast<float>(maxCode); ++code)
    options.push_back({scale, first - step * static_cast<float>(code)});
}

std::vector<BlockFinder::Option> BlockFinder::findOptions(int64_t group,
                                                          float d) const {
  std::vector<Option> options;
  for (int32_t scale = 0; scale <= maxScale; ++scale)
    findOptions(group, d, scale, options);
  return options;
}

bool BlockFinder::findMins(float d, float dmin,
                           llvm::ArrayRef<std::vector<Option>> options) {
  for (auto [group, choices] : llvm::enumerate(options)) {
    const bool found = llvm::any_of(choices, [&](const Option &option) {
      const float count = dmin == 0 ? 0 : std::nearbyint(-option.min / dmin);
      if (!(count >= 0 && count <= static_cast<float>(maxScale)) ||
          !fits(group, d * static_cast<float>(option.scale), -(dmin * count)))
        return false;
      block.scales.scale[group] = option.scale;
      block.scales.min[group] = static_cast<int32_t>(count);
      return true;
    });
    if (!found)
      return false;
  }
  block.scale = d;
  block.min = dmin;
  return true;
}

bool BlockFinder::findMins(float d) {
  std::vector<std::vector<Option>> options;
  for (int64_t group = 0, e = layout.getNumGroups(); group < e; ++group) {
    options.push_back(findOptions(group, d));
    if (options.back().empty())
      return false;
  }
  if (findMins(d, 0, options))
    return true;
  // The sub-block that says most about `dmin`.
  const auto *fewest = llvm::min_element(
      llvm::ArrayRef(options),
      [](const auto &a, const auto &b) { return a.size() < b.size(); });
  for (const Option &option : *fewest)
    if (findExactScale(-option.min, countTo(maxScale), /*anySign=*/true,
                       roundHalf,
                       [&](float dmin) { return findMins(d, dmin, options); }))
      return true;
  return false;
}

bool BlockFinder::findSuperBlockWithMins() {
  // The sub-block of the widest range.
  int64_t widest = 0;
  float width = 0;
  for (int64_t group = 0, e = layout.getNumGroups(); group < e; ++group) {
    const llvm::ArrayRef<float> members = getGroup(group);
    const auto [lo, hi] = std::minmax_element(members.begin(), members.end());
    if (*hi - *lo > width) {
      width = *hi - *lo;
      widest = group;
    }
  }
  if (width == 0)
    return findMins(0);
  for (int32_t count = layout.getNumCodes() - 1; count > 0; --count)
    for (int32_t scale = 1; scale <= maxScale; ++scale) {
      const auto steps = static_cast<float>(count * scale);
      if (findExactScale(width, {steps, -steps}, /*anySign=*/true, roundHalf,
                         [&](float d) {
                           std::vector<Option> options;
                           findOptions(widest, d, scale, options);
                           return !options.empty() && findMins(d);
                         }))
        return true;
    }
  return false;
}

std::optional<ExactBlock> BlockFinder::find() {
  bool found;
  if (layout.scales == GgmlLayout::Scales::None)
    found = layout.hasMin() ? findLegacyWithMin() : findLegacy();
  else
    found = layout.hasMin() ? findSuperBlockWithMins() : findSuperBlock();
  if (found && writeCodes())
    return block;
  return std::nullopt;
}

std::optional<ExactBlock> ggml::findExactBlock(const GgmlLayout &layout,
                                               llvm::ArrayRef<float> values) {
  return BlockFinder(layout, values).find();
}
