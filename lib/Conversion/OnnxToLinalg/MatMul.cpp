//===- MatMul.cpp - lowering of matrix products ---------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Leading dimensions are collapsed wherever that needs no copy, so that a
// linear layer on [batch, sequence, K] is one matrix product with batch *
// sequence rows, and products of batches of matrices are one
// `linalg.batch_matmul`.
//
//===----------------------------------------------------------------------===//

#include "ElementOps.h"
#include "OnnxLowering.h"
#include "Structured.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

using Sizes = LoweringBuilder::Sizes;

/// Collapses all but the last `numKept` dimensions into one.
static Value collapseLeading(LoweringBuilder &b, Value tensor,
                             int64_t numKept) {
  Sizes sizes = b.getSizes(tensor);
  ArrayRef<OpFoldResult> all(sizes);
  Sizes collapsed{b.product(all.drop_back(numKept))};
  llvm::append_range(collapsed, all.take_back(numKept));
  return createReshape(b, tensor, collapsed);
}

/// [.., M, K] x [K, N]
static Value multiplyByMatrix(LoweringBuilder &b, Value lhs, Value rhs) {
  Sizes sizes = b.getSizes(lhs);
  sizes.back() = b.getSize(rhs, 1);
  Value rows = collapseLeading(b, lhs, 1);
  auto map = [&](unsigned row, unsigned column) {
    return AffineMap::getMultiDimMapWithTargets(3, {row, column},
                                                b.getContext());
  };
  Value product =
      createContraction(b, rows, map(0, 2), rhs, map(2, 1),
                        {b.getSize(rows, 0), sizes.back()}, map(0, 1));
  return createReshape(b, product, sizes);
}

/// Whether two tensors have the same dimensions but for the last two.
static bool haveSameBatch(LoweringBuilder &b, Value lhs, Value rhs) {
  if (getRank(lhs) != getRank(rhs))
    return false;
  return llvm::all_of(llvm::seq<int64_t>(getRank(lhs) - 2), [&](int64_t dim) {
    return b.isSameSize(lhs, dim, rhs, dim);
  });
}

/// [.., M, K] x [.., K, N] with the same batch.
static Value multiplyBatches(LoweringBuilder &b, Value lhs, Value rhs) {
  Sizes sizes = b.getSizes(lhs);
  sizes.back() = b.getSize(rhs, getRank(rhs) - 1);
  Value left = collapseLeading(b, lhs, 2), right = collapseLeading(b, rhs, 2);
  auto map = [&](unsigned row, unsigned column) {
    return AffineMap::getMultiDimMapWithTargets(4, {0, row, column},
                                                b.getContext());
  };
  Value product = createContraction(
      b, left, map(1, 3), right, map(3, 2),
      {b.getSize(left, 0), sizes[sizes.size() - 2], sizes.back()}, map(1, 2));
  return createReshape(b, product, sizes);
}

/// [.., M, K] x [.., K, N] where the batches broadcast.
static Value multiplyBroadcast(LoweringBuilder &b, Value lhs, Value rhs) {
  // The batch dimensions broadcast like those of tensors that have no others.
  auto dropMatrix = [&](Value tensor) {
    Sizes sizes = b.getSizes(tensor);
    Sizes offsets(sizes.size(), b.getIndexAttr(0));
    Sizes strides(sizes.size(), b.getIndexAttr(1));
    sizes[sizes.size() - 1] = sizes[sizes.size() - 2] = b.getIndexAttr(1);
    return tensor::ExtractSliceOp::create(b, tensor, offsets, sizes, strides)
        .getResult();
  };
  Sizes sizes = getBroadcastSizes(b, {dropMatrix(lhs), dropMatrix(rhs)});
  int64_t numBatch = sizes.size() - 2;
  sizes[numBatch] = b.getSize(lhs, getRank(lhs) - 2);
  sizes[numBatch + 1] = b.getSize(rhs, getRank(rhs) - 1);

  // Loops: the batch, M, N, K.
  auto prepare = [&](Value tensor, int64_t row, int64_t column) {
    Sizes wanted = sizes;
    int64_t rank = getRank(tensor);
    wanted[numBatch] = b.getSize(tensor, rank - 2);
    wanted[numBatch + 1] = b.getSize(tensor, rank - 1);
    auto [operand, broadcastMap] = broadcastOperand(b, tensor, wanted);
    SmallVector<AffineExpr> exprs(broadcastMap.getResults().drop_back(2));
    exprs.push_back(b.getAffineDimExpr(numBatch + row));
    exprs.push_back(b.getAffineDimExpr(numBatch + column));
    return std::pair(operand,
                     AffineMap::get(numBatch + 3, 0, exprs, b.getContext()));
  };
  auto [left, leftMap] = prepare(lhs, 0, 2);
  auto [right, rightMap] = prepare(rhs, 2, 1);
  AffineMap resultMap =
      getMapWithout(numBatch + 2, numBatch + 3, b.getContext());
  return createContraction(b, left, leftMap, right, rightMap, sizes, resultMap);
}

