//===- BitPacking.cpp - Dense bit streams of small codes ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/BitPacking.h"

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
