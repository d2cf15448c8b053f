//===- GgmlEncoder.cpp - Codes one matrix in GGML blocks ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GgmlEncoder.h"
#include "../ExactFit.h"
#include "GgmlExactFit.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace lowbit;
using namespace lowbit::ggml;

GgmlEncoder::GgmlEncoder(const GgmlFormat &format, ConstMatrixView weights)
    : MatrixEncoder(weights.getRows(), weights.getCols(), /*groupRows=*/1,
                    format.getLayout().blockCols),
      layout(format.getLayout()) {
  const int64_t rows = getRows(), cols = getCols();
  result = {rows, cols, {}};
  for (ComponentSpec &spec : format.getComponents(rows, cols))
    result.components.push_back(
        {spec, std::vector<uint8_t>(spec.getByteSize())});
  const int64_t groups = cols / layout.groupCols * rows;
  parameters.resize(groups);
  roundings.resize(groups);
  if (getFamily() != Family::Divide) {
    inverses.resize(groups);
    origins.resize(groups);
  }
  rowMeanSquares.resize(rows);
  if (getFamily() != Family::Truncate)
    return;
  // Float sums in the order of the columns, as the reference code has them.
  for (int64_t row = 0; row < rows; ++row) {
    float sum = 0;
    for (int64_t col = 0; col < cols; ++col)
      sum += weights(row, col) * weights(row, col);
    rowMeanSquares[row] = sum / static_cast<float>(cols);
  }
}

GgmlEncoder::Family GgmlEncoder::getFamily() const {
  if (layout.hasTable)
    return Family::Table;
  if (layout.hasSignedCodes())
    return Family::Bytes;
  return layout.scales == GgmlLayout::Scales::None ? Family::Truncate
                                                   : Family::Divide;
}

//===----------------------------------------------------------------------===//
// Fitting
//===----------------------------------------------------------------------===//

void GgmlEncoder::fit(int64_t firstRow, int64_t group, ConstMatrixView values,
                      llvm::ArrayRef<float> importance) {
  const int64_t cols = layout.blockCols;
  assert(values.getCols() == cols && "blocks are fitted whole");
  Floats lanes[maxBlockCols], weights[maxBlockCols];
  BlockValues block;
  block.values = Values(lanes, cols);
  if (!importance.empty()) {
    for (int64_t col = 0; col < cols; ++col)
      weights[col] = splat(importance[col]);
    block.importance = Values(weights, cols);
  }
  BlockFit fit;
  for (int64_t begin = 0; begin < values.getRows(); begin += numLanes) {
    const RowRange rows{firstRow + begin,
                        std::min(numLanes, values.getRows() - begin)};
    for (int64_t col = 0; col < cols; ++col)
      lanes[col] = load(&values(begin, col), values.getRowStride(), rows.count);
    block.rowMeanSquare = load(&rowMeanSquares[rows.first], 1, rows.count);
    fitBlock(layout, block, fit);
    storeFit(rows, group, fit);
  }
}

void GgmlEncoder::fitExactly(int64_t firstRow, int64_t group,
                             ConstMatrixView values) {
  for (int64_t row = 0; row < values.getRows(); ++row) {
    std::optional<ExactBlock> block =
        findExactBlock(layout, collect(values, row, 1));
    if (!block) {
      fit(firstRow + row, group, values.block(row, 0, 1, values.getCols()), {});
      continue;
    }
    BlockFit exact = {};
    exact.scale = splat(block->scale);
    exact.min = splat(block->min);
    for (int64_t i = 0, e = layout.getNumGroups(); i < e; ++i) {
      exact.groupScales[i] = splat(block->scales.scale[i]);
      exact.groupMins[i] = splat(block->scales.min[i]);
    }
    for (int64_t col = 0; col < layout.blockCols; ++col)
      exact.codes[col] = splat(static_cast<int32_t>(block->codes[col]));
    exact.rounding[0] = Rounding::Fixed;
    storeFit({firstRow + row, 1}, group, exact);
  }
}

