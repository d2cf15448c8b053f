//===- AttentionParts.h - attention, taken apart ----------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_ATTENTIONPARTS_H
#define LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_ATTENTIONPARTS_H

#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"

namespace lowbit::onnx {

/// Something that decides which scores count.
struct AttentionMask {
  /// An addend, or a truth value.
  mlir::Value value;
  /// For a truth value: the one of scores that are kept, and what the others
  /// are replaced by.
  std::optional<bool> keeps;
  double fill = 0;
};

/// softmax(scale * q k^T, masked) v. All are [batch, heads, sequence,
/// channels]; `q` and the transposed `k` are what the scores are computed from
/// after all factors were taken out.
struct AttentionParts {
  mlir::Value q, transposedK, v;
  /// q k^T, and what the softmax is taken of.
  mlir::Value product, scores;
  double scale = 1;
  llvm::SmallVector<AttentionMask> masks;
};

/// Takes apart the product of probabilities and values.
std::optional<AttentionParts> matchAttention(MatMulOp root);

/// The keys or values whose heads `value` repeats, each `*repeats` times in a
/// row; `value` itself, and 1, if it repeats nothing.
mlir::Value matchRepeatedHeads(const SymbolicShapes &shapes, mlir::Value value,
                               int64_t &repeats);

} // namespace lowbit::onnx

#endif // LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_ATTENTIONPARTS_H
