//===- HalfTable.h - tables whose halves are equal --------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_HALFTABLE_H
#define LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_HALFTABLE_H

#include "SymbolicRewrite.h"

namespace lowbit::onnx {

/// Exporters compute the cosines (and sines) of rotary embeddings for one half
/// of the channels and repeat them for the other. This undoes the repetition:
/// it finds where a table was put together from two equal halves and repeats
/// what was done to the whole for one of them.
class HalfTable {
public:
  HalfTable(mlir::PatternRewriter &rewriter, SymbolicShapes &shapes,
            mlir::Location loc)
      : rewriter(rewriter), shapes(shapes), loc(loc) {}

  /// Whether both halves of the last dimension are equal in all rows.
  bool isRepeated(mlir::Value table) const;

  /// The first half of a table for which `isRepeated` holds, without the
  /// dimension `dropAxis`, which must be 1 and is counted from the end (0 for
  /// none).
  mlir::Value build(mlir::Value table, int64_t dropAxis);

private:
  mlir::Value drop(mlir::Value value, int64_t axis);
  mlir::Value buildUnsqueeze(UnsqueezeOp op, int64_t dropAxis);

  mlir::PatternRewriter &rewriter;
  SymbolicShapes &shapes;
  mlir::Location loc;
};

} // namespace lowbit::onnx

#endif // LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_HALFTABLE_H
