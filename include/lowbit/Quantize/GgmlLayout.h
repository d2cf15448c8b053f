//===- GgmlLayout.h - Where a GGML block keeps its bits ---------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The block types of GGML as data: one description serves the code that packs
// and unpacks blocks and the code that builds IR to decode them.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_GGMLLAYOUT_H
#define LOWBIT_QUANTIZE_GGMLLAYOUT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <array>
#include <bit>
#include <cstdint>
#include <optional>

namespace lowbit {

/// A block type, by the name that GGML and GGUF give it.
enum class GgmlType {
  Q4_0,
  Q4_1,
  Q5_0,
  Q5_1,
  Q8_0,
  Q2_K,
  Q3_K,
  Q4_K,
  Q5_K,
  Q6_K,
  IQ4_NL,
  IQ4_XS
};

/// Small integers in a block, some bits of each. `stride` adjacent bytes hold
/// the first `stride` values in their lowest bits, the next `stride` values in
/// the bits above, and so on; when the bytes are full the next ones follow.
struct GgmlPlane {
  /// The first byte; meaningless without bits.
  int16_t base = 0;
  /// Bits of each value, a power of two; 0 if there is no such plane.
  int16_t bits = 0;
  /// A power of two.
  int16_t stride = 1;

  constexpr int64_t getByte(int64_t index) const {
    const int strideLog = std::countr_zero(static_cast<unsigned>(stride));
    return base + (index >> (strideLog + getCountLog()) << strideLog) +
           (index & (stride - 1));
  }
  constexpr int64_t getShift(int64_t index) const {
    const int strideLog = std::countr_zero(static_cast<unsigned>(stride));
    return (index >> strideLog & ((1 << getCountLog()) - 1)) * bits;
  }

private:
  /// The logarithm of how many values share a byte.
  constexpr int getCountLog() const {
    return 3 - std::countr_zero(static_cast<unsigned>(bits));
  }
};

/// Everything that distinguishes one block type from another in storage. An
/// element is `d * scale * level - dmin * min`, where `level` is its code less
/// `codeOffset`, or the entry of a table for its code. Types without scales or
/// mins lack the factor or the term; `q4_1` and `q5_1` add a float `m` instead.
struct GgmlLayout {
  /// How the scales of the sub-blocks are packed.
  enum class Scales : uint8_t {
    None,
    /// In planes.
    Planes,
    /// Scale and min of 6 bits each, of 8 sub-blocks in 12 bytes.
    SixBits
  };

  GgmlType type;
  llvm::StringLiteral name;
  /// Elements and bytes of a block.
  int64_t blockCols;
  int64_t blockBytes;
  /// Adjacent elements that share a scale.
  int64_t groupCols;
  /// Where the f16 `d` stands.
  int64_t scaleByte;
  /// Where the f16 `dmin` or `m` stands, or -1.
  int64_t minByte;
  /// The low and the high bits of the codes.
  GgmlPlane low, high;
  int32_t codeOffset;
  Scales scales;
  /// For Scales::Planes, the scales' low and high bits. Mins follow the scales
  /// as if they were further sub-blocks. For Scales::SixBits the base alone.
  GgmlPlane scaleLow, scaleHigh;
  int32_t scaleOffset;
  /// Whether codes index `getGgmlTable()`.
  bool hasTable;
  /// The type that GGML takes where columns do not divide into blocks of this
  /// one; absent where there is none.
  std::optional<GgmlType> fallback;

  constexpr bool hasMin() const { return minByte >= 0; }
  /// Whether the min is an f16 of its own that is added.
  constexpr bool addsMin() const { return hasMin() && scales == Scales::None; }
  constexpr int64_t getNumGroups() const { return blockCols / groupCols; }
  constexpr int32_t getNumCodes() const { return 1 << (low.bits + high.bits); }
  /// Codes of 8 bits are signed bytes.
  constexpr bool hasSignedCodes() const { return low.bits == 8; }
  constexpr bool hasSignedScales() const { return scaleLow.bits == 8; }
};

const GgmlLayout &getGgmlLayout(GgmlType type);
llvm::ArrayRef<GgmlLayout> getGgmlLayouts();
/// The type of this name ("q4_K"), if there is one.
std::optional<GgmlType> getGgmlType(llvm::StringRef name);

/// The values of the codes of iq4_nl and iq4_xs.
inline constexpr std::array<int8_t, 16> ggmlTable = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_GGMLLAYOUT_H
