//===- GgmlSearch.h - The scale searches of GGML ----------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each search takes the values of a group, one row per lane, and weights of
// their squared errors. The order of all float operations is that of the
// reference code: the result is the same to the last bit.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_GGML_GGMLSEARCH_H
#define LOWBIT_LIB_QUANTIZE_GGML_GGMLSEARCH_H

#include "GgmlLanes.h"
#include "llvm/ADT/ArrayRef.h"

namespace lowbit::ggml {

using Values = llvm::ArrayRef<Floats>;
using Codes = llvm::MutableArrayRef<Ints>;

/// The most values that one scale serves.
inline constexpr int64_t maxGroupCols = 32;

/// Groups whose largest magnitude is below this are taken to be zero.
inline constexpr float zeroBound = 1e-15f;

/// The first value of the largest magnitude, with its sign.
Floats getSignedLargest(Values values);

/// What a search over symmetric codes from -maxCode to maxCode - 1 finds.
struct SymmetricScale {
  Floats scale;
  /// Codes are round(inverse * value); this is not 1 / scale.
  Floats inverse;
  /// The lanes whose values are all zero; their codes are not defined.
  Ints isZero;
};

/// Tries 19 scales around the one that maps the largest magnitude to the code
/// -maxCode, and returns the least-squares scale of the codes that fit best
/// ("make_qx_quants").
SymmetricScale searchSymmetric(Values values, Values weights, float maxCode);

/// Codes for that scale, then five passes of coordinate descent over them, with
/// squared values as weights ("make_q3_quants"). Returns the scale; `codes` are
/// 0 for lanes that are all zero, else offset by `maxCode`.
Floats descendSymmetric(Values values, float maxCode, Codes codes);

/// How a search over codes from 0 to maxCode with a min goes about it.
struct AffineSearch {
  float maxCode;
  /// The first trial scale is (first + maxCode) / range; then come `steps`
  /// more, `delta` apart.
  float first;
  float delta;
  int steps;
  /// Judge by the sum of absolute errors instead of that of squares.
  bool useAbsolute = false;
};

struct AffineScale {
  Floats scale;
  /// Of the values that codes stand for; never positive.
  Floats min;
  /// Codes are round(inverse * (value - origin)): scale and min were fitted to
  /// them afterwards.
  Floats inverse, origin;
};

/// Tries scales from the range of the values, fits a scale and a min to the
/// codes of each by least squares, and returns the best ("make_qkx2_quants" and
/// "make_qkx3_quants").
AffineScale searchAffine(Values values, Values weights,
                         const AffineSearch &search);

/// A scale for values that are not negative and codes from 0 to maxCode: the
/// best of nine, then five passes of coordinate descent over the codes
/// ("make_qp_quants").
Floats searchPositive(Values values, Values weights, int32_t maxCode,
                      Codes codes);

/// The scale of values that are coded by the table of iq4_nl; 0 for lanes that
/// are all zero.
Floats searchTable(Values values, Values weights);

/// The index of the table entry nearest to each value, the higher one of two.
Ints findInTable(Floats values);

} // namespace lowbit::ggml

#endif // LOWBIT_LIB_QUANTIZE_GGML_GGMLSEARCH_H
