//===- AttentionReference.h - what lowbit.attention means -------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_ONNXTOLINALG_ATTENTIONREFERENCE_H
#define LOWBIT_CONVERSION_ONNXTOLINALG_ATTENTIONREFERENCE_H

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"

namespace lowbit {

/// Builds the result of `op`, which is on tensors, as linalg: by the same code
/// that lowers `onnx.Attention`. `key` and `value` are what those of `op` stand
/// for, in floats.
mlir::Value buildAttentionReference(mlir::OpBuilder &builder, AttentionOp op,
                                    mlir::Value key, mlir::Value value);

} // namespace lowbit

#endif // LOWBIT_CONVERSION_ONNXTOLINALG_ATTENTIONREFERENCE_H
