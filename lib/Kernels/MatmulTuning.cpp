//===- MatmulTuning.cpp - tiles that are not the cost model's -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A count of instructions knows neither latencies nor how memory answers to
// several streams. What it decides may be decided otherwise: how many panels
// are read side by side, how many tokens share an unpacked weight, and among
// the strategies that add up the same integers. Each sum has one order in all
// of them, so the bits of the results are the same. (A matrix unit adds up
// floats in another one; whether it does is not for a tuning to say.)
//
//===----------------------------------------------------------------------===//

#include "MatmulTuning.h"
#include "MatmulCost.h"

using namespace mlir;
using namespace lowbit;

/// The most tokens whose sums fit into the registers for so many panels, when
/// each panel's codes take one more.
static int64_t getMaxTokens(const CpuInstructions &cpu, int64_t panels) {
  int64_t perPanel = PanelsGeometry::bytesPerBlock / cpu.vectorBytes;
  return cpu.registers / (panels * perPanel) - 1;
}

static LogicalResult checkTile(const PanelMatmulSpec &spec,
                               const CpuKernelOptions &options,
                               const MatmulTile &tile, std::string &reason) {
  if (failed(checkStrategy(spec, options, tile.strategy, reason)))
    return failure();
  auto [tokens, panels] = tile.shape;
  llvm::raw_string_ostream os(reason);
  reason.clear();
  if (tile.strategy == MatmulStrategy::Tiles) {
    if (tile == unitTile)
      return success();
    os << "must be '" << unitTile
       << "', which is what the matrix unit multiplies";
    return failure();
  }
  int64_t maxTokens = getMaxTokens(options.instructions, panels);
  if (tile.strategy == MatmulStrategy::Lut)
    maxTokens = std::min(maxTokens, options.lutTiles.front().tokens);
  if (tokens <= maxTokens || llvm::is_contained(options.tiles, tile.shape))
    return success();
  os << "needs more registers than there are";
  if (maxTokens > 0)
    os << ": with " << panels << " panels at most " << maxTokens
       << (maxTokens == 1 ? " token fits" : " tokens fit");
  return failure();
}

LogicalResult lowbit::checkTiles(const PanelMatmulSpec &spec,
                                 const CpuKernelOptions &options,
                                 ArrayRef<MatmulTile> tiles,
                                 std::string &reason) {
  if (!spec.hasQuantizedInput()) {
    FailureOr<SmallVector<MatmulTile>> chosen =
        chooseMatmulTiles(spec, options, reason);
    if (failed(chosen))
      return failure();
    bool usesUnit = chosen->front().strategy == MatmulStrategy::Tiles;
    if ((tiles.front().strategy == MatmulStrategy::Tiles) != usesUnit) {
      reason.clear();
      llvm::raw_string_ostream(reason)
          << (usesUnit ? "must begin with '" : "must do without '") << unitTile
          << "', which adds up floats in an order of its own";
      return failure();
    }
  }
  for (const MatmulTile &tile : tiles) {
    if (succeeded(checkTile(spec, options, tile, reason)))
      continue;
    std::string text;
    llvm::raw_string_ostream(text) << "tile '" << tile << "' " << reason;
    reason = std::move(text);
    return failure();
  }
  return success();
}

SmallVector<SmallVector<MatmulTile>>
lowbit::getAlternativeTiles(const PanelMatmulSpec &spec,
                            const CpuKernelOptions &options,
                            ArrayRef<MatmulTile> tiles, unsigned index) {
  MatmulTile tile = tiles[index];
  ArrayRef<MatmulTile> before = tiles.take_front(index);
  ArrayRef<MatmulTile> after = tiles.drop_front(index + 1);
  SmallVector<SmallVector<MatmulTile>> alternatives;
  // Vector registers may do better than a matrix unit; integers allow it.
  if (tile.strategy == MatmulStrategy::Tiles) {
    if (spec.hasQuantizedInput())
      alternatives.emplace_back(after);
    return alternatives;
  }
  bool takesMost = before.empty() && !after.empty();
  for (MatmulStrategy strategy :
       {MatmulStrategy::Dot, MatmulStrategy::Dequantize, MatmulStrategy::Lut})
    for (int64_t panels :
         {tile.shape.panels / 2, tile.shape.panels, tile.shape.panels * 2}) {
      if (panels == 0)
        continue;
      MatmulTile other = {{tile.shape.tokens, panels}, strategy};
      // The more tokens share what is unpacked the better; an even number has
      // more that fill no tile in common with the next one.
      if (takesMost && strategy != MatmulStrategy::Lut)
        other.shape.tokens = getMaxTokens(options.instructions, panels) & ~1;
      std::string reason;
      if (other == tile || other.shape.tokens < 1 ||
          failed(checkTile(spec, options, other, reason)))
        continue;
      SmallVector<MatmulTile> &list = alternatives.emplace_back(before);
      list.push_back(other);
      llvm::copy_if(after, std::back_inserter(list),
                    [&](const MatmulTile &next) {
                      return next.shape.tokens < other.shape.tokens;
                    });
    }
  return alternatives;
}
