//===- FloatStorage.cpp - Float values as they are stored -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/FloatStorage.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/ErrorHandling.h"
#include <cmath>
#include <cstring>

using namespace lowbit;

bool lowbit::isScaleType(ElementType type) {
  return type == ElementType::F16 || type == ElementType::BF16 ||
         type == ElementType::F32;
}

llvm::StringRef lowbit::getScaleTypeName(ElementType type) {
  switch (type) {
  case ElementType::F16:
    return "f16";
  case ElementType::BF16:
    return "bf16";
  case ElementType::F32:
    return "f32";
  default:
    llvm_unreachable("not a scale type");
  }
}

float lowbit::getLargest(ElementType type) {
  switch (type) {
  case ElementType::F16:
    return 65504.0f;
  case ElementType::BF16:
    return llvm::bit_cast<float>(0x7F7F0000u);
  case ElementType::F32:
    return llvm::bit_cast<float>(0x7F7FFFFFu);
  default:
    llvm_unreachable("not a scale type");
  }
}

float lowbit::getSmallestPositive(ElementType type) {
  switch (type) {
  case ElementType::F16:
    return 0x1p-24f;
  case ElementType::BF16:
    return 0x1p-133f;
  case ElementType::F32:
    return 0x1p-149f;
  default:
    llvm_unreachable("not a scale type");
  }
}

float lowbit::getRelativePrecision(ElementType type) {
  switch (type) {
  case ElementType::F16:
    return 0x1p-11f;
  case ElementType::BF16:
    return 0x1p-8f;
  case ElementType::F32:
    return 0x1p-24f;
  default:
    llvm_unreachable("not a scale type");
  }
}

static uint16_t encodeHalf(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000)
    return sign | 0x7E00;
  // 65520 and above round to infinity.
  if (magnitude >= 0x477FF000)
    return sign | 0x7C00;
  // Below 2^-14 the result is subnormal: count in units of 2^-24; the product
  // is exact.
  if (magnitude < 0x38800000) {
    float units = std::nearbyint(std::fabs(value) * 0x1p24f);
    return sign | static_cast<uint16_t>(units);
  }
  // Normal: rebias the exponent by 127 - 15, round the 13 dropped bits to even.
  // A carry out of the mantissa moves into the exponent, which is what rounding
  // up to a power of two means.
  uint32_t rebiased = magnitude - (112u << 23);
  uint32_t roundUp = 0xFFF + ((rebiased >> 13) & 1);
  return sign | static_cast<uint16_t>((rebiased + roundUp) >> 13);
}

static float decodeHalf(uint16_t half) {
  uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  uint32_t exponent = (half >> 10) & 0x1F;
  uint32_t mantissa = half & 0x3FF;
  if (exponent == 0) {
    float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  uint32_t rebiased = exponent == 0x1F ? 0xFFu : exponent + 112;
  return llvm::bit_cast<float>(sign | (rebiased << 23) | (mantissa << 13));
}

static uint16_t encodeBFloat(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000)
    return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

void lowbit::storeFloat(ElementType type, float value, uint8_t *out) {
  switch (type) {
  case ElementType::F16: {
    uint16_t half = encodeHalf(value);
    std::memcpy(out, &half, sizeof(half));
    return;
  }
  case ElementType::BF16: {
    uint16_t bfloat = encodeBFloat(value);
    std::memcpy(out, &bfloat, sizeof(bfloat));
    return;
  }
  case ElementType::F32:
    std::memcpy(out, &value, sizeof(value));
    return;
  default:
    llvm_unreachable("not a scale type");
  }
}

float lowbit::loadFloat(ElementType type, const uint8_t *in) {
  switch (type) {
  case ElementType::F16: {
    uint16_t half;
    std::memcpy(&half, in, sizeof(half));
    return decodeHalf(half);
  }
  case ElementType::BF16: {
    uint16_t bfloat;
    std::memcpy(&bfloat, in, sizeof(bfloat));
    return llvm::bit_cast<float>(static_cast<uint32_t>(bfloat) << 16);
  }
  case ElementType::F32: {
    float value;
    std::memcpy(&value, in, sizeof(value));
    return value;
  }
  default:
    llvm_unreachable("not a scale type");
  }
}

float lowbit::roundToType(ElementType type, float value) {
  uint8_t stored[sizeof(float)];
  storeFloat(type, value, stored);
  return loadFloat(type, stored);
}
