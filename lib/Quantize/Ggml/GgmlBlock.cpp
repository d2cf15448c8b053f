//===- GgmlBlock.cpp - Bits in and out of a GGML block --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GgmlBlock.h"
#include "lowbit/Quantize/FloatStorage.h"
#include <algorithm>
#include <cstring>

using namespace lowbit;
using namespace lowbit::ggml;

float ggml::loadHalf(const uint8_t *in) {
  return loadFloat(ElementType::F16, in);
}

void ggml::storeHalf(float value, uint8_t *out) {
  const float largest = getLargest(ElementType::F16);
  storeFloat(ElementType::F16, std::clamp(value, -largest, largest), out);
}

/// Combines the bits of a plane for all values of a block into its bytes.
static void writeAll(const GgmlPlane &plane, unsigned shift, int64_t count,
                     const uint8_t *codes, uint8_t *block) {
  const int64_t stride = plane.stride, perByte = 8 / plane.bits;
  const uint8_t mask = static_cast<uint8_t>((1u << plane.bits) - 1);
  uint8_t *bytes = block + plane.base;
  std::memset(bytes, 0, count / perByte);
  for (int64_t first = 0; first < count; first += stride * perByte) {
    for (int64_t part = 0; part < perByte; ++part)
      for (int64_t i = 0; i < stride; ++i)
        bytes[i] |= ((codes[first + part * stride + i] >> shift) & mask)
                    << (part * plane.bits);
    bytes += stride;
  }
}

/// The inverse; the bits are added to `codes`.
static void readAll(const GgmlPlane &plane, unsigned shift, int64_t count,
                    const uint8_t *block, uint8_t *codes) {
  const int64_t stride = plane.stride, perByte = 8 / plane.bits;
  const uint8_t mask = static_cast<uint8_t>((1u << plane.bits) - 1);
  const uint8_t *bytes = block + plane.base;
  for (int64_t first = 0; first < count; first += stride * perByte) {
    for (int64_t part = 0; part < perByte; ++part)
      for (int64_t i = 0; i < stride; ++i)
        codes[first + part * stride + i] |=
            ((bytes[i] >> (part * plane.bits)) & mask) << shift;
    bytes += stride;
  }
}

void ggml::readCodes(const GgmlLayout &layout, const uint8_t *block,
                     uint8_t *codes) {
  std::memset(codes, 0, layout.blockCols);
  readAll(layout.low, 0, layout.blockCols, block, codes);
  if (layout.high.bits != 0)
    readAll(layout.high, layout.low.bits, layout.blockCols, block, codes);
}

void ggml::writeCodes(const GgmlLayout &layout, const uint8_t *codes,
                      uint8_t *block) {
  writeAll(layout.low, 0, layout.blockCols, codes, block);
  if (layout.high.bits != 0)
    writeAll(layout.high, layout.low.bits, layout.blockCols, codes, block);
}

/// Scale and min of sub-block `index` < 8 in 12 bytes: the first four pairs in
/// the low six bits of bytes 0 to 7, the low nibbles of the others in bytes 8
/// to 11 and their upper two bits on top of the first eight bytes.
static void readSixBits(const uint8_t *bytes, int64_t index, int32_t &scale,
                        int32_t &min) {
  if (index < 4) {
    scale = bytes[index] & 63;
    min = bytes[index + 4] & 63;
    return;
  }
  scale = (bytes[index + 4] & 15) | (bytes[index - 4] >> 6) << 4;
  min = (bytes[index + 4] >> 4) | (bytes[index] >> 6) << 4;
}

static void writeSixBits(uint8_t *bytes, int64_t index, uint32_t scale,
                         uint32_t min) {
  if (index < 4) {
    bytes[index] = (bytes[index] & 0xC0) | (scale & 63);
    bytes[index + 4] = (bytes[index + 4] & 0xC0) | (min & 63);
    return;
  }
  bytes[index + 4] = (scale & 15) | (min & 15) << 4;
  bytes[index - 4] = (bytes[index - 4] & 63) | (scale >> 4 & 3) << 6;
  bytes[index] = (bytes[index] & 63) | (min >> 4 & 3) << 6;
}

/// A scale, or a min where `index` is beyond the scales.
static int32_t readPlaneScale(const GgmlLayout &layout, const uint8_t *block,
                              int64_t index) {
  uint32_t bits = readPlane(layout.scaleLow, block, index);
  if (layout.scaleHigh.bits != 0)
    bits |= readPlane(layout.scaleHigh, block, index) << layout.scaleLow.bits;
  if (layout.hasSignedScales())
    return static_cast<int8_t>(bits);
  return static_cast<int32_t>(bits) - layout.scaleOffset;
}

static void writePlaneScale(const GgmlLayout &layout, uint8_t *block,
                            int64_t index, int32_t value) {
  const uint32_t bits = static_cast<uint32_t>(value + layout.scaleOffset);
  writePlane(layout.scaleLow, block, index, bits);
  if (layout.scaleHigh.bits != 0)
    writePlane(layout.scaleHigh, block, index, bits >> layout.scaleLow.bits);
}

BlockScales ggml::readScales(const GgmlLayout &layout, const uint8_t *block) {
  BlockScales scales;
  const int64_t groups = layout.getNumGroups();
  for (int64_t i = 0; i < groups; ++i) {
    scales.scale[i] = 1;
    scales.min[i] = 0;
    if (layout.scales == GgmlLayout::Scales::SixBits) {
      readSixBits(block + layout.scaleLow.base, i, scales.scale[i],
                  scales.min[i]);
    } else if (layout.scales == GgmlLayout::Scales::Planes) {
      scales.scale[i] = readPlaneScale(layout, block, i);
      if (layout.hasMin())
        scales.min[i] = readPlaneScale(layout, block, groups + i);
    }
  }
  return scales;
}

void ggml::writeScales(const GgmlLayout &layout, const BlockScales &scales,
                       uint8_t *block) {
  const int64_t groups = layout.getNumGroups();
  for (int64_t i = 0; i < groups; ++i) {
    if (layout.scales == GgmlLayout::Scales::SixBits) {
      writeSixBits(block + layout.scaleLow.base, i, scales.scale[i],
                   scales.min[i]);
    } else if (layout.scales == GgmlLayout::Scales::Planes) {
      writePlaneScale(layout, block, i, scales.scale[i]);
      if (layout.hasMin())
        writePlaneScale(layout, block, groups + i, scales.min[i]);
    }
  }
}

void ggml::readParameters(const GgmlLayout &layout, const uint8_t *block,
                          GroupParameters *parameters) {
  const float d = loadHalf(block + layout.scaleByte);
  const float dmin = layout.hasMin() ? loadHalf(block + layout.minByte) : 0;
  if (layout.scales == GgmlLayout::Scales::None) {
    parameters[0] = {d, dmin};
    return;
  }
  const BlockScales scales = readScales(layout, block);
  for (int64_t i = 0, e = layout.getNumGroups(); i < e; ++i)
    parameters[i] = {d * static_cast<float>(scales.scale[i]),
                     -(dmin * static_cast<float>(scales.min[i]))};
}
