//===- MatmulCost.cpp - which strategy is the fastest ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Counts the vector instructions of the inner loops that PanelMatmul emits, for
// a chunk of 16 rows, and how long the ports that execute them are busy. What
// runs once for each group is the same for all strategies and left out.
//
//===----------------------------------------------------------------------===//

#include "MatmulCost.h"
#include "LutTables.h"
#include "TileMatmul.h"

using namespace mlir;
using namespace lowbit;

namespace {
/// Vector instructions: all, and those that only some ports execute.
struct InstructionCount {
  double all = 0, multiplies = 0, shuffles = 0;

  InstructionCount operator*(double times) const {
    return {all * times, multiplies * times, shuffles * times};
  }
  InstructionCount operator+(const InstructionCount &other) const {
    return {all + other.all, multiplies + other.multiplies,
            shuffles + other.shuffles};
  }
  double getCycles(const CpuInstructions &cpu) const {
    return std::max(
        {all / cpu.all, multiplies / cpu.multiplies, shuffles / cpu.shuffles});
  }
};

constexpr InstructionCount arithmetic = {1, 0, 0};
/// Shifts and conversions share ports with multiplications.
constexpr InstructionCount multiplication = {1, 1, 0};
constexpr InstructionCount shuffle = {1, 0, 1};
} // namespace

/// Bringing the codes of a chunk, or what they stand for, into bytes.
static InstructionCount countUnpacking(const PanelMatmulSpec &spec) {
  const PanelsGeometry &geometry = spec.geometry;
  InstructionCount count;
  if (spec.bytes)
    count = (spec.identifier ? shuffle * 2 + multiplication * 2 + arithmetic * 5
                             : shuffle) *
            (geometry.columnsPerChunk / 4.0);
  for (int64_t slice = 0; slice < geometry.columnsPerChunk / 4; ++slice)
    for (const CodePlane &plane : geometry.planes) {
      int64_t inBlock = slice % (plane.getColumnsPerBlock() / 4);
      if (inBlock * plane.width != plane.base)
        count = count + multiplication;
      if (plane.width < 8)
        count = count + arithmetic;
      if (plane.base)
        count = count + arithmetic;
    }
  return count;
}

/// Turning one byte of each lane, a code, to the float that it stands for.
static InstructionCount countConversion(const PanelMatmulSpec &spec,
                                        const CpuInstructions &cpu) {
  // Half of the moves of bits serve two bytes.
  if (spec.codeType)
    return arithmetic * 4 + multiplication * 3 + shuffle;
  // Each lane is loaded.
  if (spec.looksUpInMemory())
    return arithmetic * (1 + cpu.vectorBytes / 4.0) + multiplication;
  // It is isolated and converted.
  return arithmetic + multiplication * 2;
}

/// Lookups by the codes of a chunk, in tables that all panels share.
static InstructionCount countLookups(const PanelMatmulSpec &spec,
                                     const CpuInstructions &cpu,
                                     double perToken) {
  const PanelsGeometry &geometry = spec.geometry;
  // NEON loads four registers of equal bytes and adds these in 16 bits.
  bool hasInterleavedLoads =
      cpu.vectorBytes * LutPlane::tables == PanelsGeometry::bytesPerBlock;
  InstructionCount transpose =
      hasInterleavedLoads ? arithmetic : shuffle + arithmetic * 2;
  InstructionCount split = multiplication + arithmetic * 2;
  InstructionCount endSegment =
      hasInterleavedLoads ? arithmetic * 5
                          : (shuffle + arithmetic * 2 +
                             InstructionCount{double(cpu.dotInstructions),
                                              double(cpu.dotMultiplies), 0}) *
                                2;
  InstructionCount count;
  for (const LutPlane &plane : getLutPlanes(spec)) {
    double blocks = plane.blocksPerChunk;
    count =
        count +
        ((transpose + split) * perToken + (shuffle + arithmetic) * 4) * blocks;
    double segments = plane.getSegments(geometry.chunksPerGroup);
    count = count + endSegment * (segments / geometry.chunksPerGroup);
    // A table entry takes two bytes until it is stored, and as many
    // instructions for each column that it sums, and for the split.
    InstructionCount build = arithmetic * (4.0 * plane.columns + 6) + shuffle;
    count = count + build * (4 * blocks / (geometry.panels * geometry.terms));
  }
  return count;
}

