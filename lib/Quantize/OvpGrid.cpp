//===- OvpGrid.cpp - The levels of outlier-victim pairs -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/OvpGrid.h"
#include "lowbit/Quantize/BitPacking.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"
#include <cassert>

using namespace lowbit;

llvm::StringRef lowbit::getName(OvpNormals normals) {
  switch (normals) {
  case OvpNormals::Int4:
    return "int4";
  case OvpNormals::Flint4:
    return "flint4";
  case OvpNormals::Int8:
    return "int8";
  }
  llvm_unreachable("unknown normal levels");
}

std::optional<OvpNormals> lowbit::getOvpNormals(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<OvpNormals>>(name)
      .Case("int4", OvpNormals::Int4)
      .Case("flint4", OvpNormals::Flint4)
      .Case("int8", OvpNormals::Int8)
      .Default(std::nullopt);
}

llvm::StringRef lowbit::getName(OvpOutliers outliers) {
  switch (outliers) {
  case OvpOutliers::E2M1:
    return "e2m1";
  case OvpOutliers::E4M3:
    return "e4m3";
  case OvpOutliers::E2M5:
    return "e2m5";
  }
  llvm_unreachable("unknown outliers");
}

std::optional<OvpOutliers> lowbit::getOvpOutliers(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<OvpOutliers>>(name)
      .Case("e2m1", OvpOutliers::E2M1)
      .Case("e4m3", OvpOutliers::E4M3)
      .Case("e2m5", OvpOutliers::E2M5)
      .Default(std::nullopt);
}

static unsigned getMantissaBits(OvpOutliers outliers) {
  switch (outliers) {
  case OvpOutliers::E2M1:
    return 1;
  case OvpOutliers::E4M3:
    return 3;
  case OvpOutliers::E2M5:
    return 5;
  }
  llvm_unreachable("unknown outliers");
}

static float getLargest(OvpNormals normals) {
  switch (normals) {
  case OvpNormals::Int4:
    return 7;
  case OvpNormals::Flint4:
    return 16;
  case OvpNormals::Int8:
    return 127;
  }
  llvm_unreachable("unknown normal levels");
}

OvpGrid::OvpGrid(OvpNormals normals, OvpOutliers outliers)
    : bits(normals == OvpNormals::Int8 ? 8 : 4),
      mantissaBits(::getMantissaBits(outliers)),
      flint(normals == OvpNormals::Flint4), largestNormal(getLargest(normals)) {
  // 2^mantissaBits * 2^bias, which is not used, is the first number that no
  // normal level is greater than.
  bias =
      llvm::Log2_32_Ceil(static_cast<uint32_t>(largestNormal)) - mantissaBits;
  smallestOutlier = std::ldexp((1 << mantissaBits) + 1, bias);
  largestOutlier =
      std::ldexp((2 << mantissaBits) - 1, bias + (1 << getExponentBits()) - 1);
  threshold = (largestNormal + smallestOutlier) / 2;
}

float OvpGrid::decode(uint8_t code, uint8_t neighbour) const {
  const uint8_t identifier = getIdentifier();
  if (code == identifier)
    return 0;
  const unsigned magnitude = code & (identifier - 1);
  const float sign = code & identifier ? -1 : 1;
  if (neighbour == identifier) {
    const unsigned mantissa = magnitude & ((1 << mantissaBits) - 1);
    return sign * std::ldexp((1 << mantissaBits) + mantissa,
                             bias + (magnitude >> mantissaBits));
  }
  return flint ? sign * flintMagnitudes[magnitude]
               : static_cast<float>(signExtendCode(code, bits));
}

uint8_t OvpGrid::encode(float level) const {
  const uint8_t sign = level < 0 ? getIdentifier() : 0;
  const float magnitude = std::fabs(level);
  if (isOutlier(level)) {
    const int exponent = std::ilogb(magnitude);
    const auto mantissa = static_cast<unsigned>(
        std::ldexp(magnitude, static_cast<int>(mantissaBits) - exponent));
    // The mantissa's leading bit is implied.
    return sign | (exponent - mantissaBits - bias) << mantissaBits |
           (mantissa - (1 << mantissaBits));
  }
  const auto integer = static_cast<int>(level);
  if (!flint)
    return integer & ((1 << bits) - 1);
  const auto *entry = llvm::find(flintMagnitudes, std::abs(integer));
  assert(entry != std::end(flintMagnitudes) && "not a level of flint4");
  return sign | (entry - std::begin(flintMagnitudes));
}
