//===- Gather.cpp - lowering of the ops that read at indices --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// An index below 0 counts from the end. ONNX leaves an index that is out of
// range undefined; here it is clamped, so that nothing outside of the tensor is
// ever read.
//
//===----------------------------------------------------------------------===//

#include "Gather.h"
#include "ElementOps.h"
#include "OnnxLowering.h"
#include "Structured.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

using Sizes = LoweringBuilder::Sizes;

Value emitSafeIndex(ImplicitLocOpBuilder &b, Value element, Value size) {
  Type type = b.getIndexType();
  Value index = b.createOrFold<arith::IndexCastOp>(type, element);
  Value zero = emitConstant(b, type, 0), one = emitConstant(b, type, 1);
  Value isNegative =
      b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::slt, index, zero);
  index = b.createOrFold<arith::SelectOp>(
      isNegative, b.createOrFold<arith::AddIOp>(index, size), index);
  Value last = b.createOrFold<arith::SubIOp>(size, one);
  index = b.createOrFold<arith::MinSIOp>(index, last);
  return b.createOrFold<arith::MaxSIOp>(index, zero);
}

/// Gathers from a small tensor whose elements are known as scalars.
static Value gatherScalars(LoweringBuilder &b, Value tensor, Value indices) {
  std::optional<Sizes> elements = b.getElements(tensor);
  std::optional<SmallVector<int64_t>> positions = b.getConstants(indices);
  if (getRank(tensor) != 1 || !elements || !positions)
    return Value();
  int64_t size = elements->size();
  Sizes results;
  for (int64_t position : *positions) {
    if (position < -size || position >= size)
      return Value();
    results.push_back((*elements)[normalizeAxis(position, size)]);
  }
  auto type = RankedTensorType::get(getTensorType(indices).getShape(),
                                    getElementType(tensor));
  return b.fromElements(type, results);
}

Value createGather(LoweringBuilder &b, Value tensor, Value indices,
                   int64_t axis) {
  if (Value result = gatherScalars(b, tensor, indices))
    return result;
  int64_t numIndexDims = getRank(indices);
  Sizes tensorSizes = b.getSizes(tensor), sizes = tensorSizes;
  Sizes indexSizes = b.getSizes(indices);
  sizes.erase(sizes.begin() + axis);
  sizes.insert(sizes.begin() + axis, indexSizes.begin(), indexSizes.end());
  int64_t rank = sizes.size();
  SmallVector<AffineExpr> exprs;
  for (int64_t dim = axis; dim < axis + numIndexDims; ++dim)
    exprs.push_back(b.getAffineDimExpr(dim));
  Value axisSize = b.toValue(tensorSizes[axis]);
  Value scalarIndex = b.getSplat(indices);
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  if (!scalarIndex) {
    inputs.push_back(indices);
    maps.push_back(AffineMap::get(rank, 0, exprs, b.getContext()));
  }
  maps.push_back(b.getMultiDimIdentityMap(rank));
  return createGeneric(
      b, inputs, b.empty(sizes, getElementType(tensor)), maps,
      [&](ImplicitLocOpBuilder &nested, ValueRange args) -> SmallVector<Value> {
        SmallVector<Value> position;
        for (int64_t dim = 0; dim < rank; ++dim) {
          if (dim == axis)
            position.push_back(emitSafeIndex(
                nested, scalarIndex ? scalarIndex : args[0], axisSize));
          if (dim < axis || dim >= axis + numIndexDims)
            position.push_back(linalg::IndexOp::create(nested, dim));
        }
        // With a scalar index at the end no loop stands for the axis.
        if (axis == rank)
          position.push_back(emitSafeIndex(
              nested, scalarIndex ? scalarIndex : args[0], axisSize));
        return {extract(nested, tensor, position)};
      })[0];
}

namespace {
struct GatherLowering final : OnnxLowering<GatherOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(GatherOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    int64_t axis = normalizeAxis(op.getAxis(), getRank(adaptor.getData()));
    return SmallVector<Value>{
        createGather(b, adaptor.getData(), adaptor.getIndices(), axis)};
  }
};

/// result[i, j] = data[i, indices[i, j]], for axis 1.
struct GatherElementsLowering final : OnnxLowering<GatherElementsOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(GatherElementsOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Value data = adaptor.getData(), indices = adaptor.getIndices();
    int64_t rank = getRank(data), axis = normalizeAxis(op.getAxis(), rank);
    Value axisSize = b.toValue(b.getSize(data, axis));
    AffineMap identity = b.getMultiDimIdentityMap(rank);
    Value init = b.empty(b.getSizes(indices), getElementType(data));
    return createGeneric(
        b, indices, init, {identity, identity},
        [&](ImplicitLocOpBuilder &nested,
            ValueRange args) -> SmallVector<Value> {
          SmallVector<Value> position;
          for (int64_t dim = 0; dim < rank; ++dim)
            position.push_back(
                dim == axis ? emitSafeIndex(nested, args[0], axisSize)
                            : Value(linalg::IndexOp::create(nested, dim)));
          return {extract(nested, data, position)};
        });
  }
};

/// The last dimension of the indices holds whole index tuples.
struct GatherNDLowering final : OnnxLowering<GatherNDOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(GatherNDOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Value data = adaptor.getData(), indices = adaptor.getIndices();
    int64_t numBatch = op.getBatchDims();
    int64_t numOuter = getRank(indices) - 1;
    std::optional<int64_t> tuple =
        getConstantIntValue(b.getSize(indices, numOuter));
    if (!tuple)
      return b.refuse("the last dimension of the indices must be known");
    Sizes sizes = b.getSizes(indices), dataSizes = b.getSizes(data);
    sizes.pop_back();
    sizes.append(dataSizes.begin() + numBatch + *tuple, dataSizes.end());
    auto body = [&](ImplicitLocOpBuilder &nested, ValueRange loops) -> Value {
      SmallVector<Value> outer(loops.take_front(numOuter));
      SmallVector<Value> position(loops.take_front(numBatch));
      for (int64_t i = 0; i < *tuple; ++i) {
        outer.push_back(arith::ConstantIndexOp::create(nested, i));
        Value element = extract(nested, indices, outer);
        outer.pop_back();
        OpFoldResult size = dataSizes[numBatch + i];
        Value sizeValue = dyn_cast<Value>(size);
        if (!sizeValue)
          sizeValue = arith::ConstantIndexOp::create(
              nested, *getConstantIntValue(size));
        position.push_back(emitSafeIndex(nested, element, sizeValue));
      }
      llvm::append_range(position, loops.drop_front(numOuter));
      return extract(nested, data, position);
    };
    return SmallVector<Value>{
        createFromIndices(b, sizes, getElementType(data), body)};
  }
};
} // namespace

void populateGatherLowerings(RewritePatternSet &patterns,
                             const TypeConverter &typeConverter,
                             const SymbolicShapes &shapes) {
  patterns.add<GatherLowering, GatherElementsLowering, GatherNDLowering>(
      typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
