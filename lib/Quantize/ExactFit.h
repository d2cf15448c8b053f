//===- ExactFit.h - Parameters with which values are exact ------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What values were decoded with is found by trying all that it could have been:
// the value of the greatest magnitude is one of few levels times a scale, and a
// scale as it is stored has few bits, so a quotient that is off by a rounding
// error gives it back exactly.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_EXACTFIT_H
#define LOWBIT_LIB_QUANTIZE_EXACTFIT_H

#include "lowbit/Quantize/MatrixView.h"
#include "lowbit/Quantize/RangeSearch.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace lowbit {

/// A number as it reads back from storage.
using RoundToStorage = llvm::function_ref<float(float)>;
/// Whether a number makes all values exact.
using IsExact = llvm::function_ref<bool(float)>;

/// The first number that is exact of those which `value`, known up to rounding
/// errors of its computation in f32, can be.
std::optional<float> findExact(float value, RoundToStorage round,
                               IsExact isExact);

/// The scale, positive unless `anySign`, with which `greatest` is one of
/// `levels`, other than 0, and which is exact; the first of these levels has
/// it.
std::optional<float> findExactScale(float greatest,
                                    llvm::ArrayRef<float> levels, bool anySign,
                                    RoundToStorage round, IsExact isExact);

/// The first value of the greatest magnitude.
float getGreatest(llvm::ArrayRef<float> values);

/// 1, 2, ..., count.
llvm::SmallVector<float> countTo(int32_t count);

/// The least and the greatest of the whole numbers n for which values are scale
/// * n; nothing if one is no such product.
std::optional<Range> getMultiples(llvm::ArrayRef<float> values, float scale);

/// The values of some rows, row by row.
llvm::SmallVector<float, 256> collect(ConstMatrixView values, int64_t firstRow,
                                      int64_t rows);

} // namespace lowbit

#endif // LOWBIT_LIB_QUANTIZE_EXACTFIT_H
