//===- GgmlBlock.h - Bits in and out of a GGML block ------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_GGML_GGMLBLOCK_H
#define LOWBIT_LIB_QUANTIZE_GGML_GGMLBLOCK_H

#include "lowbit/Quantize/GgmlLayout.h"

namespace lowbit::ggml {

inline constexpr int64_t maxBlockCols = 256;
inline constexpr int64_t maxGroups = 16;

/// The scales of a block as small integers, as they are stored less the
/// layout's offset. Layouts without scales have one that is 1.
struct BlockScales {
  int32_t scale[maxGroups];
  int32_t min[maxGroups];
};

/// What an element of a group decodes to: scale * level + min.
struct GroupParameters {
  float scale;
  /// Only for layouts with mins.
  float min;
};

/// f16 at `in` as a float.
float loadHalf(const uint8_t *in);
/// Rounds to f16; what is too large becomes the largest finite number.
void storeHalf(float value, uint8_t *out);

/// The bits of a value of a plane: zero-extended.
inline uint32_t readPlane(const GgmlPlane &plane, const uint8_t *block,
                          int64_t index) {
  return (block[plane.getByte(index)] >> plane.getShift(index)) &
         ((1u << plane.bits) - 1);
}

/// Replaces the bits of one value by the low bits of `value`.
inline void writePlane(const GgmlPlane &plane, uint8_t *block, int64_t index,
                       uint32_t value) {
  uint8_t &byte = block[plane.getByte(index)];
  const int64_t shift = plane.getShift(index);
  const uint32_t mask = ((1u << plane.bits) - 1) << shift;
  byte = static_cast<uint8_t>((byte & ~mask) | ((value << shift) & mask));
}

/// The code of one element, unsigned.
inline uint32_t readCode(const GgmlLayout &layout, const uint8_t *block,
                         int64_t index) {
  uint32_t code = readPlane(layout.low, block, index);
  if (layout.high.bits != 0)
    code |= readPlane(layout.high, block, index) << layout.low.bits;
  return code;
}

inline void writeCode(const GgmlLayout &layout, uint8_t *block, int64_t index,
                      uint32_t code) {
  writePlane(layout.low, block, index, code);
  if (layout.high.bits != 0)
    writePlane(layout.high, block, index, code >> layout.low.bits);
}

/// The number that a code stands for, before it is scaled.
inline int32_t getLevel(const GgmlLayout &layout, uint32_t code) {
  if (layout.hasTable)
    return ggmlTable[code];
  if (layout.hasSignedCodes())
    return static_cast<int8_t>(code);
  return static_cast<int32_t>(code) - layout.codeOffset;
}

/// All codes of a block at once.
void readCodes(const GgmlLayout &layout, const uint8_t *block, uint8_t *codes);
void writeCodes(const GgmlLayout &layout, const uint8_t *codes, uint8_t *block);

/// The bytes of the scales, not those of `d` and `dmin`. Values are cut to the
/// bits that they are stored in.
BlockScales readScales(const GgmlLayout &layout, const uint8_t *block);
void writeScales(const GgmlLayout &layout, const BlockScales &scales,
                 uint8_t *block);

/// The parameters of every group of a block.
void readParameters(const GgmlLayout &layout, const uint8_t *block,
                    GroupParameters *parameters);

} // namespace lowbit::ggml

#endif // LOWBIT_LIB_QUANTIZE_GGML_GGMLBLOCK_H
