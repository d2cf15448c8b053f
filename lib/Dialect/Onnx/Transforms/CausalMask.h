//===- CausalMask.h - which masks hide the future ---------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_CAUSALMASK_H
#define LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_CAUSALMASK_H

#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"

namespace lowbit::onnx {

/// A number that a softmax turns into zero beside any score a model has.
inline constexpr double kMaskedBelow = -1e4;

/// The number that all elements of a tensor are, if that is known.
std::optional<double> getUniformValue(mlir::Value value);

/// Whether an additive mask, of which the last two dimensions are queries and
/// keys, is 0 where key <= query and at most kMaskedBelow elsewhere.
bool isCausalMask(const SymbolicShapes &shapes, mlir::Value mask);

/// Whether a truth value is `keeps` exactly where key <= query.
bool isCausalCondition(const SymbolicShapes &shapes, mlir::Value condition,
                       bool keeps);

} // namespace lowbit::onnx

#endif // LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_CAUSALMASK_H
