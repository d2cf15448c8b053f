//===- GgmlLayout.cpp - Where a GGML block keeps its bits -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/GgmlLayout.h"
#include "llvm/ADT/STLExtras.h"

using namespace lowbit;

using Scales = GgmlLayout::Scales;

// clang-format off
static constexpr GgmlLayout layouts[] = {
    // type, name, columns, bytes, group, d, dmin or m, low bits, high bits,
    //   code offset, scales, their low bits, high bits, scale offset, table,
    //   fallback
    {GgmlType::Q4_0, "q4_0", 32, 18, 32, 0, -1, {2, 4, 16}, {},
     8, Scales::None, {}, {}, 0, false, std::nullopt},
    {GgmlType::Q4_1, "q4_1", 32, 20, 32, 0, 2, {4, 4, 16}, {},
     0, Scales::None, {}, {}, 0, false, std::nullopt},
    {GgmlType::Q5_0, "q5_0", 32, 22, 32, 0, -1, {6, 4, 16}, {2, 1, 1},
     16, Scales::None, {}, {}, 0, false, std::nullopt},
    {GgmlType::Q5_1, "q5_1", 32, 24, 32, 0, 2, {8, 4, 16}, {4, 1, 1},
     0, Scales::None, {}, {}, 0, false, std::nullopt},
    {GgmlType::Q8_0, "q8_0", 32, 34, 32, 0, -1, {2, 8, 1}, {},
     0, Scales::None, {}, {}, 0, false, std::nullopt},
    {GgmlType::Q2_K, "q2_K", 256, 84, 16, 80, 82, {16, 2, 32}, {},
     0, Scales::Planes, {0, 4, 16}, {}, 0, false, GgmlType::Q4_0},
    {GgmlType::Q3_K, "q3_K", 256, 110, 16, 108, -1, {32, 2, 32}, {0, 1, 32},
     4, Scales::Planes, {96, 4, 8}, {104, 2, 4}, 32, false, GgmlType::Q4_0},
    {GgmlType::Q4_K, "q4_K", 256, 144, 32, 0, 2, {16, 4, 32}, {},
     0, Scales::SixBits, {4, 0, 1}, {}, 0, false, GgmlType::Q5_0},
    {GgmlType::Q5_K, "q5_K", 256, 176, 32, 0, 2, {48, 4, 32}, {16, 1, 32},
     0, Scales::SixBits, {4, 0, 1}, {}, 0, false, GgmlType::Q5_1},
    {GgmlType::Q6_K, "q6_K", 256, 210, 16, 208, -1, {0, 4, 64}, {128, 2, 32},
     32, Scales::Planes, {192, 8, 1}, {}, 0, false, GgmlType::Q8_0},
    {GgmlType::IQ4_NL, "iq4_nl", 32, 18, 32, 0, -1, {2, 4, 16}, {},
     0, Scales::None, {}, {}, 0, true, std::nullopt},
    {GgmlType::IQ4_XS, "iq4_xs", 256, 136, 32, 0, -1, {8, 4, 16}, {},
     0, Scales::Planes, {4, 4, 1}, {2, 2, 1}, 32, true, GgmlType::IQ4_NL},
};
// clang-format on

const GgmlLayout &lowbit::getGgmlLayout(GgmlType type) {
  return layouts[static_cast<size_t>(type)];
}

llvm::ArrayRef<GgmlLayout> lowbit::getGgmlLayouts() { return layouts; }

std::optional<GgmlType> lowbit::getGgmlType(llvm::StringRef name) {
  const GgmlLayout *found = llvm::find_if(
      layouts, [&](const GgmlLayout &layout) { return layout.name == name; });
  if (found == std::end(layouts))
    return std::nullopt;
  return found->type;
}
