//===- HadamardOp.cpp - mixes channels by a Hadamard matrix ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Quantize/Hadamard.h"

using namespace mlir;
using namespace lowbit;

LogicalResult HadamardOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  if (type.getRank() == 0 || type.isDynamicDim(type.getRank() - 1))
    return emitOpError()
           << "needs an input whose last dimension is static, got " << type;
  const int64_t width = type.getShape().back();
  const int64_t block = getBlock();
  if (block < 1 || width < 1 || width % block != 0)
    return emitOpError() << "block must divide the " << width
                         << " channels of the input, got " << block;
  if (!HadamardMatrix::get(block))
    return emitOpError() << "has no matrix of order " << block
                         << "; the largest order that divides it is "
                         << HadamardMatrix::getLargestOrder(block);
  return success();
}

OpFoldResult HadamardOp::fold(FoldAdaptor) {
  if (getBlock() == 1)
    return getInput();
  auto before = getInput().getDefiningOp<HadamardOp>();
  if (!before || before.getBlock() != getBlock())
    return {};
  // Sylvester's matrices are symmetric, so each is its own inverse.
  const bool isInverse = before.getTransposed() != getTransposed() ||
                         HadamardMatrix::get(getBlock())->getPaleyOrder() == 1;
  return isInverse ? before.getInput() : Value();
}
