//===- OutlierOps.cpp - columns with outliers apart
//-------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"

using namespace mlir;
using namespace lowbit;

LogicalResult FindOutliersOp::verify() {
  RankedTensorType input = getInput().getType();
  if (input.getRank() < 1)
    return emitOpError() << "input must have at least one dimension, got "
                         << input;
  if (getThreshold().isNaN() || getThreshold().isNegative())
    return emitOpError() << "threshold must be 0 or more, got "
                         << getThresholdAttr();
  if (!getColumns().getType().isDynamicDim(0))
    return emitOpError() << "columns must be of unknown number, got "
                         << getColumns().getType();
  return success();
}

/// Checks that `selected` are as many columns as are named, of the rows of
/// `whole`.
static LogicalResult verifySelected(Operation *op, StringRef what,
                                    RankedTensorType selected,
                                    RankedTensorType columns, StringRef like,
                                    RankedTensorType whole) {
  if (whole.getRank() < 1 || selected.getRank() != whole.getRank() ||
      failed(verifyCompatibleShape(selected.getShape().drop_back(),
                                   whole.getShape().drop_back())))
    return op->emitOpError()
           << what << " and " << like
           << " must have the same dimensions but for the last one, got "
           << selected << " and " << whole;
  if (selected.getElementType() != whole.getElementType())
    return op->emitOpError() << what << " and " << like
                             << " must have the same element type, got "
                             << selected << " and " << whole;
  if (failed(verifyCompatibleShape(selected.getShape().take_back(),
                                   columns.getShape())))
    return op->emitOpError() << "the last dimension of " << what
                             << " must be the number of columns, got "
                             << selected << " and " << columns;
  return success();
}

LogicalResult SplitColumnsOp::verify() {
  return verifySelected(*this, "selected", getSelected().getType(),
                        getColumns().getType(), "input", getInput().getType());
}

LogicalResult ColumnMatmulOp::verify() {
  RankedTensorType init = getInit().getType();
  if (failed(verifySelected(*this, "input", getInput().getType(),
                            getColumns().getType(), "init", init)))
    return failure();
  QuantTensorType weight = getWeight().getType();
  if (weight.getShape().size() != 2 ||
      weight.getElementType() != init.getElementType() ||
      failed(verifyCompatibleShape(weight.getShape().take_front(),
                                   init.getShape().take_back())))
    return emitOpError() << "weight must be a matrix of "
                         << init.getShape().back()
                         << " output channels that expresses "
                         << init.getElementType() << ", got " << weight;
  if (weight.getLayout() && !weight.getLayout().canDecode(weight.getFormat()))
    return emitOpError()
           << "weight has a layout of which single columns cannot "
              "be read, got "
           << weight;
  return success();
}
