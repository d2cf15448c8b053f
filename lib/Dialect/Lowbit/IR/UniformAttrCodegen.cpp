//===- UniformAttrCodegen.cpp - what #lowbit.uniform means in IR ----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `UniformFormat::decodeValue`, operation by operation, so that code that runs
// and constants that were folded agree bit for bit.
//
//===----------------------------------------------------------------------===//

#include "FormatEmitter.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lowbit;

Value UniformAttr::buildDecode(OpBuilder &builder, Location loc,
                               RankedTensorType expressed,
                               ValueRange components,
                               ValueRange indices) const {
  FormatEmitter b(loc, builder);
  SmallVector<Value> element(indices);
  SmallVector<Value> group =
      b.groupIndices({getGroupRows(), getGroupCols()}, element);
  Value code = b.unpack(getBits(), getIsSigned(), components[0], element);
  if (getZero() == ZeroKind::Integer)
    code = arith::SubIOp::create(
        b, code, b.unpack(getBits(), getIsSigned(), components[2], group));
  Value value = arith::SIToFPOp::create(b, b.getF32Type(), code);
  if (getFloatType(getZero()))
    value = arith::SubFOp::create(b, value, b.extractF32(components[2], group));
  value = arith::MulFOp::create(b, b.extractF32(components[1], group), value);
  return b.convert(value, expressed.getElementType());
}
