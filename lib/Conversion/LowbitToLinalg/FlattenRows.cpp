//===- FlattenRows.cpp - tensors as matrices of rows ----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FlattenRows.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lowbit;

/// Between the dimensions of a tensor of this rank and those of a matrix.
static SmallVector<ReassociationIndices> getRowReassociation(int64_t rank) {
  if (rank == 1)
    return {{0, 1}};
  SmallVector<ReassociationIndices> rows(2);
  for (int64_t dim = 0; dim < rank; ++dim)
    rows[dim == rank - 1].push_back(dim);
  return rows;
}

Value lowbit::flattenRows(OpBuilder &builder, Location loc, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<ReassociationIndices> rows = getRowReassociation(type.getRank());
  if (type.getRank() == 1)
    return tensor::ExpandShapeOp::create(
        builder, loc, type.clone({1, type.getDimSize(0)}), tensor, rows);
  if (type.getRank() > 2)
    return tensor::CollapseShapeOp::create(builder, loc, tensor, rows);
  return tensor;
}

Value lowbit::unflattenRows(OpBuilder &builder, Location loc, Value matrix,
                            ArrayRef<int64_t> shape,
                            ArrayRef<OpFoldResult> sizes) {
  SmallVector<ReassociationIndices> rows = getRowReassociation(shape.size());
  if (shape.size() == 1)
    return tensor::CollapseShapeOp::create(builder, loc, matrix, rows);
  if (shape.size() > 2)
    return tensor::ExpandShapeOp::create(
        builder, loc, cast<RankedTensorType>(matrix.getType()).clone(shape),
        matrix, rows, sizes);
  return matrix;
}
