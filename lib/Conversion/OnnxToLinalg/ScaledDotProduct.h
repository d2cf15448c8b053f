//===- ScaledDotProduct.h - attention as structured ops ---------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_ONNXTOLINALG_SCALEDDOTPRODUCT_H
#define LOWBIT_LIB_CONVERSION_ONNXTOLINALG_SCALEDDOTPRODUCT_H

#include "LoweringBuilder.h"

namespace lowbit::onnx::lowering {

/// How far the scores have come; the values of `qk_matmul_output_mode`.
enum ScoreStage { kProduct = 0, kSoftcapped = 1, kMasked = 2, kSoftmax = 3 };

/// Attention, whichever operation it comes from: `onnx.Attention` or
/// `lowbit.attention`.
struct ScaledDotProduct {
  /// [batch, heads, rows, size]; the heads of the query are a multiple of those
  /// of the others.
  mlir::Value query, key, value;
  mlir::Value scale;
  /// Zero for none.
  double softcap = 0;
  /// Added to the scores if float; an integer of zero masks out. Null if there
  /// is none. `maskMap` maps the dimensions of the scores to its own.
  mlir::Value mask;
  mlir::AffineMap maskMap;
  /// How many keys each batch has, [batch]; null if all have all.
  mlir::Value lengths;
  bool isCausal = false;
  /// If causal, how many keys come before the first query, as an index. With
  /// `lengths` the queries are the last of them instead.
  mlir::Value offset;
  /// The type of the scores.
  mlir::Type wide;

  /// Query times key, unscaled, as [batch, heads, rows, keys].
  mlir::Value createProduct(LoweringBuilder &b) const;
  /// The scores after a stage before the softmax, from the product.
  mlir::Value createScores(LoweringBuilder &b, mlir::Value product,
                           ScoreStage stage) const;
  mlir::Value createProbabilities(LoweringBuilder &b, mlir::Value scores) const;
  /// Probabilities times value, [batch, heads, rows, size].
  mlir::Value createResult(LoweringBuilder &b, mlir::Value probabilities) const;

private:
  /// How many rows of the query, of all heads, multiply one key head.
  mlir::OpFoldResult getRowsPerKeyHead(LoweringBuilder &b) const;
  /// [batch, heads, rows, size] -> [batch * key heads, rows, size]
  mlir::Value collapseHeads(LoweringBuilder &b, mlir::Value tensor,
                            mlir::OpFoldResult rows) const;
};

} // namespace lowbit::onnx::lowering

#endif // LOWBIT_LIB_CONVERSION_ONNXTOLINALG_SCALEDDOTPRODUCT_H
