//===- FloatStorage.h - Float values as they are stored ---------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_FLOATSTORAGE_H
#define LOWBIT_QUANTIZE_FLOATSTORAGE_H

#include "lowbit/Support/Tensor.h"

namespace lowbit {

/// Whether scales may be stored in this type: f16, bf16 or f32.
bool isScaleType(ElementType type);

/// A scale type as MLIR spells it: "f16", "bf16", "f32".
llvm::StringRef getScaleTypeName(ElementType type);

/// The largest finite value of a scale type.
float getLargest(ElementType type);

/// The smallest positive value of a scale type, subnormals included.
float getSmallestPositive(ElementType type);

/// 2^-p for a significand of p bits: what an integer part of all of them is
/// inverse to.
float getRelativePrecision(ElementType type);

/// Stores `value` at `out` in a scale type, rounding to nearest, ties to even.
void storeFloat(ElementType type, float value, uint8_t *out);

/// Reads back what `storeFloat` wrote; exact.
float loadFloat(ElementType type, const uint8_t *in);

/// `value` as it reads back after being stored, without storing it.
float roundToType(ElementType type, float value);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_FLOATSTORAGE_H