/// The instructions on one register of each block for a chunk and a token.
static InstructionCount countInstructions(const PanelMatmulSpec &spec,
                                          const CpuInstructions &cpu,
                                          const MatmulTile &tile) {
  const PanelsGeometry &geometry = spec.geometry;
  double slices = geometry.columnsPerChunk / 4.0;
  double perToken = 1.0 / tile.shape.tokens;
  switch (tile.strategy) {
  case MatmulStrategy::Auto:
  case MatmulStrategy::Tiles:
    llvm_unreachable("does not compute in vector registers");
  case MatmulStrategy::Dot: {
    if (cpu.hasMmla && tile.shape.tokens % 2 == 0) {
      // Twice as many products at once, and an interleaving of each block.
      double blocks =
          double(geometry.bytesPerChunk) / PanelsGeometry::bytesPerBlock;
      return (countUnpacking(spec) + arithmetic * blocks) * perToken +
             multiplication * (slices / 2);
    }
    InstructionCount dot = {double(cpu.dotInstructions),
                            double(cpu.dotMultiplies), 0};
    if (spec.maxCode > cpu.dotMaxCode)
      dot = dot * 2;
    return countUnpacking(spec) * perToken + dot * slices;
  }
  case MatmulStrategy::Dequantize: {
    // Each byte is converted or looked up, and multiplied.
    InstructionCount products = multiplication * (4 * slices);
    if (!spec.looksUpValues(cpu) || spec.looksUpInMemory())
      return (countUnpacking(spec) +
              countConversion(spec, cpu) * (4 * slices)) *
                 perToken +
             products;
    // AVX-512 merges two planes by one instruction, AVX2 by three.
    InstructionCount merge =
        multiplication * 2 + arithmetic * (cpu.vectorBytes == 64 ? 1 : 3);
    InstructionCount lookup = multiplication + shuffle;
    if (spec.identifier)
      lookup = lookup + multiplication + shuffle + arithmetic * 2;
    InstructionCount indices =
        lookup * (4 * slices) + merge * (slices * (geometry.planes.size() - 1));
    return indices * perToken + products;
  }
  case MatmulStrategy::Lut:
    return countLookups(spec, cpu, perToken);
  }
  llvm_unreachable("unknown strategy");
}

static MatmulCost getCost(const PanelMatmulSpec &spec,
                          const CpuInstructions &cpu, const MatmulTile &tile) {
  const PanelsGeometry &geometry = spec.geometry;
  double registers = double(PanelsGeometry::bytesPerBlock) / cpu.vectorBytes;
  double weights =
      double(PanelsGeometry::rowsPerPanel) * geometry.columnsPerChunk;
  double scale = 1024 / weights;
  double compute = countInstructions(spec, cpu, tile).getCycles(cpu) *
                   registers * geometry.terms;
  double memory = geometry.terms * geometry.bytesPerChunk / cpu.weightBytes /
                  tile.shape.tokens;
  return {tile, compute * scale, memory * scale};
}

/// How codes are multiplied in vector registers if they are not looked up.
static MatmulStrategy getVectorStrategy(const PanelMatmulSpec &spec) {
  return spec.hasQuantizedInput() ? MatmulStrategy::Dot
                                  : MatmulStrategy::Dequantize;
}

/// What a matrix unit takes, which has unpacked codes for many tokens.
static MatmulCost getTileCost(const PanelMatmulSpec &spec,
                              const MatrixUnit &unit,
                              const CpuInstructions &cpu) {
  MatmulCost cost =
      getCost(spec, cpu, {unitTile.shape, getVectorStrategy(spec)});
  cost.tile = unitTile;
  cost.compute = countTileProducts(spec, unit) * unit.productCycles * 1024;
  return cost;
}

