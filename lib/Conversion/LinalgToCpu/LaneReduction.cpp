//===- LaneReduction.cpp - reductions in a fixed number of lanes ----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LaneReduction.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"

using namespace mlir;
using namespace lowbit;

static VectorType getLanes(Type elementType) {
  return VectorType::get({reductionLanes}, elementType);
}

SmallVector<Value> lowbit::getOperandIndices(ImplicitLocOpBuilder &b,
                                             linalg::LinalgOp op,
                                             OpOperand &operand,
                                             ArrayRef<Value> at) {
  SmallVector<Value> indices;
  for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      indices.push_back(at[dim.getPosition()]);
    else
      indices.push_back(affine::expandAffineExpr(b, b.getLoc(), expr, at, {}));
  }
  return indices;
}

/// How an operand's elements follow each other along a dimension.
enum class Stride { None, Contiguous, Other };

static Stride getStride(linalg::LinalgOp op, OpOperand &operand, unsigned dim) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  if (!map.isFunctionOfDim(dim))
    return Stride::None;
  auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
  if (!last || last.getPosition() != dim ||
      map.dropResult(map.getNumResults() - 1).isFunctionOfDim(dim))
    return Stride::Other;
  auto type = cast<MemRefType>(operand.get().getType());
  // Vectors of other types are not laid out as their elements are in memory.
  bool isByteSized = type.getElementType().isIntOrFloat() &&
                     type.getElementTypeBitWidth() % 8 == 0;
  int64_t offset;
  SmallVector<int64_t> strides;
  return isByteSized && succeeded(type.getStridesAndOffset(strides, offset)) &&
                 strides.back() == 1
             ? Stride::Contiguous
             : Stride::Other;
}

std::optional<LaneReduction> LaneReduction::match(linalg::LinalgOp op,
                                                  unsigned dim) {
  LaneReduction result(op, dim);
  for (OpOperand *input : op.getDpsInputOperands())
    if (!op.isScalar(input) && getStride(op, *input, dim) == Stride::Other)
      return std::nullopt;
  for (Operation &inner : op.getBlock()->without_terminator())
    if (!OpTrait::hasElementwiseMappableTraits(&inner) &&
        !isa<arith::ConstantOp, linalg::IndexOp>(inner))
      return std::nullopt;
  for (unsigned i = 0, e = op.getNumDpsInits(); i < e; ++i) {
    SmallVector<Operation *> combiners;
    if (!matchReduction(op.getRegionOutputArgs(), i, combiners) ||
        combiners.size() != 1)
      return std::nullopt;
    std::optional<TypedAttr> neutral =
        arith::getNeutralElement(combiners.front());
    std::optional<vector::CombiningKind> kind =
        linalg::getCombinerOpKind(combiners.front());
    if (!neutral || !kind)
      return std::nullopt;
    result.neutral.push_back(*neutral);
    result.kinds.push_back(*kind);
  }
  return result;
}

SmallVector<Value> LaneReduction::buildNeutral(ImplicitLocOpBuilder &b) const {
  return llvm::map_to_vector(neutral, [&](TypedAttr value) -> Value {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(getLanes(value.getType()), value));
  });
}

SmallVector<Value> LaneReduction::buildStep(ImplicitLocOpBuilder &b,
                                            ArrayRef<Value> at,
                                            ValueRange accumulators) {
  IRMapping lanes;
  auto spread = [&](Value scalar) -> Value {
    return vector::BroadcastOp::create(b, getLanes(scalar.getType()), scalar);
  };
  for (OpOperand *input : op.getDpsInputOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(input);
    if (argument.use_empty())
      continue;
    if (op.isScalar(input)) {
      lanes.map(argument, spread(input->get()));
      continue;
    }
    SmallVector<Value> indices = getOperandIndices(b, op, *input, at);
    Value value;
    if (getStride(op, *input, dim) == Stride::Contiguous)
      value = vector::LoadOp::create(b, getLanes(argument.getType()),
                                     input->get(), indices);
    else
      value = spread(memref::LoadOp::create(b, input->get(), indices));
    lanes.map(argument, value);
  }
  lanes.map(op.getRegionOutputArgs(), accumulators);

  for (Operation &inner : op.getBlock()->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      Value value = spread(at[index.getDim()]);
      if (index.getDim() == dim)
        value = arith::AddIOp::create(
            b, value, vector::StepOp::create(b, getLanes(b.getIndexType())));
      lanes.map(index.getResult(), value);
      continue;
    }
    SmallVector<Value> operands;
    for (Value operand : inner.getOperands()) {
      // Values from outside of the body are the same for all lanes.
      if (!lanes.contains(operand))
        lanes.map(operand, spread(operand));
      operands.push_back(lanes.lookup(operand));
    }
    if (isa<arith::ConstantOp>(inner)) {
      lanes.map(inner.getResult(0), spread(b.clone(inner)->getResult(0)));
      continue;
    }
    auto types = llvm::map_to_vector(
        inner.getResultTypes(), [](Type type) { return Type(getLanes(type)); });
    lanes.map(inner.getResults(),
              mlir::clone(b, &inner, types, operands)->getResults());
  }
  return llvm::map_to_vector(op.getBlock()->getTerminator()->getOperands(),
                             [&](Value value) { return lanes.lookup(value); });
}

SmallVector<Value> LaneReduction::combine(ImplicitLocOpBuilder &b,
                                          ValueRange accumulators,
                                          ValueRange scalars) const {
  SmallVector<Value> results;
  for (auto [kind, lanes, scalar] :
       llvm::zip_equal(kinds, accumulators, scalars))
    results.push_back(combineLanes(b, kind, lanes, scalar));
  return results;
}
