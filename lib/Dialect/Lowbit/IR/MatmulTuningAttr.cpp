//===- MatmulTuningAttr.cpp - how a kernel multiplies ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/SmallSet.h"

using namespace mlir;
using namespace lowbit;

#include "lowbit/Dialect/Lowbit/IR/MatmulStrategyEnum.cpp.inc"

llvm::raw_ostream &lowbit::operator<<(llvm::raw_ostream &os,
                                      const MatmulTile &tile) {
  return os << stringifyMatmulStrategy(tile.strategy) << ' '
            << tile.shape.tokens << " x " << tile.shape.panels;
}

static std::string describe(const MatmulTile &tile) {
  std::string text;
  llvm::raw_string_ostream(text) << tile;
  return text;
}

LogicalResult
MatmulTuningAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                         StringRef target, ArrayRef<MatmulTile> tiles,
                         int64_t prefetchBytes) {
  if (target.empty())
    return emitError() << "tuning names no target; avx2, say";
  if (tiles.empty() || tiles.back().shape.tokens != 1)
    return emitError() << "the last tile of a tuning must be of one token, as "
                          "'dot 1 x 8' is";
  for (const MatmulTile &tile : tiles) {
    if (tile.strategy == MatmulStrategy::Auto)
      return emitError() << "strategy 'auto' says nothing in a tuning; use "
                            "dot, dequantize, lut or tiles";
    if (tile.shape.tokens < 1 || tile.shape.panels < 1)
      return emitError() << "tile '" << describe(tile)
                         << "' must have at least one token and one panel";
    if (tile.strategy == MatmulStrategy::Tiles && &tile != tiles.begin())
      return emitError() << "tile '" << describe(tile)
                         << "' must be the first: a matrix unit takes what "
                            "fills its tiles";
  }
  for (auto [tile, next] : llvm::zip(tiles, tiles.drop_front()))
    if (next.shape.tokens >= tile.shape.tokens)
      return emitError() << "tile '" << describe(next)
                         << "' must have fewer tokens than '" << describe(tile)
                         << "' before it";
  // A page, which is as far as hardware follows a stream.
  constexpr int64_t maxPrefetch = 4096;
  if (prefetchBytes < 0 || prefetchBytes > maxPrefetch)
    return emitError() << "prefetch must be 0 to " << maxPrefetch
                       << " bytes, got " << prefetchBytes;
  return success();
}

/// `dot 12 x 2`
static ParseResult parseTile(AsmParser &parser, MatmulTile &tile) {
  StringRef keyword;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&keyword))
    return failure();
  std::optional<MatmulStrategy> strategy = symbolizeMatmulStrategy(keyword);
  if (!strategy)
    return parser.emitError(loc) << "unknown strategy '" << keyword
                                 << "'; known are dot, dequantize, lut and "
                                    "tiles";
  tile.strategy = *strategy;
  return failure(parser.parseInteger(tile.shape.tokens) ||
                 parser.parseKeyword("x") ||
                 parser.parseInteger(tile.shape.panels));
}

Attribute MatmulTuningAttr::parse(AsmParser &parser, Type) {
  std::string target;
  SmallVector<MatmulTile> tiles;
  int64_t prefetchBytes = 0;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseString(&target) ||
      parser.parseComma() ||
      parser.parseCommaSeparatedList(
          AsmParser::Delimiter::Square,
          [&] { return parseTile(parser, tiles.emplace_back()); }) ||
      parser.parseComma() || parser.parseKeyword("prefetch") ||
      parser.parseEqual() || parser.parseInteger(prefetchBytes) ||
      parser.parseGreater())
    return {};
  return parser.getChecked<MatmulTuningAttr>(
      loc, parser.getContext(), StringRef(target), ArrayRef<MatmulTile>(tiles),
      prefetchBytes);
}

void MatmulTuningAttr::print(AsmPrinter &printer) const {
  printer << '<';
  printer.printString(getTarget());
  printer << ", [";
  llvm::interleaveComma(getTiles(), printer.getStream());
  printer << "], prefetch = " << getPrefetchBytes() << '>';
}

MatmulTuningAttr lowbit::findTuning(ArrayAttr tunings, StringRef target) {
  if (tunings)
    for (auto tuning : tunings.getAsRange<MatmulTuningAttr>())
      if (tuning.getTarget() == target)
        return tuning;
  return {};
}

ArrayAttr lowbit::replaceTuning(ArrayAttr tunings, MatmulTuningAttr tuning) {
  SmallVector<Attribute> all;
  if (tunings)
    llvm::copy_if(tunings, std::back_inserter(all), [&](Attribute other) {
      return cast<MatmulTuningAttr>(other).getTarget() != tuning.getTarget();
    });
  all.push_back(tuning);
  return ArrayAttr::get(tuning.getContext(), all);
}

LogicalResult
lowbit::verifyTunings(llvm::function_ref<InFlightDiagnostic()> emitError,
                      std::optional<ArrayAttr> tunings) {
  llvm::SmallSet<StringRef, 4> targets;
  if (tunings)
    for (auto tuning : tunings->getAsRange<MatmulTuningAttr>())
      if (!targets.insert(tuning.getTarget()).second)
        return emitError() << "has two tunings for '" << tuning.getTarget()
                           << "'";
  return success();
}
