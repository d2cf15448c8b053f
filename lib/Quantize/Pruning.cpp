//===- Pruning.cpp - Which weights can become zero ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Pruning.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/bit.h"
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

using namespace lowbit;

llvm::Expected<SparsityPattern> SparsityPattern::parse(llvm::StringRef text) {
  constexpr int64_t maxBlock = 256;
  const auto [kept, block] = text.split(':');
  SparsityPattern pattern;
  if (kept.getAsInteger(10, pattern.kept) ||
      block.getAsInteger(10, pattern.block) || pattern.kept < 1 ||
      pattern.kept > pattern.block || pattern.block > maxBlock)
    return makeError("the pattern is '" + text +
                     "', but must be N:M with 1 <= N <= M <= 256, such as 2:4");
  return pattern;
}

void lowbit::forEachOutside(const SparsityPattern &pattern,
                            ConstMatrixView weights, VisitElement visit) {
  std::vector<int64_t> order(pattern.block);
  for (int64_t row = 0; row < weights.getRows(); ++row)
    for (int64_t begin = 0; begin < weights.getCols(); begin += pattern.block) {
      const int64_t count = std::min(pattern.block, weights.getCols() - begin);
      if (count <= pattern.kept)
        continue;
      const auto end = order.begin() + count;
      std::iota(order.begin(), end, begin);
      std::nth_element(order.begin(), order.begin() + pattern.kept, end,
                       [&](int64_t a, int64_t b) {
                         const float x = std::fabs(weights(row, a));
                         const float y = std::fabs(weights(row, b));
                         return x != y ? x > y : a < b;
                       });
      for (auto it = order.begin() + pattern.kept; it != end; ++it)
        visit(row, *it);
    }
}

static uint32_t getMagnitudeBits(float value) {
  return llvm::bit_cast<uint32_t>(std::fabs(value));
}

static void forEachElement(ConstMatrixView weights, VisitElement visit) {
  for (int64_t row = 0; row < weights.getRows(); ++row)
    for (int64_t col = 0; col < weights.getCols(); ++col)
      visit(row, col);
}

LeastMagnitudes::LeastMagnitudes(int64_t count,
                                 llvm::function_ref<void(VisitMatrix)> forEach)
    : left(count) {
  // Half of the bits at a time, so that memory does not grow with the matrices.
  constexpr unsigned halfBits = 16;
  for (unsigned shift : {halfBits, 0u}) {
    std::vector<int64_t> histogram(size_t(1) << halfBits);
    const bool isFirst = shift != 0;
    forEach([&](ConstMatrixView weights) {
      forEachElement(weights, [&](int64_t row, int64_t col) {
        const uint32_t bits = getMagnitudeBits(weights(row, col));
        if (isFirst || (bits >> halfBits) == (bound >> halfBits))
          ++histogram[(bits >> shift) & 0xFFFF];
      });
    });
    uint32_t half = 0;
    while (half < 0xFFFF && left >= histogram[half])
      left -= histogram[half++];
    bound |= half << shift;
  }
}

void LeastMagnitudes::forEachIn(ConstMatrixView weights, VisitElement visit) {
  forEachElement(weights, [&](int64_t row, int64_t col) {
    const uint32_t bits = getMagnitudeBits(weights(row, col));
    if (bits < bound || (bits == bound && left-- > 0))
      visit(row, col);
  });
}