void GgmlEncoder::storeFit(RowRange rows, int64_t block, const BlockFit &fit) {
  const int64_t groups = layout.getNumGroups();
  for (int64_t lane = 0; lane < rows.count; ++lane) {
    const int64_t row = rows.first + lane;
    uint8_t *bytes = getBlock(row, block);
    storeHalf(fit.scale[lane], bytes + layout.scaleByte);
    if (layout.hasMin())
      storeHalf(fit.min[lane], bytes + layout.minByte);
    if (layout.scales != GgmlLayout::Scales::None) {
      BlockScales scales = {};
      for (int64_t group = 0; group < groups; ++group) {
        scales.scale[group] = fit.groupScales[group][lane];
        if (layout.hasMin())
          scales.min[group] = fit.groupMins[group][lane];
      }
      writeScales(layout, scales, bytes);
    }
    for (int64_t group = 0; group < groups; ++group) {
      const int64_t index = getIndex(row, block * groups + group);
      roundings[index] = fit.rounding[lane];
      if (!inverses.empty()) {
        inverses[index] = fit.inverse[group][lane];
        origins[index] = fit.origin[group][lane];
      }
    }
    loadParameters(row, block);
    for (int64_t group = 0; group < groups; ++group) {
      if (roundings[getIndex(row, block * groups + group)] != Rounding::Fixed)
        continue;
      for (int64_t i = 0; i < layout.groupCols; ++i) {
        const int64_t col = group * layout.groupCols + i;
        writeCode(layout, bytes, col, fit.codes[col][lane]);
      }
    }
  }
}

void GgmlEncoder::loadParameters(int64_t row, int64_t block) {
  const int64_t groups = layout.getNumGroups();
  GroupParameters decoded[maxGroups];
  readParameters(layout, getBlock(row, block), decoded);
  for (int64_t group = 0; group < groups; ++group) {
    const int64_t index = getIndex(row, block * groups + group);
    parameters[index] = decoded[group];
    if (getFamily() == Family::Divide)
      roundings[index] =
          decoded[group].scale == 0 ? Rounding::Fixed : Rounding::Usual;
  }
}

void GgmlEncoder::rescale(int64_t firstRow, llvm::ArrayRef<int64_t> storedCols,
                          llvm::ArrayRef<float> factors, MatrixView decoded) {
  const int64_t block = storedCols.front() / layout.blockCols;
  const int64_t groups = layout.getNumGroups();
  for (int64_t i = 0; i < decoded.getRows(); ++i) {
    const int64_t row = firstRow + i;
    // Signs do not change; what would be negative is left alone.
    if (!(factors[i] > 0))
      continue;
    uint8_t *bytes = getBlock(row, block);
    auto scaleHalf = [&](int64_t byte) {
      storeHalf(loadHalf(bytes + byte) * factors[i], bytes + byte);
    };
    scaleHalf(layout.scaleByte);
    if (layout.hasMin())
      scaleHalf(layout.minByte);
    loadParameters(row, block);
    if (!inverses.empty())
      for (int64_t group = 0; group < groups; ++group) {
        const int64_t index = getIndex(row, block * groups + group);
        inverses[index] /= factors[i];
        origins[index] *= factors[i];
      }
    for (auto [place, col] : llvm::enumerate(storedCols)) {
      const GroupParameters &group =
          parameters[getIndex(row, col / layout.groupCols)];
      const uint32_t code = readCode(layout, bytes, col % layout.blockCols);
      float value = group.scale * static_cast<float>(getLevel(layout, code));
      decoded(i, place) = layout.hasMin() ? value + group.min : value;
    }
  }
}

QuantizedMatrix GgmlEncoder::finish() { return std::move(result); }

//===----------------------------------------------------------------------===//
// Coding
//===----------------------------------------------------------------------===//

GgmlEncoder::LaneParameters GgmlEncoder::getParameters(RowRange rows,
                                                       int64_t group) const {
  LaneParameters lanes = {};
  for (int64_t lane = 0; lane < rows.count; ++lane) {
    const int64_t index = getIndex(rows.first + lane, group);
    lanes.scale[lane] = parameters[index].scale;
    lanes.min[lane] = parameters[index].min;
    if (!inverses.empty()) {
      lanes.inverse[lane] = inverses[index];
      lanes.origin[lane] = origins[index];
    }
    lanes.isNearest[lane] = -(roundings[index] == Rounding::Nearest);
    lanes.isFixed[lane] = -(roundings[index] == Rounding::Fixed);
  }
  return lanes;
}

/// To the nearest integer, halves away from zero.
static Ints roundHalfAway(Floats values) {
  const Ints towardsZero = toInts(values);
  const Floats rest = values - toFloats(towardsZero);
  // Masks are -1.
  return towardsZero - (rest >= splat(0.5f)) + (rest <= splat(-0.5f));
}

template <GgmlEncoder::Family family>
Ints GgmlEncoder::roundUsual(Floats values, const LaneParameters &lanes) const {
  const int32_t offset = layout.codeOffset;
  const float maxCode = static_cast<float>(layout.getNumCodes() - 1);
  if constexpr (family == Family::Table)
    return findInTable(values * lanes.inverse);
  // Only what changed after the fit can be out of range.
  if constexpr (family == Family::Bytes)
    return roundHalfAway(clamp(values * lanes.inverse, -127, 127));
  if constexpr (family == Family::Truncate) {
    const float bias = static_cast<float>(offset) + 0.5f;
    return toInts(clamp((values - lanes.origin) * lanes.inverse + splat(bias),
                        0, maxCode));
  }
  if (layout.hasMin())
    values = values - lanes.min;
  return toInts(nearest(values / lanes.scale, -offset, maxCode - offset)) +
         splat(offset);
}

