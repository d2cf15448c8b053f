//===- GgmlFormat.cpp - The block types of GGML ---------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/GgmlFormat.h"
#include "GgmlBlock.h"
#include "GgmlEncoder.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cmath>
#include <cstring>

using namespace lowbit;
using namespace lowbit::ggml;

static_assert(std::tuple_size_v<decltype(GgmlFormat::Block::codes)> ==
                  maxBlockCols &&
              std::tuple_size_v<decltype(GgmlFormat::Block::scales)> ==
                  maxGroups);

std::string GgmlFormat::describe() const { return layout->name.str(); }

llvm::SmallVector<ComponentSpec, 3>
GgmlFormat::getComponents(int64_t rows, int64_t cols) const {
  assert(cols % layout->blockCols == 0 && "columns must divide into blocks");
  return {{"blocks",
           ElementType::I8,
           {rows, cols / layout->blockCols * layout->blockBytes}}};
}

GgmlFormat::Block GgmlFormat::readBlock(const uint8_t *block) const {
  Block result = {};
  readCodes(*layout, block, result.codes.data());
  const BlockScales scales = readScales(*layout, block);
  std::copy_n(scales.scale, layout->getNumGroups(), result.scales.begin());
  std::copy_n(scales.min, layout->getNumGroups(), result.mins.begin());
  std::memcpy(&result.d, block + layout->scaleByte, sizeof(result.d));
  if (layout->hasMin())
    std::memcpy(&result.dmin, block + layout->minByte, sizeof(result.dmin));
  return result;
}

float GgmlFormat::getLargestValue() const {
  const float largest = getLargest(ElementType::F16);
  // A min is stored as it is, or as the largest multiple of `dmin`.
  if (layout->addsMin())
    return largest;
  if (layout->hasMin())
    return largest * (layout->type == GgmlType::Q2_K ? 15 : 63);
  const float level = layout->hasTable || layout->hasSignedCodes()
                          ? 127
                          : static_cast<float>(layout->codeOffset);
  if (layout->scales == GgmlLayout::Scales::None)
    return largest * level;
  return largest * level * (layout->hasSignedScales() ? 128 : 32);
}

/// The bits of the largest magnitude: they order as magnitudes do, with
/// infinity and NaN above all numbers.
static uint32_t getLargestMagnitude(ConstMatrixView weights) {
  uint32_t largest = 0;
  for (int64_t row = 0; row < weights.getRows(); ++row) {
    const float *values = weights.getData() + row * weights.getRowStride();
    for (int64_t col = 0; col < weights.getCols(); ++col) {
      const float value = values[col * weights.getColStride()];
      largest = std::max(largest, llvm::bit_cast<uint32_t>(std::fabs(value)));
    }
  }
  return largest;
}

/// An error that names the first value beyond `largest`, which there is.
static llvm::Error refuseLargerThan(const GgmlLayout &layout,
                                    ConstMatrixView weights, float largest) {
  int64_t index = 0;
  const int64_t cols = weights.getCols();
  while (std::fabs(weights(index / cols, index % cols)) <= largest)
    ++index;
  const int64_t row = index / cols, col = index % cols;
  std::string message;
  llvm::raw_string_ostream os(message);
  os << "the weight in row " << row << ", column " << col << " is "
     << llvm::format("%g", weights(row, col)) << ", but " << layout.name
     << ", whose scales are f16, ends at " << llvm::format("%g", largest);
  return makeError(message);
}

llvm::Expected<std::unique_ptr<MatrixEncoder>>
GgmlFormat::createEncoder(ConstMatrixView weights, const RangeSearch &) const {
  const int64_t cols = weights.getCols();
  if (cols % layout->blockCols != 0)
    return makeError("a matrix of " + llvm::Twine(cols) +
                     " columns cannot be stored in blocks of " +
                     llvm::Twine(layout->blockCols) + " of type " +
                     layout->name);
  const float largest = getLargestValue();
  if (getLargestMagnitude(weights) <= llvm::bit_cast<uint32_t>(largest))
    return std::make_unique<GgmlEncoder>(*this, weights);
  if (llvm::Error error = checkFinite(weights))
    return std::move(error);
  return refuseLargerThan(*layout, weights, largest);
}

llvm::Error
GgmlFormat::decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                   MatrixView decoded) const {
  const int64_t rows = decoded.getRows(), cols = decoded.getCols();
  if (cols % layout->blockCols != 0)
    return makeError("a matrix of " + llvm::Twine(cols) +
                     " columns is not stored in blocks of " +
                     llvm::Twine(layout->blockCols) + " of type " +
                     layout->name);
  if (llvm::Error error = checkComponentSizes(components, rows, cols))
    return error;
  const uint8_t *block = components.front().data();
  uint8_t codes[maxBlockCols];
  GroupParameters parameters[maxGroups];
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t first = 0; first < cols; first += layout->blockCols) {
      readCodes(*layout, block, codes);
      readParameters(*layout, block, parameters);
      for (int64_t i = 0; i < layout->blockCols; ++i) {
        const GroupParameters &group = parameters[i / layout->groupCols];
        const float value =
            group.scale * static_cast<float>(getLevel(*layout, codes[i]));
        decoded(row, first + i) = layout->hasMin() ? value + group.min : value;
      }
      block += layout->blockBytes;
    }
  return llvm::Error::success();
}
