//===- GgmlExactFit.h - GGML blocks of exact values -------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_GGML_GGMLEXACTFIT_H
#define LOWBIT_LIB_QUANTIZE_GGML_GGMLEXACTFIT_H

#include "GgmlBlock.h"
#include <optional>

namespace lowbit::ggml {

/// What a block stores.
struct ExactBlock {
  /// `d`, and `dmin` or `m`.
  float scale = 0, min = 0;
  BlockScales scales = {};
  uint8_t codes[maxBlockCols];
};

/// The block that decodes to these values, if there is one.
std::optional<ExactBlock> findExactBlock(const GgmlLayout &layout,
                                         llvm::ArrayRef<float> values);

} // namespace lowbit::ggml

#endif // LOWBIT_LIB_QUANTIZE_GGML_GGMLEXACTFIT_H
