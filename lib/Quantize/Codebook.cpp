//===- Codebook.cpp - The numbers that codes stand for --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Codebook.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

using namespace lowbit;

/// Which of two levels a value takes that lies in the middle.
enum class Codebook::Ties : uint8_t { ToLower, ToZero, ToEven };

struct Codebook::Table {
  std::string name;
  unsigned bits;
  llvm::SmallVector<float, 16> levels;
  /// The codes of finite levels in the order of their levels, -0 before 0.
  llvm::SmallVector<uint8_t, 16> codes;
  /// The least value that takes codes[i + 1], or a code after it.
  llvm::SmallVector<float, 16> bounds;
  float largest;
};

std::shared_ptr<const Codebook::Table>
Codebook::makeTable(llvm::StringRef name, unsigned bits, Ties ties,
                    llvm::ArrayRef<float> levels) {
  auto table = std::make_shared<Table>();
  table->name = name.str();
  table->bits = bits;
  table->levels.assign(levels.begin(), levels.end());
  for (auto [code, level] : llvm::enumerate(levels))
    if (std::isfinite(level))
      table->codes.push_back(code);
  llvm::stable_sort(table->codes, [&](uint8_t a, uint8_t b) {
    return std::pair(levels[a], !std::signbit(levels[a])) <
           std::pair(levels[b], !std::signbit(levels[b]));
  });
  for (size_t i = 0; i + 1 < table->codes.size(); ++i) {
    const uint8_t upperCode = table->codes[i + 1];
    const float lower = levels[table->codes[i]], upper = levels[upperCode];
    // Halved first where the sum might be too large.
    float middle = std::fabs(lower) < 1 && std::fabs(upper) < 1
                       ? (lower + upper) / 2
                       : lower / 2 + upper / 2;
    bool goesUp = ties == Ties::ToEven   ? upperCode % 2 == 0
                  : ties == Ties::ToZero ? middle < 0
                                         : false;
    // Between -0 and 0 the sign decides, and +0 is nearer to no sign.
    goesUp |= lower == upper;
    table->bounds.push_back(
        goesUp
            ? middle
            : std::nextafter(middle, std::numeric_limits<float>::infinity()));
  }
  table->largest = std::max(std::fabs(levels[table->codes.front()]),
                            std::fabs(levels[table->codes.back()]));
  return table;
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

static constexpr float nf4Levels[] = {
    -1.0f,
    -0.6961928009986877f,
    -0.5250730514526367f,
    -0.39491748809814453f,
    -0.28444138169288635f,
    -0.18477343022823334f,
    -0.09105003625154495f,
    0.0f,
    0.07958029955625534f,
    0.16093020141124725f,
    0.24611230194568634f,
    0.33791524171829224f,
    0.44070982933044434f,
    0.5626170039176941f,
    0.7229568362236023f,
    1.0f,
};

/// A sign bit, then these magnitudes in twelfths.
static llvm::SmallVector<float> makeFp4Levels() {
  llvm::SmallVector<float> levels;
  for (float sign : {1.0f, -1.0f})
    for (float twelfths : {0.0f, 0.0625f, 8.0f, 12.0f, 4.0f, 6.0f, 2.0f, 3.0f})
      levels.push_back(sign * (twelfths / 12.0f));
  return levels;
}

/// The means of neighbours among 2^i + 1 equally spaced numbers from 0.1 to 1,
/// times 10^(i - 6), for i from 0 to 6, of both signs; 0, and 1. All is rounded
/// to single precision as by the code that defines the map, which counts from
/// the nearer end and fuses the step's product with the sum.
static llvm::SmallVector<float> makeDynamicLevels() {
  constexpr float powers[] = {1e-6f, 1e-5f, 1e-4f, 1e-3f, 1e-2f, 1e-1f, 1.0f};
  llvm::SmallVector<float> levels = {0.0f, 1.0f};
  for (auto [i, power] : llvm::enumerate(powers)) {
    const int count = 1 << i;
    const float step = (1.0f - 0.1f) / static_cast<float>(count);
    auto getBoundary = [&](int j) -> float {
      return j < (count + 1) / 2
                 ? std::fma(step, static_cast<float>(j), 0.1f)
                 : std::fma(-step, static_cast<float>(count - j), 1.0f);
    };
    for (int j = 0; j < count; ++j) {
      float level = power * ((getBoundary(j) + getBoundary(j + 1)) / 2.0f);
      levels.push_back(level);
      levels.push_back(-level);
    }
  }
  llvm::sort(levels);
  return levels;
}

/// The numbers of a minifloat. `largestCode` is the greatest finite magnitude;
/// codes above it are an infinity, if the type has one, and NaN.
static llvm::SmallVector<float> makeMinifloatLevels(int exponentBits,
                                                    int mantissaBits,
                                                    int largestCode,
                                                    bool hasInfinity) {
  const int bias = (1 << (exponentBits - 1)) - 1;
  const int magnitudes = 1 << (exponentBits + mantissaBits);
  llvm::SmallVector<float> levels;
  for (float sign : {1.0f, -1.0f})
    for (int code = 0; code < magnitudes; ++code) {
      const int exponent = code >> mantissaBits;
      const int mantissa = code & ((1 << mantissaBits) - 1);
      float level = std::numeric_limits<float>::quiet_NaN();
      if (code <= largestCode)
        level = exponent == 0 ? std::ldexp(mantissa, 1 - bias - mantissaBits)
                              : std::ldexp(mantissa + (1 << mantissaBits),
                                           exponent - bias - mantissaBits);
      else if (hasInfinity && code == largestCode + 1)
        level = std::numeric_limits<float>::infinity();
      levels.push_back(sign * level);
    }
  return levels;
}

std::optional<Codebook> Codebook::find(llvm::StringRef name) {
  // Made once; copies share them.
  static const Codebook tables[] = {
      Codebook(makeTable("nf4", 4, Ties::ToLower, nf4Levels)),
      Codebook(makeTable("fp4", 4, Ties::ToZero, makeFp4Levels())),
      Codebook(makeTable("e2m1", 4, Ties::ToEven,
                         makeMinifloatLevels(2, 1, 0x7, false))),
      Codebook(makeTable("e4m3", 8, Ties::ToEven,
                         makeMinifloatLevels(4, 3, 0x7E, false))),
      Codebook(makeTable("e5m2", 8, Ties::ToEven,
                         makeMinifloatLevels(5, 2, 0x7B, true))),
      Codebook(makeTable("dynamic8", 8, Ties::ToLower, makeDynamicLevels())),
  };
  for (const Codebook &table : tables)
    if (table.getName() == name)
      return table;
  return std::nullopt;
}

llvm::StringRef Codebook::getNames() {
  return "nf4, fp4, e2m1, e4m3, e5m2, dynamic8";
}

llvm::Expected<Codebook> Codebook::get(llvm::ArrayRef<float> levels) {
  if (levels.size() < 2 || levels.size() > 16)
    return makeError("a codebook has 2 to 16 levels, got " +
                     llvm::Twine(levels.size()));
  for (size_t i = 0; i < levels.size(); ++i) {
    const bool ascends = i == 0 || levels[i] > levels[i - 1];
    if (std::isfinite(levels[i]) && ascends)
      continue;
    std::string message;
    llvm::raw_string_ostream os(message);
    os << "the levels of a codebook must be finite and ascend, but level " << i
       << " is " << llvm::format("%g", levels[i]);
    if (i != 0)
      os << " after " << llvm::format("%g", levels[i - 1]);
    return makeError(message);
  }
  return Codebook(makeTable("", 4, Ties::ToLower, levels));
}

//===----------------------------------------------------------------------===//
// Queries
//===----------------------------------------------------------------------===//

llvm::StringRef Codebook::getName() const { return table->name; }

unsigned Codebook::getBits() const { return table->bits; }

llvm::ArrayRef<float> Codebook::getLevels() const { return table->levels; }

float Codebook::getLargest() const { return table->largest; }

uint8_t Codebook::encode(float value) const {
  const auto *bound = llvm::upper_bound(table->bounds, value);
  return table->codes[bound - table->bounds.begin()];
}
