//===- SparseMatmulOp.cpp - products with outliers
//--------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"

using namespace mlir;
using namespace lowbit;

LogicalResult SparseMatmulOp::verify() {
  RankedTensorType input = getInput().getType(), init = getInit().getType();
  if (input.getRank() < 1 || input.getRank() != init.getRank() ||
      failed(verifyCompatibleShape(input.getShape().drop_back(),
                                   init.getShape().drop_back())))
    return emitOpError() << "input and init must have the same dimensions but "
                            "for the last one, got "
                         << input << " and " << init;
  if (input.getElementType() != init.getElementType())
    return emitOpError() << "input and init must have the same element type, "
                            "got "
                         << input << " and " << init;
  const int64_t offsets = getOffsets().getType().getDimSize(0);
  const int64_t outputs = init.getShape().back();
  if (ShapedType::isDynamic(offsets) || offsets != outputs + 1)
    return emitOpError() << "offsets must be one more than the output channels "
                            "of init, got "
                         << getOffsets().getType() << " for " << init;
  const int64_t count = getColumns().getType().getDimSize(0);
  if (ShapedType::isDynamic(count) ||
      count != getValues().getType().getDimSize(0))
    return emitOpError() << "columns and values must be as many, got "
                         << getColumns().getType() << " and "
                         << getValues().getType();
  return success();
}
