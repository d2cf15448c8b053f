//===- MatMul.cpp - verifiers of matrix products --------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Verifiers.h"

using namespace mlir;
using namespace lowbit::onnx;

LogicalResult MatMulOp::verify() {
  RankedTensorType a = getRanked(getA()), b = getRanked(getB());
  if ((a && a.getRank() == 0) || (b && b.getRank() == 0))
    return emitOpError("operands must have at least rank 1");
  if (!a || !b)
    return success();
  return verifySameDim(*this,
                       "the last dimension of 'A' and the summed one of 'B'",
                       getStaticDim(getA(), -1),
                       getStaticDim(getB(), b.getRank() == 1 ? 0 : -2));
}

LogicalResult GemmOp::verify() {
  if (failed(verifyRank(*this, "A", getA(), 2)) ||
      failed(verifyRank(*this, "B", getB(), 2)) ||
      failed(verifyRank(*this, "Y", getY(), 2)))
    return failure();
  if (RankedTensorType c = getRanked(getC()))
    if (c.getRank() > 2)
      return emitOpError() << "'C' must have at most rank 2, got " << c;
  return verifySameDim(*this, "the summed dimensions of 'A' and 'B'",
                       getStaticDim(getA(), getTransA() ? 0 : 1),
                       getStaticDim(getB(), getTransB() ? 1 : 0));
}