SmallVector<SmallVector<MatmulCost>>
lowbit::compareMatmulCosts(const PanelMatmulSpec &spec,
                           const CpuKernelOptions &options) {
  SmallVector<SmallVector<MatmulCost>> costs;
  if (options.matrixUnit && spec.hasIntegerCodes())
    costs.push_back(
        {getTileCost(spec, *options.matrixUnit, options.instructions)});
  for (TileShape shape : options.tiles) {
    SmallVector<MatmulCost> &here = costs.emplace_back();
    auto addCost = [&](TileShape shape, MatmulStrategy strategy) {
      here.push_back(getCost(spec, options.instructions, {shape, strategy}));
    };
    addCost(shape, getVectorStrategy(spec));
    const TileShape *lut =
        llvm::find_if(options.lutTiles, [&](TileShape candidate) {
          return candidate.tokens == shape.tokens;
        });
    if (lut != options.lutTiles.end() && !getLutPlanes(spec).empty())
      addCost(*lut, MatmulStrategy::Lut);
    // What is read from memory takes the same time either way; what is in a
    // cache does not.
    llvm::stable_sort(here, [](const MatmulCost &x, const MatmulCost &y) {
      return x.compute < y.compute;
    });
  }
  return costs;
}

double lowbit::getComputeCycles(const PanelMatmulSpec &spec,
                                const CpuKernelOptions &options) {
  const double weights = double(spec.n) * spec.k;
  if (!spec.floatType)
    return compareMatmulCosts(spec, options).back().front().compute * weights /
           1024;
  // A lane is multiplied as it is, or converted before.
  const InstructionCount lanes =
      spec.floatType.isF32() ? multiplication : multiplication * 2;
  const CpuInstructions &cpu = options.instructions;
  return (lanes * (weights * sizeof(float) / cpu.vectorBytes)).getCycles(cpu);
}

LogicalResult lowbit::checkStrategy(const PanelMatmulSpec &spec,
                                    const CpuKernelOptions &options,
                                    MatmulStrategy strategy,
                                    std::string &reason) {
  switch (strategy) {
  case MatmulStrategy::Auto:
    return success();
  case MatmulStrategy::Dot:
    reason = "needs int8 activations";
    return success(spec.hasQuantizedInput());
  case MatmulStrategy::Dequantize:
    reason = "needs float activations";
    return success(!spec.hasQuantizedInput());
  case MatmulStrategy::Lut:
    reason = "needs int8 activations and codes of at most four bits that are "
             "numbers";
    return success(!getLutPlanes(spec).empty());
  case MatmulStrategy::Tiles:
    reason = "needs a CPU with a matrix unit";
    if (!options.matrixUnit)
      return failure();
    reason = "needs codes that are integers with integer zero points or none";
    return success(spec.hasIntegerCodes());
  }
  llvm_unreachable("unknown strategy");
}

FailureOr<SmallVector<MatmulTile>>
lowbit::chooseMatmulTiles(const PanelMatmulSpec &spec,
                          const CpuKernelOptions &options,
                          std::string &reason) {
  SmallVector<MatmulTile> tiles;
  auto addTiles = [&](ArrayRef<TileShape> shapes, MatmulStrategy strategy) {
    for (TileShape shape : shapes)
      tiles.push_back({shape, strategy});
  };
  if (spec.floatType) {
    // Matrix units multiply bf16; there is no other choice.
    if (options.matrixUnit && spec.floatType.isBF16() &&
        (options.strategy == MatmulStrategy::Auto ||
         options.strategy == MatmulStrategy::Tiles))
      tiles.push_back(unitTile);
    addTiles(options.floatTiles, MatmulStrategy::Dequantize);
    return tiles;
  }
  if (failed(checkStrategy(spec, options, options.strategy, reason)))
    return failure();
  switch (options.strategy) {
  case MatmulStrategy::Auto:
    for (ArrayRef<MatmulCost> costs : compareMatmulCosts(spec, options))
      tiles.push_back(costs.front().tile);
    break;
  case MatmulStrategy::Tiles:
    tiles.push_back(unitTile);
    addTiles(options.tiles, getVectorStrategy(spec));
    break;
  case MatmulStrategy::Lut:
    addTiles(options.lutTiles, MatmulStrategy::Lut);
    break;
  case MatmulStrategy::Dot:
  case MatmulStrategy::Dequantize:
    addTiles(options.tiles, options.strategy);
    break;
  }
  return tiles;
}
