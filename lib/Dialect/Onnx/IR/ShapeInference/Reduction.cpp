//===- Reduction.cpp - shapes of reductions and norms ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Inference.h"

using namespace mlir;
using namespace lowbit::onnx;

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

static void setReducedDims(SymbolicShapes &shapes, Value result,
                           ArrayRef<AffineExpr> data, ArrayRef<int64_t> axes,
                           bool keepDims) {
  SymbolicShapes::Expressions dims;
  for (auto [index, dim] : llvm::enumerate(data)) {
    if (!llvm::is_contained(axes, static_cast<int64_t>(index)))
      dims.push_back(dim);
    else if (keepDims)
      dims.push_back(shapes.getConstant(1));
  }
  shapes.setDims(result, dims);
}

template <typename OpTy>
static LogicalResult inferReduction(OpTy op, SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> data = shapes.getDims(op.getData());
  if (!data)
    return success();
  int64_t rank = data->size();
  SmallVector<int64_t> axes;
  if (isPresent(op.getAxes())) {
    if (!shapes.getConstantElements(op.getAxes())) {
      if (op.getKeepdims())
        shapes.setDims(op.getReduced(), makeDims(shapes, rank));
      return success();
    }
    std::optional<SmallVector<int64_t>> listed =
        lowbit::onnx::getAxes(shapes, op.getAxes(), rank);
    if (!listed)
      return op.emitOpError()
             << "axes must be in [" << -rank << ", " << rank - 1 << "]";
    axes = *listed;
  }
  if (axes.empty() && !op.getNoopWithEmptyAxes())
    axes = llvm::to_vector(llvm::seq<int64_t>(rank));
  setReducedDims(shapes, op.getReduced(), *data, axes, op.getKeepdims());
  // The number of elements of a tensor, computed from its shape.
  std::optional<ArrayRef<AffineExpr>> elements =
      shapes.getElements(op.getData());
  if (std::is_same_v<OpTy, ReduceProdOp> && elements && rank == 1 &&
      axes.size() == 1)
    shapes.setElements(op.getReduced(), {shapes.product(*elements)});
  return success();
}

#define REDUCTION(OP)                                                          \
  LogicalResult OP::inferShapes(SymbolicShapes &shapes) {                      \
    return inferReduction(*this, shapes);                                      \
  }
REDUCTION(ReduceL2Op)
REDUCTION(ReduceMaxOp)
REDUCTION(ReduceMeanOp)
REDUCTION(ReduceMinOp)
REDUCTION(ReduceProdOp)
REDUCTION(ReduceSumOp)
REDUCTION(ReduceSumSquareOp)
#undef REDUCTION

LogicalResult ArgMaxOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> data = shapes.getDims(getData());
  if (!data)
    return success();
  if (std::optional<int64_t> axis = normalizeAxis(getAxis(), data->size()))
    setReducedDims(shapes, getReduced(), *data, *axis, getKeepdims());
  return success();
}

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

LogicalResult LayerNormalizationOp::inferShapes(SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> x = shapes.getDims(getX());
  if (!x)
    return success();
  std::optional<int64_t> axis = normalizeAxis(getAxis(), x->size());
  SymbolicShapes::Expressions dims(*x);
  shapes.setDims(getY(), dims);
  if (!axis)
    return success();
  std::fill(dims.begin() + *axis, dims.end(), shapes.getConstant(1));
  for (Value statistic : {getMean(), getInvStdDev()})
    if (isPresent(statistic))
      shapes.setDims(statistic, dims);
  return success();
}

LogicalResult RMSNormalizationOp::inferShapes(SymbolicShapes &shapes) {
  return inferSameShape(*this, shapes);
}
