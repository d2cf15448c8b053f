//===- DataMovement.cpp - lowering of the ops that only move elements -----===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnnxLowering.h"
#include "Structured.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

using Sizes = LoweringBuilder::Sizes;

namespace {
struct TransposeLowering final : OnnxLowering<TransposeOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(TransposeOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    SmallVector<int64_t> permutation;
    if (std::optional<ArrayRef<int64_t>> perm = op.getPerm())
      permutation = llvm::to_vector(*perm);
    else
      for (int64_t dim = getRank(adaptor.getData()); dim > 0; --dim)
        permutation.push_back(dim - 1);
    return SmallVector<Value>{
        createTranspose(b, adaptor.getData(), permutation)};
  }
};

struct ConcatLowering final : OnnxLowering<ConcatOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(ConcatOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    ValueRange inputs = adaptor.getInputs();
    int64_t rank = getRank(inputs.front());
    int64_t axis = normalizeAxis(op.getAxis(), rank);
    for (Value input : inputs.drop_front())
      for (int64_t dim = 0; dim < rank; ++dim)
        if (dim != axis)
          checkSameSize(b, inputs.front(), dim, input, dim,
                        "sizes in dimension " + Twine(dim));
    return SmallVector<Value>{createConcat(b, inputs, axis)};
  }
};

struct SplitLowering final : OnnxLowering<SplitOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(SplitOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Value input = adaptor.getInput();
    int64_t axis = normalizeAxis(op.getAxis(), getRank(input));
    int64_t numParts = op.getOutputs().size();
    OpFoldResult size = b.getSize(input, axis);
    OpFoldResult offset = b.getIndexAttr(0);
    OpFoldResult chunk = b.ceilDiv(size, b.getIndexAttr(numParts));
    SmallVector<Value> results;
    for (int64_t part = 0; part < numParts; ++part) {
      // Without 'split' the parts are equal, but for the last.
      OpFoldResult partSize =
          isMissing(op.getSplit())
              ? b.max(b.min(chunk, b.sub(size, offset)), b.getIndexAttr(0))
              : b.getIndexElement(adaptor.getSplit(), part);
      results.push_back(createSlice(b, input, axis, offset, partSize));
      offset = b.add(offset, partSize);
    }
    if (!isMissing(op.getSplit()))
      b.check(b.isEqual(offset, size),
              "the sizes in 'split' must add up to that of dimension " +
                  Twine(axis));
    return results;
  }
};

struct ExpandLowering final : OnnxLowering<ExpandOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(ExpandOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Value input = adaptor.getInput();
    auto type = cast<RankedTensorType>(op.getOutput().getType());
    int64_t rank = type.getRank();
    int64_t shapeRank = getTensorType(adaptor.getShape()).getNumElements();
    Sizes sizes;
    for (int64_t dim = 0; dim < rank; ++dim) {
      int64_t inputDim = dim - (rank - getRank(input));
      int64_t position = dim - (rank - shapeRank);
      if (!type.isDynamicDim(dim))
        sizes.push_back(b.getIndexAttr(type.getDimSize(dim)));
      else if (position < 0)
        sizes.push_back(b.getSize(input, inputDim));
      else
        sizes.push_back(
            getExpandedSize(b, input, inputDim, adaptor.getShape(), position));
    }
    // One integer for many, as lengths of a batch are: it stays known that they
    // are equal.
    RankedTensorType inputType = getTensorType(input);
    if (inputType.hasStaticShape() && inputType.getNumElements() == 1 &&
        inputType.getRank() <= 1 && inputType.getElementType().isInteger())
      return SmallVector<Value>{b.filled(sizes, b.getElement(input, 0))};
    return SmallVector<Value>{createBroadcast(b, input, sizes)};
  }

  /// The size that the input's dimension and an element of the shape, either of
  /// which may be 1, broadcast to.
  static OpFoldResult getExpandedSize(LoweringBuilder &b, Value input,
                                      int64_t inputDim, Value shape,
                                      int64_t position) {
    OpFoldResult wanted = b.getIndexElement(shape, position);
    if (inputDim < 0)
      return wanted;
    OpFoldResult size = b.getSize(input, inputDim);
    AffineExpr symbol = b.getSymbolicElement(shape, position);
    if (isConstantIntValue(size, 1) || b.isSame(size, wanted))
      return wanted;
    if (isConstantIntValue(wanted, 1) ||
        (symbol && symbol == b.getSymbolicSize(input, inputDim)))
      return size;
    Value isOne = b.isEqual(wanted, b.getIndexAttr(1));
    return b.createOrFold<arith::SelectOp>(isOne, b.toValue(size),
                                           b.toValue(wanted));
  }
};

/// A dimension of size n that is repeated m times is [m, n] with the same
/// elements for each m, collapsed.
struct TileLowering final : OnnxLowering<TileOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(TileOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Value input = adaptor.getInput();
    Sizes expanded, tiled;
    SmallVector<AffineExpr> exprs;
    for (auto [dim, size] : llvm::enumerate(b.getSizes(input))) {
      OpFoldResult count = b.getIndexElement(adaptor.getRepeats(), dim);
      if (!isConstantIntValue(count, 1))
        expanded.push_back(count);
      exprs.push_back(b.getAffineDimExpr(expanded.size()));
      expanded.push_back(size);
      tiled.push_back(b.mul(count, size));
    }
    if (expanded.size() == tiled.size())
      return SmallVector<Value>{input};
    int64_t rank = expanded.size();
    Value copies = createGeneric(
        b, input, b.empty(expanded, getElementType(input)),
        {AffineMap::get(rank, 0, exprs, b.getContext()),
         b.getMultiDimIdentityMap(rank)},
        [](ImplicitLocOpBuilder &, ValueRange args) -> SmallVector<Value> {
          return {args[0]};
        })[0];
    return SmallVector<Value>{createReshape(b, copies, tiled)};
  }
};
} // namespace

void populateDataMovementLowerings(RewritePatternSet &patterns,
                                   const TypeConverter &typeConverter,
                                   const SymbolicShapes &shapes) {
  patterns.add<ConcatLowering, ExpandLowering, SplitLowering, TileLowering,
               TransposeLowering>(typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
