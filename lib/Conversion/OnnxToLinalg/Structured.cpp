//===- Structured.cpp - structured ops that lowerings consist of ----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Structured.h"
#include "ElementOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lowbit::onnx;
using namespace lowbit::onnx::lowering;

SmallVector<Value> lowbit::onnx::lowering::createGeneric(
    LoweringBuilder &b, ValueRange inputs, ValueRange inits,
    ArrayRef<AffineMap> maps, ElementsFn body) {
  unsigned numLoops = maps.front().getNumDims();
  SmallVector<utils::IteratorType> iterators(numLoops,
                                             utils::IteratorType::reduction);
  for (AffineMap map : maps.take_back(inits.size()))
    for (AffineExpr expr : map.getResults())
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        iterators[dim.getPosition()] = utils::IteratorType::parallel;
  auto generic = linalg::GenericOp::create(
      b, TypeRange(inits), inputs, inits, maps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange args) {
        ImplicitLocOpBuilder builder(loc, nested);
        linalg::YieldOp::create(builder, body(builder, args));
      });
  return llvm::to_vector_of<Value>(generic.getResults());
}

Value lowbit::onnx::lowering::createFromIndices(LoweringBuilder &b,
                                                ArrayRef<OpFoldResult> sizes,
                                                Type elementType,
                                                ElementFn body) {
  Value init = b.empty(sizes, elementType);
  AffineMap map = b.getMultiDimIdentityMap(sizes.size());
  return createGeneric(
      b, ValueRange(), init, map,
      [&](ImplicitLocOpBuilder &nested, ValueRange) -> SmallVector<Value> {
        SmallVector<Value> indices;
        for (int64_t dim = 0, rank = sizes.size(); dim < rank; ++dim)
          indices.push_back(linalg::IndexOp::create(nested, dim));
        return {body(nested, indices)};
      })[0];
}

AffineMap lowbit::onnx::lowering::getMapWithout(ArrayRef<int64_t> axes,
                                                int64_t rank,
                                                MLIRContext *context) {
  SmallVector<AffineExpr> exprs;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (!llvm::is_contained(axes, dim))
      exprs.push_back(getAffineDimExpr(dim, context));
  return AffineMap::get(rank, 0, exprs, context);
}

Value lowbit::onnx::lowering::createReduction(LoweringBuilder &b, Value tensor,
                                              ArrayRef<int64_t> axes,
                                              Value init, ElementFn body) {
  int64_t rank = getRank(tensor);
  LoweringBuilder::Sizes sizes;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (!llvm::is_contained(axes, dim))
      sizes.push_back(b.getSize(tensor, dim));
  return createGeneric(
      b, tensor, b.filled(sizes, init),
      {b.getMultiDimIdentityMap(rank),
       getMapWithout(axes, rank, b.getContext())},
      [&](ImplicitLocOpBuilder &nested, ValueRange args) -> SmallVector<Value> {
        return {body(nested, args)};
      })[0];
}

Value lowbit::onnx::lowering::extract(ImplicitLocOpBuilder &b, Value tensor,
                                      ValueRange indices) {
  return tensor::ExtractOp::create(b, tensor, indices);
}

Value lowbit::onnx::lowering::createConcat(LoweringBuilder &b,
                                           ValueRange tensors, int64_t axis) {
  if (tensors.size() == 1)
    return tensors.front();
  Type elementType = getElementType(tensors.front());
  if (getRank(tensors.front()) == 1) {
    LoweringBuilder::Sizes elements;
    bool allKnown = llvm::all_of(tensors, [&](Value tensor) {
      std::optional<LoweringBuilder::Sizes> part = b.getElements(tensor);
      if (part)
        llvm::append_range(elements, *part);
      return part.has_value();
    });
    int64_t size = elements.size();
    if (allKnown)
      return b.fromElements(RankedTensorType::get({size}, elementType),
                            elements);
  }
  LoweringBuilder::Sizes sizes = b.getSizes(tensors.front());
  for (Value tensor : tensors.drop_front()) {
    for (int64_t dim = 0, rank = sizes.size(); dim < rank; ++dim) {
      // One of the tensors may know statically what others do not.
      if (dim != axis && isa<Value>(sizes[dim]))
        sizes[dim] = b.getSize(tensor, dim);
    }
    sizes[axis] = b.add(sizes[axis], b.getSize(tensor, axis));
  }
  Value result = b.empty(sizes, elementType);
  LoweringBuilder::Sizes offsets(sizes.size(), b.getIndexAttr(0));
  LoweringBuilder::Sizes strides(sizes.size(), b.getIndexAttr(1));
  LoweringBuilder::Sizes partSizes = sizes;
  for (Value tensor : tensors) {
    partSizes[axis] = b.getSize(tensor, axis);
    // No slice may begin where the tensor ends.
    if (isConstantIntValue(partSizes[axis], 0))
      continue;
    // The slice has the tensor's own type only where that is as precise.
    Value part = b.castTensor(tensor, tensor::ExtractSliceOp::inferResultType(
                                          getTensorType(result), partSizes));
    result = tensor::InsertSliceOp::create(b, part, result, offsets, partSizes,
                                           strides);
    offsets[axis] = b.add(offsets[axis], partSizes[axis]);
  }
  return result;
}

