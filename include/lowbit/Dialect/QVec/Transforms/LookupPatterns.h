//===- LookupPatterns.h - bringing lookups to a target's shape --*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_QVEC_TRANSFORMS_LOOKUPPATTERNS_H
#define LOWBIT_DIALECT_QVEC_TRANSFORMS_LOOKUPPATTERNS_H

#include "lowbit/Dialect/QVec/IR/QVecOps.h"
#include "mlir/IR/PatternMatch.h"

namespace lowbit::qvec {

/// Makes the result for the indices of one register. These are `size` bytes, or
/// fewer if the lookup has fewer.
using LookupPartFn = llvm::function_ref<mlir::Value(mlir::Value indices)>;

/// Replaces `op` by lookups in parts of `bytes` bytes, which `build` makes.
/// `indices` are those of `op` as the target may read them.
void splitLookup(mlir::PatternRewriter &rewriter, LookupOp op,
                 mlir::Value indices, int64_t bytes, LookupPartFn build);

/// `table` repeated until it has `count` elements.
mlir::Value repeatTable(mlir::PatternRewriter &rewriter, mlir::Location loc,
                        mlir::Value table, int64_t count);

} // namespace lowbit::qvec

#endif // LOWBIT_DIALECT_QVEC_TRANSFORMS_LOOKUPPATTERNS_H
