//===- LookupPatterns.cpp - bringing lookups to a target's shape ----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/QVec/Transforms/LookupPatterns.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lowbit::qvec;

void lowbit::qvec::splitLookup(PatternRewriter &rewriter, LookupOp op,
                               Value indices, int64_t bytes,
                               LookupPartFn build) {
  Location loc = op.getLoc();
  VectorType type = op.getIndices().getType();
  int64_t part = 8 * bytes / type.getElementTypeBitWidth();
  int64_t total = type.getNumElements();
  while (total % part)
    part /= 2;
  if (part == total)
    return rewriter.replaceOp(op, build(indices));
  Value result = arith::ConstantOp::create(rewriter, loc,
                                           rewriter.getZeroAttr(op.getType()));
  const int64_t stride = 1;
  for (int64_t first = 0; first < total; first += part) {
    Value taken = vector::ExtractStridedSliceOp::create(
        rewriter, loc, indices, ArrayRef<int64_t>{first},
        ArrayRef<int64_t>{part}, ArrayRef(stride));
    result = vector::InsertStridedSliceOp::create(
        rewriter, loc, build(taken), result, ArrayRef<int64_t>{first},
        ArrayRef(stride));
  }
  rewriter.replaceOp(op, result);
}

Value lowbit::qvec::repeatTable(PatternRewriter &rewriter, Location loc,
                                Value table, int64_t count) {
  int64_t entries = cast<VectorType>(table.getType()).getNumElements();
  if (count == entries)
    return table;
  SmallVector<int64_t> mask;
  for (int64_t i = 0; i < count; ++i)
    mask.push_back(i % entries);
  return vector::ShuffleOp::create(rewriter, loc, table, table, mask);
}
