//===- ElementType.h - Storage types of component tensors -------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_ELEMENTTYPE_H
#define LOWBIT_QUANTIZE_ELEMENTTYPE_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace lowbit {

/// How one element of a component tensor (codes, scales, ...) is stored.
enum class ElementType { I8, F16, BF16, F32 };

/// The bytes of one stored element.
int64_t getByteWidth(ElementType type);

/// The MLIR spelling: "i8", "f16", "bf16", "f32".
llvm::StringRef getName(ElementType type);

/// The largest finite value of a float type.
float getLargest(ElementType type);

/// The smallest positive value of a float type, subnormals included.
float getSmallestPositive(ElementType type);

/// Stores `value` at `out` in a float type, rounding to nearest, ties to even.
void storeFloat(ElementType type, float value, uint8_t *out);

/// Reads back what `storeFloat` wrote; exact.
float loadFloat(ElementType type, const uint8_t *in);

/// `value` as it reads back after being stored, without storing it.
float roundToType(ElementType type, float value);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_ELEMENTTYPE_H