template <GgmlEncoder::Family family>
void GgmlEncoder::encodeGroup(RowRange rows, int64_t firstCol,
                              ConstMatrixView values, MatrixView decoded,
                              CodeRows codes) {
  const int32_t offset = layout.codeOffset;
  const float maxCode = static_cast<float>(layout.getNumCodes() - 1);
  const int64_t block = firstCol / layout.blockCols;
  const int64_t inBlock = firstCol - block * layout.blockCols;
  const LaneParameters lanes = getParameters(rows, firstCol / layout.groupCols);
  const bool isUsual = !any(lanes.isNearest | lanes.isFixed);
  const bool hasMin = layout.hasMin();
  for (int64_t i = 0, e = values.getCols(); i < e; ++i) {
    const Floats x = load(values.getData() + i * values.getColStride(),
                          values.getRowStride(), rows.count);
    Ints code = roundUsual<family>(x, lanes);
    if (!isUsual) {
      const Floats nearestCode = nearest(lanes.inverse * (x - lanes.origin),
                                         -offset, maxCode - offset);
      code = select(lanes.isNearest, toInts(nearestCode) + splat(offset), code);
      for (int64_t lane = 0; lane < rows.count; ++lane)
        if (lanes.isFixed[lane]) {
          const uint32_t fixed =
              readCode(layout, getBlock(rows.first + lane, block), inBlock + i);
          code[lane] = layout.hasSignedCodes() ? static_cast<int8_t>(fixed)
                                               : static_cast<int32_t>(fixed);
        }
    }
    Ints level = code - splat(offset);
    if constexpr (family == Family::Table)
      for (int64_t lane = 0; lane < numLanes; ++lane)
        level[lane] = ggmlTable[code[lane]];
    Floats value = lanes.scale * toFloats(level);
    if (hasMin)
      value += lanes.min;
    store(value, decoded.getData() + i * decoded.getColStride(),
          decoded.getRowStride(), rows.count);
    for (int64_t lane = 0; lane < numLanes; ++lane)
      codes[lane][inBlock + i] = static_cast<uint8_t>(code[lane]);
  }
}

template <GgmlEncoder::Family family>
void GgmlEncoder::encodeRows(RowRange rows, int64_t firstCol,
                             ConstMatrixView values, MatrixView decoded) {
  const int64_t end = firstCol + values.getCols();
  uint8_t codes[numLanes][maxBlockCols];
  for (int64_t begin = firstCol; begin < end;) {
    const int64_t block = begin / layout.blockCols;
    const int64_t blockCol = block * layout.blockCols;
    const int64_t last = std::min(end, blockCol + layout.blockCols);
    for (int64_t col = begin; col < last;) {
      const int64_t groupEnd = (col / layout.groupCols + 1) * layout.groupCols;
      const int64_t count = std::min(last, groupEnd) - col;
      encodeGroup<family>(
          rows, col, values.block(0, col - firstCol, rows.count, count),
          decoded.block(0, col - firstCol, rows.count, count), codes);
      col += count;
    }
    for (int64_t lane = 0; lane < rows.count; ++lane) {
      uint8_t *bytes = getBlock(rows.first + lane, block);
      if (last - begin == layout.blockCols) {
        writeCodes(layout, codes[lane], bytes);
        continue;
      }
      for (int64_t i = begin - blockCol; i < last - blockCol; ++i)
        writeCode(layout, bytes, i, codes[lane][i]);
    }
    begin = last;
  }
}

void GgmlEncoder::encode(int64_t firstRow, int64_t firstCol,
                         ConstMatrixView values, MatrixView decoded) {
  for (int64_t begin = 0; begin < values.getRows(); begin += numLanes) {
    const int64_t count = std::min(numLanes, values.getRows() - begin);
    const RowRange rows{firstRow + begin, count};
    ConstMatrixView from = values.block(begin, 0, count, values.getCols());
    MatrixView to = decoded.block(begin, 0, count, values.getCols());
    switch (getFamily()) {
    case Family::Truncate:
      encodeRows<Family::Truncate>(rows, firstCol, from, to);
      break;
    case Family::Bytes:
      encodeRows<Family::Bytes>(rows, firstCol, from, to);
      break;
    case Family::Divide:
      encodeRows<Family::Divide>(rows, firstCol, from, to);
      break;
    case Family::Table:
      encodeRows<Family::Table>(rows, firstCol, from, to);
      break;
    }
  }
}
