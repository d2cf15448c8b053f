//===- ElementTypes.h - element types in memory -----------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_ELEMENTTYPES_H
#define LOWBIT_DIALECT_LOWBIT_IR_ELEMENTTYPES_H

#include "lowbit/Support/Tensor.h"
#include "mlir/IR/BuiltinTypes.h"
#include <optional>

namespace lowbit {

/// How elements of a type lie in the host's memory; nothing for types that it
/// does not hold.
std::optional<ElementType> getElementType(mlir::Type type);

/// The same for the types that weights and scales are stored in: f16, bf16 and
/// f32.
std::optional<ElementType> getStoredFloatType(mlir::Type type);
/// The inverse.
mlir::FloatType getFloatType(mlir::MLIRContext *context, ElementType type);

} // namespace lowbit

#endif // LOWBIT_DIALECT_LOWBIT_IR_ELEMENTTYPES_H
