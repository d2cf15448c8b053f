//===- Attention.cpp - shapes of attention and its parts ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Inference.h"

using namespace mlir;
using namespace lowbit::onnx;

LogicalResult RotaryEmbeddingOp::inferShapes(SymbolicShapes &shapes) {
  return inferSameShape(*this, shapes);
}

LogicalResult AttentionOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> q = shapes.getDims(getQ());
  std::optional<ArrayRef<AffineExpr>> k = shapes.getDims(getK());
  std::optional<ArrayRef<AffineExpr>> v = shapes.getDims(getV());
  if (!q || !k || !v || k->size() != q->size() || v->size() != q->size() ||
      (q->size() != 3 && q->size() != 4))
    return success();
  bool hasHeadAxis = q->size() == 4;
  AffineExpr batch = q->front(), queries = (*q)[q->size() - 2];
  AffineExpr heads, keyHeads, keySize = k->back(), valueSize = v->back();
  if (hasHeadAxis) {
    heads = (*q)[1];
    keyHeads = (*k)[1];
  } else if (getQNumHeads() && getKvNumHeads()) {
    heads = shapes.getConstant(*getQNumHeads());
    keyHeads = shapes.getConstant(*getKvNumHeads());
    keySize = shapes.floorDivide(keySize, keyHeads);
    valueSize = shapes.floorDivide(valueSize, keyHeads);
  }
  AffineExpr total = (*k)[k->size() - 2];
  if (isPresent(getPastKey()))
    total = shapes.add(total, shapes.getDim(getPastKey(), 2));
  if (hasHeadAxis)
    shapes.setDims(getY(), {batch, heads, queries, valueSize});
  else
    shapes.setDims(getY(), {batch, queries, shapes.multiply(heads, valueSize)});
  if (isPresent(getPresentKey()))
    shapes.setDims(getPresentKey(), {batch, keyHeads, total, keySize});
  if (isPresent(getPresentValue()))
    shapes.setDims(getPresentValue(), {batch, keyHeads, total, valueSize});
  if (isPresent(getQkMatmulOutput()))
    shapes.setDims(getQkMatmulOutput(), {batch, heads, queries, total});
  return success();
}