Value lowbit::onnx::lowering::createSlice(LoweringBuilder &b, Value tensor,
                                          int64_t axis, OpFoldResult offset,
                                          OpFoldResult size) {
  LoweringBuilder::Sizes sizes = b.getSizes(tensor);
  LoweringBuilder::Sizes offsets(sizes.size(), b.getIndexAttr(0));
  LoweringBuilder::Sizes strides(sizes.size(), b.getIndexAttr(1));
  offsets[axis] = offset;
  sizes[axis] = size;
  // No slice may begin where the tensor ends.
  if (isConstantIntValue(size, 0))
    return b.empty(sizes, getElementType(tensor));
  return tensor::ExtractSliceOp::create(b, tensor, offsets, sizes, strides);
}

Value lowbit::onnx::lowering::createFloatCast(LoweringBuilder &b, Value tensor,
                                              Type elementType) {
  if (getElementType(tensor) == elementType)
    return tensor;
  return createElementwise(b, tensor, elementType,
                           [&](ImplicitLocOpBuilder &nested, ValueRange args) {
                             return emitFloatCast(nested, args[0], elementType);
                           });
}

void lowbit::onnx::lowering::checkSameSize(LoweringBuilder &b, Value lhs,
                                           int64_t lhsDim, Value rhs,
                                           int64_t rhsDim, const Twine &what) {
  if (!b.isSameSize(lhs, lhsDim, rhs, rhsDim))
    b.check(b.isEqual(b.getSize(lhs, lhsDim), b.getSize(rhs, rhsDim)),
            what + " must be equal");
}

/// Whether `maps` are those of the named op that computes C += A * B on
/// matrices, with `numBatch` leading dimensions that all three have.
static bool isNamedMatmul(ArrayRef<AffineMap> maps, int64_t numBatch) {
  if (maps[0].getNumDims() != numBatch + 3)
    return false;
  auto makeMap = [&](int64_t row, int64_t column) {
    SmallVector<int64_t> dims = llvm::to_vector(llvm::seq<int64_t>(numBatch));
    dims.push_back(numBatch + row);
    dims.push_back(numBatch + column);
    return AffineMap::getMultiDimMapWithTargets(
        numBatch + 3, SmallVector<unsigned>(dims.begin(), dims.end()),
        maps[0].getContext());
  };
  return maps[0] == makeMap(0, 2) && maps[1] == makeMap(2, 1) &&
         maps[2] == makeMap(0, 1);
}

Value lowbit::onnx::lowering::createContraction(LoweringBuilder &b, Value lhs,
                                                AffineMap lhsMap, Value rhs,
                                                AffineMap rhsMap,
                                                ArrayRef<OpFoldResult> sizes,
                                                AffineMap resultMap) {
  Type type = getAccumulatorType(getElementType(lhs));
  Value init = b.filled(sizes, b.constant(type, 0));
  SmallVector<AffineMap> maps{lhsMap, rhsMap, resultMap};
  if (isNamedMatmul(maps, 0))
    return linalg::MatmulOp::create(b, ValueRange{lhs, rhs}, init).getResult(0);
  if (isNamedMatmul(maps, 1))
    return linalg::BatchMatmulOp::create(b, ValueRange{lhs, rhs}, init)
        .getResult(0);
  auto widen = [&](ImplicitLocOpBuilder &nested, Value element) {
    return isa<FloatType>(type) ? emitFloatCast(nested, element, type)
                                : element;
  };
  return createGeneric(
      b, {lhs, rhs}, init, maps,
      [&](ImplicitLocOpBuilder &nested, ValueRange args) -> SmallVector<Value> {
        Value product =
            emitMul(nested, widen(nested, args[0]), widen(nested, args[1]));
        return {emitAdd(nested, args[2], product)};
      })[0];
}
