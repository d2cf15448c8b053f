//===- BitPacking.h - Dense bit streams of small codes ----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_BITPACKING_H
#define LOWBIT_QUANTIZE_BITPACKING_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace lowbit {

/// The bytes that `count` codes of `bits` bits take, packed without gaps.
constexpr int64_t getPackedBytes(int64_t count, unsigned bits) {
  return (count * bits + 7) / 8;
}

/// Packs the low `bits` bits (1 to 8) of each code into a stream that fills
/// every byte from its least significant bit: two 4-bit codes share a byte with
/// the even one in the low nibble, and 3-bit codes straddle bytes. The unused
/// bits of the last byte are zero.
void packBits(llvm::ArrayRef<uint8_t> codes, unsigned bits,
              llvm::MutableArrayRef<uint8_t> packed);

/// Packs each row of a matrix of codes that is stored column by column.
void packRows(llvm::ArrayRef<uint8_t> codes, int64_t rows, int64_t cols,
              unsigned bits, llvm::MutableArrayRef<uint8_t> packed);

/// The inverse of `packBits`: reads codes.size() codes, zero-extended to a
/// byte.
void unpackBits(llvm::ArrayRef<uint8_t> packed, unsigned bits,
                llvm::MutableArrayRef<uint8_t> codes);

/// Reads the codes of `rows` such streams of `cols` codes, one after the other.
std::vector<uint8_t> unpackRows(llvm::ArrayRef<uint8_t> packed, int64_t rows,
                                int64_t cols, unsigned bits);

/// The value of a two's complement code of `bits` bits.
constexpr int32_t signExtendCode(uint8_t code, unsigned bits) {
  int32_t sign = 1 << (bits - 1);
  return ((code & ((1 << bits) - 1)) ^ sign) - sign;
}

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_BITPACKING_H
