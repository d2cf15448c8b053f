//===- GgmlFit.h - The parameters of a GGML block ---------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_GGML_GGMLFIT_H
#define LOWBIT_LIB_QUANTIZE_GGML_GGMLFIT_H

#include "GgmlBlock.h"
#include "GgmlSearch.h"

namespace lowbit::ggml {

/// What a block is fitted to: one row per lane.
struct BlockValues {
  /// All columns of the block.
  Values values;
  /// How much a squared error counts; empty, or one for each column.
  Values importance;
  /// The mean square of the whole row.
  Floats rowMeanSquare;
};

/// How codes come about once a block is fitted.
enum class Rounding : uint8_t {
  /// As the type rounds without importance.
  Usual,
  /// round((value - origin) * inverse), ties to even, whatever the type.
  Nearest,
  /// Codes are those that the fit gave: the scale is 0, or they are exact.
  Fixed
};

struct BlockFit {
  /// `d`, and `dmin` or `m`, before they are stored.
  Floats scale, min;
  Ints groupScales[maxGroups], groupMins[maxGroups];
  /// What values are multiplied by, and what is subtracted from them before, to
  /// be rounded to codes, where the type does not divide by the stored scale.
  Floats inverse[maxGroups], origin[maxGroups];
  /// Codes of the search, which stay where the stored scale is 0. Only for
  /// types that divide by it, and where `rounding` is Fixed.
  Ints codes[maxBlockCols];
  Rounding rounding[numLanes];
};

void fitBlock(const GgmlLayout &layout, const BlockValues &block,
              BlockFit &fit);

// By family.
void fitLegacy(const GgmlLayout &layout, const BlockValues &block,
               BlockFit &fit);
/// q2_K, q4_K, q5_K.
void fitWithMins(const GgmlLayout &layout, const BlockValues &block,
                 BlockFit &fit);
/// q3_K, q6_K.
void fitWithoutMins(const GgmlLayout &layout, const BlockValues &block,
                    BlockFit &fit);
/// iq4_nl, iq4_xs.
void fitTable(const GgmlLayout &layout, const BlockValues &block,
              BlockFit &fit);

/// The sum of the squares, in their order.
Floats sumSquares(Values values);
/// importance * sqrt(meanSquare + value²), for each value.
void weighByImportance(Values values, Values importance, Floats meanSquare,
                       llvm::MutableArrayRef<Floats> weights);

} // namespace lowbit::ggml

#endif // LOWBIT_LIB_QUANTIZE_GGML_GGMLFIT_H
