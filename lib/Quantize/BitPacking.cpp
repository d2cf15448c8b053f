//===- BitPacking.cpp - Dense bit streams of small codes ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/BitPacking.h"
#include <algorithm>
#include <vector>

using namespace lowbit;

void lowbit::packBits(llvm::ArrayRef<uint8_t> codes, unsigned bits,
                      llvm::MutableArrayRef<uint8_t> packed) {
  assert(bits >= 1 && bits <= 8 && "a code has 1 to 8 bits");
  assert(static_cast<int64_t>(packed.size()) ==
             getPackedBytes(codes.size(), bits) &&
         "the packed buffer must fit exactly");
  const uint32_t mask = (1u << bits) - 1;
  uint32_t pending = 0;
  unsigned pendingBits = 0;
  uint8_t *out = packed.data();
  for (uint8_t code : codes) {
    pending |= (code & mask) << pendingBits;
    pendingBits += bits;
    if (pendingBits >= 8) {
      *out++ = static_cast<uint8_t>(pending);
      pending >>= 8;
      pendingBits -= 8;
    }
  }
  if (pendingBits != 0)
    *out = static_cast<uint8_t>(pending);
}

void lowbit::packRows(llvm::ArrayRef<uint8_t> codes, int64_t rows, int64_t cols,
                      unsigned bits, llvm::MutableArrayRef<uint8_t> packed) {
  // Transpose a stripe of rows at a time: whole cache lines of `codes` are
  // read.
  constexpr int64_t stripeRows = 64;
  const int64_t rowBytes = getPackedBytes(cols, bits);
  std::vector<uint8_t> stripe(stripeRows * cols);
  for (int64_t begin = 0; begin < rows; begin += stripeRows) {
    const int64_t count = std::min(stripeRows, rows - begin);
    for (int64_t col = 0; col < cols; ++col)
      for (int64_t row = 0; row < count; ++row)
        stripe[row * cols + col] = codes[col * rows + begin + row];
    for (int64_t row = 0; row < count; ++row)
      packBits(llvm::ArrayRef(stripe).slice(row * cols, cols), bits,
               packed.slice((begin + row) * rowBytes, rowBytes));
  }
}

void lowbit::unpackBits(llvm::ArrayRef<uint8_t> packed, unsigned bits,
                        llvm::MutableArrayRef<uint8_t> codes) {
  assert(bits >= 1 && bits <= 8 && "a code has 1 to 8 bits");
  assert(static_cast<int64_t>(packed.size()) >=
             getPackedBytes(codes.size(), bits) &&
         "the packed buffer is too short");
  const uint32_t mask = (1u << bits) - 1;
  uint32_t pending = 0;
  unsigned pendingBits = 0;
  const uint8_t *in = packed.data();
  for (uint8_t &code : codes) {
    if (pendingBits < bits) {
      pending |= static_cast<uint32_t>(*in++) << pendingBits;
      pendingBits += 8;
    }
    code = static_cast<uint8_t>(pending & mask);
    pending >>= bits;
    pendingBits -= bits;
  }
}

std::vector<uint8_t> lowbit::unpackRows(llvm::ArrayRef<uint8_t> packed,
                                        int64_t rows, int64_t cols,
                                        unsigned bits) {
  const int64_t rowBytes = getPackedBytes(cols, bits);
  std::vector<uint8_t> codes(rows * cols);
  for (int64_t row = 0; row < rows; ++row)
    unpackBits(packed.slice(row * rowBytes, rowBytes), bits,
               llvm::MutableArrayRef(codes).slice(row * cols, cols));
  return codes;
}
