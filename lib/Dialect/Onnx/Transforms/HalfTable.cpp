//===- HalfTable.cpp - tables whose halves are equal ----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HalfTable.h"
#include "Matchers.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lowbit;
using namespace lowbit::onnx;

/// Whether both halves of each row of a constant are the same bytes.
static bool hasEqualHalves(Attribute value) {
  auto type = cast<RankedTensorType>(cast<TypedAttr>(value).getType());
  if (auto dense = dyn_cast<DenseElementsAttr>(value); dense && dense.isSplat())
    return true;
  int64_t width = type.getElementTypeBitWidth();
  if (width % 8 != 0)
    return false;
  llvm::Expected<ArrayRef<char>> bytes = getConstantBytes(value);
  if (!bytes) {
    // The file is missing or too short, which whoever needs its data reports.
    llvm::consumeError(bytes.takeError());
    return false;
  }
  size_t row = type.getShape().back() * (width / 8);
  for (size_t at = 0; at + row <= bytes->size(); at += row)
    if (bytes->slice(at, row / 2) != bytes->slice(at + row / 2, row / 2))
      return false;
  return true;
}

/// The axes of an op, counted from the end of `rank` dimensions; nothing if
/// they are not constant or the last dimension is among them.
static std::optional<SmallVector<int64_t>>
getAxesFromEnd(const SymbolicShapes &shapes, Value axes, int64_t rank) {
  std::optional<SmallVector<int64_t>> result =
      isPresent(axes) ? shapes.getConstantElements(axes) : std::nullopt;
  if (!result)
    return std::nullopt;
  for (int64_t &axis : *result)
    axis = axis < 0 ? axis : axis - rank;
  return llvm::is_contained(*result, -1) ? std::nullopt : result;
}

static bool isUnary(Operation *op) {
  return isa<CosOp, SinOp, NegOp, CastOp, IdentityOp>(op);
}

/// Whether all of a row of a product is multiplied by one element of `factor`.
static bool isBroadcastAlongRow(Value factor) {
  return getRank(factor) == 0 || getKnownDim(factor, -1) == 1;
}

bool HalfTable::isRepeated(Value table) const {
  Operation *op = table.getDefiningOp();
  int64_t size = getKnownDim(table, -1), rank = getRank(table);
  if (!op || ShapedType::isDynamic(size) || size % 2 != 0)
    return false;
  if (auto constant = dyn_cast<ConstantOp>(op))
    return hasEqualHalves(constant.getValue());
  if (isUnary(op))
    return isRepeated(op->getOperand(0));
  if (auto mul = dyn_cast<MulOp>(op))
    return llvm::all_of(mul->getOperands(), [&](Value factor) {
      return isBroadcastAlongRow(factor) || isRepeated(factor);
    });
  if (auto concat = dyn_cast<ConcatOp>(op))
    return (concat.getAxis() == -1 || concat.getAxis() == rank - 1) &&
           concat.getInputs().size() == 2 &&
           concat.getInputs()[0] == concat.getInputs()[1];
  if (auto unsqueeze = dyn_cast<UnsqueezeOp>(op))
    return getAxesFromEnd(shapes, unsqueeze.getAxes(), rank) &&
           isRepeated(unsqueeze.getData());
  if (auto squeeze = dyn_cast<SqueezeOp>(op))
    return getAxesFromEnd(shapes, squeeze.getAxes(),
                          getRank(squeeze.getData())) &&
           isRepeated(squeeze.getData());
  if (auto slice = dyn_cast<SliceOp>(op))
    return getAxesFromEnd(shapes, slice.getAxes(), rank) &&
           isRepeated(slice.getData());
  if (auto gather = dyn_cast<GatherOp>(op))
    return gather.getAxis() == 0 && getRank(gather.getData()) >= 2 &&
           isRepeated(gather.getData());
  return false;
}

Value HalfTable::drop(Value value, int64_t axis) {
  if (axis == 0 || -axis > getRank(value))
    return value;
  // Written from the front, as exporters do.
  Value axes = createIntegers(rewriter, loc, axis + getRank(value));
  return createInferred<SqueezeOp>(rewriter, shapes, loc,
                                   getElementTypeOrSelf(value), value, axes);
}

/// Does not make the dimension that would be dropped at once.
Value HalfTable::buildUnsqueeze(UnsqueezeOp op, int64_t dropAxis) {
  int64_t rank = getRank(op.getExpanded());
  SmallVector<int64_t> axes = *getAxesFromEnd(shapes, op.getAxes(), rank);
  Value half = build(op.getData(), /*dropAxis=*/0);
  int64_t *dropped = llvm::find(axes, dropAxis);
  if (dropped != axes.end()) {
    axes.erase(dropped);
    // What lay before the dropped dimension moves one place to the end.
    for (int64_t &axis : axes)
      axis += axis < dropAxis;
    dropAxis = 0;
    --rank;
  }
  if (!axes.empty()) {
    for (int64_t &axis : axes)
      axis += rank;
    half = createInferred<UnsqueezeOp>(rewriter, shapes, loc,
                                       getElementTypeOrSelf(half), half,
                                       createIntegers(rewriter, loc, axes));
  }
  return drop(half, dropAxis);
}

Value HalfTable::build(Value table, int64_t dropAxis) {
  Operation *op = table.getDefiningOp();
  Type elementType = getElementTypeOrSelf(table);
  if (isUnary(op)) {
    Value half = build(op->getOperand(0), dropAxis);
    OperationState state(loc, op->getName(), half,
                         UnrankedTensorType::get(elementType), op->getAttrs());
    Value result = rewriter.create(state)->getResult(0);
    refineType(result, shapes);
    return result;
  }
  if (auto unsqueeze = dyn_cast<UnsqueezeOp>(op))
    return buildUnsqueeze(unsqueeze, dropAxis);
  Value half;
  if (auto mul = dyn_cast<MulOp>(op)) {
    auto buildFactor = [&](Value factor) {
      return isBroadcastAlongRow(factor) ? factor : build(factor, 0);
    };
    Value a = buildFactor(mul.getA());
    half = createInferred<MulOp>(rewriter, shapes, loc, elementType, a,
                                 buildFactor(mul.getB()));
  } else if (auto concat = dyn_cast<ConcatOp>(op)) {
    half = concat.getInputs().front();
  } else if (auto squeeze = dyn_cast<SqueezeOp>(op)) {
    half = createInferred<SqueezeOp>(rewriter, shapes, loc, elementType,
                                     build(squeeze.getData(), 0),
                                     squeeze.getAxes());
  } else if (auto slice = dyn_cast<SliceOp>(op)) {
    half = createInferred<SliceOp>(
        rewriter, shapes, loc, elementType, build(slice.getData(), 0),
        slice.getStarts(), slice.getEnds(), slice.getAxes(), slice.getSteps());
  } else if (auto gather = dyn_cast<GatherOp>(op)) {
    half = createInferred<GatherOp>(rewriter, shapes, loc, elementType,
                                    build(gather.getData(), 0),
                                    gather.getIndices(), gather.getAxisAttr());
  } else {
    // A table of the model.
    auto list = [&](int64_t value) {
      return createIntegers(rewriter, loc, value);
    };
    half = createInferred<SliceOp>(rewriter, shapes, loc, elementType, table,
                                   list(0), list(getKnownDim(table, -1) / 2),
                                   list(getRank(table) - 1), list(1));
  }
  return drop(half, dropAxis);
}
