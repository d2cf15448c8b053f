//===- BitPackingTest.cpp - Dense bit streams of small codes --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/BitPacking.h"
#include "gtest/gtest.h"
#include <vector>

using namespace lowbit;

namespace {

TEST(BitPacking, FourBitsPutEvenElementsInTheLowNibble) {
  std::vector<uint8_t> packed(2);
  packBits({1, 2, 3}, 4, packed);
  EXPECT_EQ(packed, (std::vector<uint8_t>{0x21, 0x03}));
}

TEST(BitPacking, ThreeBitsStraddleBytes) {
  // 1, 2, 3, ... as 3-bit fields from the least significant bit on.
  std::vector<uint8_t> packed(3);
  packBits({1, 2, 3, 4, 5, 6, 7, 0}, 3, packed);
  uint32_t word = 0;
  for (uint32_t i = 0; i < 8; ++i)
    word |= ((i + 1) & 7) << (3 * i);
  EXPECT_EQ(packed, (std::vector<uint8_t>{uint8_t(word), uint8_t(word >> 8),
                                          uint8_t(word >> 16)}));
}

TEST(BitPacking, RoundTripsAllWidthsAndLengths) {
  for (unsigned bits = 1; bits <= 8; ++bits)
    for (int64_t count = 0; count <= 37; ++count) {
      std::vector<uint8_t> codes(count), unpacked(count);
      for (int64_t i = 0; i < count; ++i)
        codes[i] = static_cast<uint8_t>(i * 101 + 17) & ((1 << bits) - 1);
      std::vector<uint8_t> packed(getPackedBytes(count, bits), 0xFF);
      packBits(codes, bits, packed);
      unpackBits(packed, bits, unpacked);
      EXPECT_EQ(codes, unpacked) << bits << " bits, " << count << " codes";
      if (unsigned unused = packed.size() * 8 - count * bits) {
        EXPECT_EQ(packed.back() >> (8 - unused), 0) << "unused bits are zero";
      }
    }
}

TEST(BitPacking, IgnoresBitsAboveTheWidth) {
  std::vector<uint8_t> packed(1);
  packBits({0xFF, 0xF0}, 4, packed);
  EXPECT_EQ(packed[0], 0x0F);
}

TEST(BitPacking, SignExtends) {
  EXPECT_EQ(signExtendCode(0xF, 4), -1);
  EXPECT_EQ(signExtendCode(0x8, 4), -8);
  EXPECT_EQ(signExtendCode(0x7, 4), 7);
  EXPECT_EQ(signExtendCode(0x2, 2), -2);
  EXPECT_EQ(signExtendCode(0x80, 8), -128);
}

// Every row begins with a byte of its own; what follows the last is not read.
TEST(BitPacking, RowsAreStreamsOfTheirOwn) {
  const int64_t rows = 3, cols = 5;
  const unsigned bits = 3;
  std::vector<uint8_t> codes(rows * cols), packed;
  for (int64_t i = 0; i < rows * cols; ++i)
    codes[i] = static_cast<uint8_t>((7 * i + 3) % 8);
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<uint8_t> stream(getPackedBytes(cols, bits));
    packBits(llvm::ArrayRef(codes).slice(row * cols, cols), bits, stream);
    packed.insert(packed.end(), stream.begin(), stream.end());
  }
  packed.push_back(0xFF);
  EXPECT_EQ(unpackRows(packed, rows, cols, bits), codes);
}

} // namespace