namespace {
struct MatMulLowering final : OnnxLowering<MatMulOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(MatMulOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Value lhs = adaptor.getA(), rhs = adaptor.getB();
    int64_t lhsRank = getRank(lhs), rhsRank = getRank(rhs);
    if (lhsRank == 0 || rhsRank == 0)
      return b.refuse("operands must have at least one dimension");
    checkSameSize(b, lhs, lhsRank - 1, rhs, std::max<int64_t>(rhsRank - 2, 0),
                  "the inner dimensions");
    // Vectors are matrices with one row or column, which the result drops.
    if (lhsRank == 1)
      lhs = createUnsqueeze(b, lhs, 0);
    if (rhsRank == 1)
      rhs = createUnsqueeze(b, rhs, 1);
    Value result;
    if (getRank(rhs) == 2)
      result = multiplyByMatrix(b, lhs, rhs);
    else if (haveSameBatch(b, lhs, rhs))
      result = multiplyBatches(b, lhs, rhs);
    else
      result = multiplyBroadcast(b, lhs, rhs);
    int64_t rank = getRank(result);
    SmallVector<int64_t> dropped;
    if (lhsRank == 1)
      dropped.push_back(rank - 2);
    if (rhsRank == 1)
      dropped.push_back(rank - 1);
    if (!dropped.empty())
      result = createSqueeze(b, result, dropped);
    Type type = getElementType(adaptor.getA());
    if (getElementType(result) != type)
      result = createFloatCast(b, result, type);
    return SmallVector<Value>{result};
  }
};

/// alpha * A' * B' + beta * C
struct GemmLowering final : OnnxLowering<GemmOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(GemmOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Value lhs = adaptor.getA(), rhs = adaptor.getB();
    bool transA = op.getTransA(), transB = op.getTransB();
    checkSameSize(b, lhs, transA ? 0 : 1, rhs, transB ? 1 : 0,
                  "the inner dimensions");
    auto map = [&](bool transposed, unsigned row, unsigned column) {
      if (transposed)
        std::swap(row, column);
      return AffineMap::getMultiDimMapWithTargets(3, {row, column},
                                                  b.getContext());
    };
    Value product = createContraction(
        b, lhs, map(transA, 0, 2), rhs, map(transB, 2, 1),
        {b.getSize(lhs, transA ? 1 : 0), b.getSize(rhs, transB ? 0 : 1)},
        map(false, 0, 1));
    Type type = getElementType(lhs);
    double alpha = op.getAlpha();
    double beta = op.getBeta();
    bool hasBias = !isMissing(op.getC()) && beta != 0;
    if (alpha == 1 && !hasBias && getElementType(product) == type)
      return SmallVector<Value>{product};
    SmallVector<Value> operands{product};
    if (hasBias)
      operands.push_back(adaptor.getC());
    bool isUnsigned = hasUnsignedElements(op.getA());
    return SmallVector<Value>{createElementwise(
        b, operands, type,
        [&](ImplicitLocOpBuilder &nested, ValueRange args) -> Value {
          // Integers are scaled as floats, since alpha and beta are.
          Type wide = args[0].getType();
          if (!isa<FloatType>(wide) && (alpha != 1 || beta != 1))
            wide = nested.getF64Type();
          auto scale = [&](Value element, double factor) {
            Value x = emitCast(nested, element, isUnsigned, wide, isUnsigned);
            if (factor == 1)
              return x;
            return emitMul(nested, x, emitConstant(nested, wide, factor));
          };
          Value sum = scale(args[0], alpha);
          if (hasBias)
            sum = emitAdd(nested, sum, scale(args[1], beta));
          return emitCast(nested, sum, isUnsigned, type, isUnsigned);
        })};
  }
};
} // namespace

void populateMatMulLowerings(RewritePatternSet &patterns,
                             const TypeConverter &typeConverter,
                             const SymbolicShapes &shapes) {
  patterns.add<MatMulLowering, GemmLowering>(typeConverter,
                                             patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
