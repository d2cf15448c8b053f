//===- RotaryEmbedding.cpp - lowering of rotary embeddings ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementOps.h"
#include "OnnxLowering.h"
#include "Structured.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

using Sizes = LoweringBuilder::Sizes;

namespace {
struct RotaryEmbeddingLowering final : OnnxLowering<RotaryEmbeddingOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(RotaryEmbeddingOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override;
};

/// A part of the last dimension.
struct LastDimSlice {
  OpFoldResult offset, size, stride;
};
} // namespace

/// x * a - y * c or x * a + y * c, where a and c are indexed by batch, position
/// and last dimension.
static Value createCombination(LoweringBuilder &b, Value x, Value a, Value y,
                               Value c, AffineMap angleMap, bool subtract) {
  AffineMap identity = b.getMultiDimIdentityMap(4);
  Type type = getElementType(x);
  return createGeneric(
      b, {x, a, y, c}, b.empty(b.getSizes(x), type),
      {identity, angleMap, identity, angleMap, identity},
      [&](ImplicitLocOpBuilder &nested, ValueRange args) -> SmallVector<Value> {
        SmallVector<Value> wide;
        for (Value arg : args.drop_back())
          wide.push_back(emitFloatCast(nested, arg, getAccumulatorType(type)));
        Value left = emitMul(nested, wide[0], wide[1]);
        Value right = emitMul(nested, wide[2], wide[3]);
        Value sum = subtract ? emitSub(nested, left, right)
                             : emitAdd(nested, left, right);
        return {emitFloatCast(nested, sum, type)};
      })[0];
}

LoweredResults RotaryEmbeddingLowering::lower(RotaryEmbeddingOp op,
                                              Adaptor adaptor,
                                              LoweringBuilder &b) const {
  Value x = adaptor.getX();
  Sizes originalSizes = b.getSizes(x);
  // [b, s, heads * d] is [b, s, heads, d]; a tensor of rank 4 is
  // [b, heads, s, d]. No element is moved for that.
  bool isPacked = getRank(x) == 3;
  unsigned positionDim = isPacked ? 1 : 2;
  if (isPacked) {
    if (!op.getNumHeads())
      return b.refuse("an operand of rank 3 needs num_heads");
    OpFoldResult heads = b.getIndexAttr(*op.getNumHeads());
    x = createReshape(b, x,
                      {originalSizes[0], originalSizes[1], heads,
                       b.floorDiv(originalSizes[2], heads)});
  }
  Value cosine = adaptor.getCosCache(), sine = adaptor.getSinCache();
  if (!isMissing(op.getPositionIds())) {
    cosine = createGather(b, cosine, adaptor.getPositionIds(), 0);
    sine = createGather(b, sine, adaptor.getPositionIds(), 0);
  }
  auto prepareAngle = [&](Value angle) {
    Sizes sizes{b.getSize(x, 0), b.getSize(x, positionDim),
                b.getSize(angle, 2)};
    return broadcastOperand(b, angle, sizes);
  };
  auto [cosAngle, cosMap] = prepareAngle(cosine);
  auto [sinAngle, sinMap] = prepareAngle(sine);
  if (cosMap != sinMap)
    return b.refuse("the caches must have the same shape");
  // From [b, s, i] to the loops of x.
  SmallVector<AffineExpr> loops{b.getAffineDimExpr(0),
                                b.getAffineDimExpr(positionDim),
                                b.getAffineDimExpr(3)};
  AffineMap angleMap = cosMap.replaceDimsAndSymbols(loops, {}, 4, 0);

  Sizes sizes = b.getSizes(x);
  Sizes offsets(4, b.getIndexAttr(0)), strides(4, b.getIndexAttr(1));
  OpFoldResult rotated =
      op.getRotaryEmbeddingDim() != 0
          ? OpFoldResult(b.getIndexAttr(op.getRotaryEmbeddingDim()))
          : sizes[3];
  OpFoldResult half = b.floorDiv(rotated, b.getIndexAttr(2));
  auto take = [&](LastDimSlice slice) -> Value {
    offsets[3] = slice.offset;
    sizes[3] = slice.size;
    strides[3] = slice.stride;
    return tensor::ExtractSliceOp::create(b, x, offsets, sizes, strides);
  };
  Value result = b.empty(b.getSizes(x), getElementType(x));
  auto put = [&](Value part, LastDimSlice slice) {
    offsets[3] = slice.offset;
    sizes[3] = slice.size;
    strides[3] = slice.stride;
    result =
        tensor::InsertSliceOp::create(b, part, result, offsets, sizes, strides);
  };
  OpFoldResult one = b.getIndexAttr(1), two = b.getIndexAttr(2);
  LastDimSlice first{b.getIndexAttr(0), half, op.getInterleaved() ? two : one};
  LastDimSlice second{op.getInterleaved() ? one : half, half, first.stride};
  Value real = take(first), imaginary = take(second);
  put(createCombination(b, real, cosAngle, imaginary, sinAngle, angleMap,
                        /*subtract=*/true),
      first);
  put(createCombination(b, real, sinAngle, imaginary, cosAngle, angleMap,
                        /*subtract=*/false),
      second);
  OpFoldResult rest = b.sub(b.getSize(x, 3), rotated);
  if (!isConstantIntValue(rest, 0) && op.getRotaryEmbeddingDim() != 0) {
    LastDimSlice untouched{rotated, rest, one};
    put(take(untouched), untouched);
  }
  if (isPacked)
    result = createReshape(b, result, originalSizes);
  return SmallVector<Value>{result};
}

void populateRotaryEmbeddingLowerings(RewritePatternSet &patterns,
                                      const TypeConverter &typeConverter,
                                      const SymbolicShapes &shapes) {
  patterns.add<RotaryEmbeddingLowering>(typeConverter, patterns.getContext(),
                                        shapes);
}

} // namespace lowbit::onnx::lowering
