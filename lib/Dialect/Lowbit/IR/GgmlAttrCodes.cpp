//===- GgmlAttrCodes.cpp - #lowbit.ggml as scaled codes -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Blocks keep codes, scales and mins together. Kernels want them apart: codes
// as they are, scales and mins as bytes, and `d` and `dmin` as their factors.
// Nothing is rounded.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Quantize/BitPacking.h"
#include "mlir/IR/Threading.h"
#include <cstring>

using namespace mlir;
using namespace lowbit;

static unsigned getCodeBits(const GgmlLayout &layout) {
  return layout.low.bits + layout.high.bits;
}

std::optional<ScaledCodes> GgmlAttr::getScaledCodes() const {
  const GgmlLayout &layout = getLayout();
  Type half = Float16Type::get(getContext());
  auto getByte = [&](bool isSigned) -> Type {
    return IntegerType::get(getContext(), 8,
                            isSigned ? IntegerType::Signed
                                     : IntegerType::Unsigned);
  };
  ScaledCodes codes;
  codes.ownStorage = true;
  codes.bits = getCodeBits(layout);
  if (layout.hasTable)
    codes.levels.assign(ggmlTable.begin(), ggmlTable.end());
  // Offsets are half of the range, as those of signed codes are.
  codes.isSigned = layout.hasSignedCodes() || layout.codeOffset != 0;
  codes.groupRows = 1;
  codes.groupCols = layout.groupCols;
  codes.scaleType = half;
  if (layout.hasMin())
    codes.offsetType = half;
  if (layout.scales == GgmlLayout::Scales::None)
    return codes;
  codes.scaleType =
      getByte(layout.hasSignedScales() || layout.scaleOffset != 0);
  codes.factorType = half;
  codes.factorGroups = layout.getNumGroups();
  if (layout.hasMin()) {
    codes.offsetType = getByte(/*isSigned=*/false);
    codes.offsetFactorType = half;
  }
  return codes;
}

SmallVector<std::vector<char>>
GgmlAttr::unpackScaledCodes(ArrayRef<int64_t> shape,
                            ArrayRef<ArrayRef<char>> components) const {
  const GgmlFormat format(getType());
  const GgmlLayout &layout = getLayout();
  const int64_t rows = shape[0], blocks = shape[1] / layout.blockCols;
  const int64_t perBlock = layout.getNumGroups();
  const unsigned bits = getCodeBits(layout);
  const int64_t codeBytes = getPackedBytes(layout.blockCols, bits);
  const bool hasFactors = layout.scales != GgmlLayout::Scales::None;

  // In the order in which kernels want them. Without scales of groups, `d` is
  // the scale itself, and `dmin` the offset.
  SmallVector<std::vector<char>> unpacked;
  auto add = [&](int64_t bytesOfBlock) {
    unpacked.emplace_back(rows * blocks * bytesOfBlock);
    return unpacked.size() - 1;
  };
  const size_t codes = add(codeBytes);
  const size_t scales = hasFactors ? add(perBlock) : 0;
  const size_t factors = add(sizeof(uint16_t));
  const size_t mins = hasFactors && layout.hasMin() ? add(perBlock) : 0;
  const size_t minFactors = layout.hasMin() ? add(sizeof(uint16_t)) : 0;

  const uint8_t flip =
      layout.codeOffset == 0 ? 0 : static_cast<uint8_t>(layout.codeOffset);
  parallelFor(getContext(), 0, rows, [&](size_t row) {
    for (int64_t i = 0; i < blocks; ++i) {
      const int64_t number = static_cast<int64_t>(row) * blocks + i;
      GgmlFormat::Block block = format.readBlock(
          reinterpret_cast<const uint8_t *>(components.front().data()) +
          number * layout.blockBytes);
      MutableArrayRef<uint8_t> values =
          MutableArrayRef(block.codes).take_front(layout.blockCols);
      // q - 2^(bits - 1) in two's complement.
      for (uint8_t &value : values)
        value ^= flip;
      packBits(values, bits,
               {reinterpret_cast<uint8_t *>(unpacked[codes].data()) +
                    number * codeBytes,
                static_cast<size_t>(codeBytes)});
      if (hasFactors)
        for (int64_t group = 0; group < perBlock; ++group) {
          unpacked[scales][number * perBlock + group] =
              static_cast<char>(block.scales[group]);
          if (layout.hasMin())
            unpacked[mins][number * perBlock + group] =
                static_cast<char>(block.mins[group]);
        }
      auto storeHalf = [&](size_t component, uint16_t half) {
        std::memcpy(unpacked[component].data() + number * sizeof(half), &half,
                    sizeof(half));
      };
      storeHalf(factors, block.d);
      // A min that has a factor is subtracted.
      if (layout.hasMin())
        storeHalf(minFactors, hasFactors ? block.dmin ^ 0x8000 : block.dmin);
    }
  });
  return unpacked;
}
