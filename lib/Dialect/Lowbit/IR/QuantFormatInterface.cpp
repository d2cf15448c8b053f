//===- QuantFormatInterface.cpp - what a number format has to say ---------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitTypes.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <utility>

using namespace mlir;
using namespace lowbit;

#include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.cpp.inc"

StringRef lowbit::getSafeTensorsType(Type type) {
  if (type.isF64())
    return "F64";
  if (type.isF32())
    return "F32";
  if (type.isF16())
    return "F16";
  if (type.isBF16())
    return "BF16";
  if (auto integer = dyn_cast<IntegerType>(type)) {
    bool isUnsigned = integer.isUnsigned();
    switch (integer.getWidth()) {
    case 8:
      return isUnsigned ? "U8" : "I8";
    case 16:
      return isUnsigned ? "U16" : "I16";
    case 32:
      return isUnsigned ? "U32" : "I32";
    case 64:
      return isUnsigned ? "U64" : "I64";
    }
  }
  return "";
}

/// The largest number that both are multiples of, by Euclid's algorithm.
static double getCommonUnit(double x, double y) {
  while (y > 0)
    x = std::exchange(y, std::fmod(x, y));
  return x;
}

std::optional<ByteLevels> lowbit::getByteLevels(const ScaledCodes &codes,
                                                std::string &reason) {
  if (codes.bits > 4) {
    reason = "codes of " + std::to_string(codes.bits) +
             " bits that stand for levels of a table are multiplied with float "
             "activations";
    return std::nullopt;
  }
  SmallVector<float, 32> levels(codes.levels.begin(), codes.levels.end());
  if (codes.pairs)
    llvm::append_range(levels, codes.pairs->levels);
  // Remainders are exact, so that all levels are multiples of the unit.
  double unit = 0, lowest = 0, largest = 0;
  for (double level : levels) {
    unit = getCommonUnit(unit, std::fabs(level));
    lowest = std::min(lowest, level);
    largest = std::max(largest, level);
  }
  if (unit == 0)
    unit = 1;
  const bool areFinite =
      llvm::all_of(levels, [](float level) { return std::isfinite(level); });
  if (!areFinite || (largest - lowest) / unit > 255) {
    reason = "levels that are no integers of eight bits times a constant are "
             "multiplied with float activations";
    return std::nullopt;
  }
  ByteLevels result = {float(unit), int32_t(-lowest / unit), {}};
  for (double level : levels)
    result.bytes.push_back(uint8_t((level - lowest) / unit));
  return result;
}

double QuantFormatAttrInterface::getBitsPerWeight(ArrayRef<int64_t> shape) {
  double bits = 0;
  for (const FormatComponent &component : getComponents(shape))
    bits += static_cast<double>(component.type.getNumElements()) *
            component.type.getElementTypeBitWidth();
  return bits / ShapedType::getNumElements(shape);
}
