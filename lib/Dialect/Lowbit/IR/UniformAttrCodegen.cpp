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

#include "ScaleParameter.h"
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
  const GroupShape groupShape{getGroupRows(), getGroupCols()};
  const SmallVector<int64_t> grid = groupShape.getGrid(expressed.getShape());
  SmallVector<Value> group = b.groupIndices(groupShape, element);
  const ScaleParameter scales{getScale(), getHasOffset()};
  SmallVector<FormatComponent> scaleComponents;
  scales.appendComponents(grid, scaleComponents);
  const ValueRange scaleValues = components.slice(1, scaleComponents.size());
  const ValueRange zeroValues =
      components.drop_front(1 + scaleComponents.size());
  Value code = b.unpack(getBits(), getIsSigned(), components[0], element);
  if (getZero() == ZeroKind::Integer)
    code = arith::SubIOp::create(
        b, code, b.unpack(getBits(), getIsSigned(), zeroValues[0], group));
  Value value = arith::SIToFPOp::create(b, b.getF32Type(), code);
  if (getZeroFormat())
    value = arith::SubFOp::create(
        b, value,
        ScaleParameter{getZeroFormat(), /*hasOffset=*/false, "zeros"}
            .buildDecode(b, grid, zeroValues, group));
  else if (getFloatType(getZero()))
    value = arith::SubFOp::create(b, value, b.extractF32(zeroValues[0], group));
  value = arith::MulFOp::create(
      b, scales.buildDecode(b, grid, scaleValues, group), value);
  return b.convert(value, expressed.getElementType());
}
