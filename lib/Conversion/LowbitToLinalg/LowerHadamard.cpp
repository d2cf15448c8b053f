//===- LowerHadamard.cpp - fast Hadamard transform in linalg --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A Kronecker product is applied one factor after the other. With factors of
// order 2 this is the textbook's fast Walsh-Hadamard transform: few operations,
// but as many passes over memory, the last of which add neighbours. Factors of
// up to 16 instead are contractions with a small constant matrix. All targets
// compile those well, and a layer, which does thousands of operations per
// channel, does not notice 16 for each of two or three factors.
//
//===----------------------------------------------------------------------===//

#include "LowerHadamard.h"
#include "FlattenRows.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Quantize/Hadamard.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"
#include <cmath>

using namespace mlir;
using namespace lowbit;

/// The largest factor of Sylvester's matrix, as a power of two.
static constexpr int64_t maxFactorBits = 4;

namespace {
/// A factor of the matrix, `order` x `order`, and the distance of the channels
/// that it combines.
struct Factor {
  int64_t order;
  int64_t inner;
  /// Normalized, row by row.
  SmallVector<float> entries;
};
} // namespace

static SmallVector<float> normalize(ArrayRef<int8_t> matrix, int64_t order,
                                    bool transposed) {
  SmallVector<float> entries(matrix.size());
  for (int64_t i = 0; i < order; ++i)
    for (int64_t j = 0; j < order; ++j)
      entries[i * order + j] = static_cast<float>(
          (transposed ? matrix[j * order + i] : matrix[i * order + j]) /
          std::sqrt(double(order)));
  return entries;
}

static SmallVector<int8_t> makeSylvester(int64_t order) {
  SmallVector<int8_t> matrix(order * order);
  for (int64_t i = 0; i < order; ++i)
    for (int64_t j = 0; j < order; ++j)
      matrix[i * order + j] = llvm::popcount(uint64_t(i & j)) % 2 ? -1 : 1;
  return matrix;
}

static SmallVector<Factor> getFactors(const HadamardMatrix &matrix,
                                      bool transposed) {
  SmallVector<Factor> factors;
  int64_t inner = matrix.getSylvesterOrder();
  if (const int64_t order = matrix.getPaleyOrder(); order != 1)
    factors.push_back(
        {order, inner, normalize(matrix.getPaleyMatrix(), order, transposed)});
  // Equal factors as far as possible.
  int64_t bits = llvm::Log2_64(inner);
  for (int64_t left = llvm::divideCeil(bits, maxFactorBits); left > 0; --left) {
    const int64_t taken = llvm::divideCeil(bits, left);
    const int64_t order = int64_t(1) << taken;
    bits -= taken;
    inner /= order;
    factors.push_back(
        {order, inner, normalize(makeSylvester(order), order, transposed)});
  }
  return factors;
}

/// `rows`, a matrix of f32, with each row's channels combined by the factor.
static Value applyFactor(OpBuilder &builder, Location loc, Value rows,
                         const Factor &factor) {
  auto type = cast<RankedTensorType>(rows.getType());
  // [rows, outer, order, inner], without dimensions of one element.
  const int64_t outer = type.getDimSize(1) / (factor.order * factor.inner);
  SmallVector<int64_t> shape = {type.getDimSize(0)};
  if (outer != 1)
    shape.push_back(outer);
  const unsigned summed = shape.size();
  shape.push_back(factor.order);
  if (factor.inner != 1)
    shape.push_back(factor.inner);
  const unsigned rank = shape.size();

  SmallVector<ReassociationIndices> reassociation(2);
  for (unsigned dim = 0; dim < rank; ++dim)
    reassociation[dim != 0].push_back(dim);
  const bool isReshaped = rank > 2;
  Value input = rows;
  if (isReshaped)
    input = tensor::ExpandShapeOp::create(builder, loc, type.clone(shape), rows,
                                          reassociation);

  Value matrix = WeightOp::create(
      builder, loc,
      DenseElementsAttr::get(RankedTensorType::get({factor.order, factor.order},
                                                   builder.getF32Type()),
                             ArrayRef<float>(factor.entries)));
  Value empty = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, input),
      builder.getF32Type());
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0));
  Value init = linalg::FillOp::create(builder, loc, zero, empty).getResult(0);

  // The loops are those of the result, and one more for the sum.
  AffineExpr sum = builder.getAffineDimExpr(rank);
  AffineMap resultMap =
      AffineMap::getMultiDimIdentityMap(rank + 1, builder.getContext())
          .dropResult(rank);
  SmallVector<AffineExpr> inputExprs(resultMap.getResults());
  AffineExpr column = inputExprs[summed];
  inputExprs[summed] = sum;
  auto getMap = [&](ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(rank + 1, 0, exprs, builder.getContext());
  };
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  Value result =
      linalg::GenericOp::create(
          builder, loc, init.getType(), ValueRange{input, matrix}, init,
          ArrayRef{getMap(inputExprs), getMap({sum, column}), resultMap},
          iterators,
          [](OpBuilder &nested, Location loc, ValueRange arguments) {
            Value product =
                arith::MulFOp::create(nested, loc, arguments[0], arguments[1]);
            Value added =
                arith::AddFOp::create(nested, loc, arguments[2], product);
            linalg::YieldOp::create(nested, loc, added);
          })
          .getResult(0);
  if (isReshaped)
    result = tensor::CollapseShapeOp::create(builder, loc, type, result,
                                             reassociation);
  return result;
}

/// `input` with its elements in another float type.
static Value convertElements(OpBuilder &builder, Location loc, Value input,
                             FloatType to) {
  auto type = cast<RankedTensorType>(input.getType());
  auto from = cast<FloatType>(type.getElementType());
  if (from == to)
    return input;
  Value empty = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, input), to);
  AffineMap identity = builder.getMultiDimIdentityMap(type.getRank());
  return linalg::GenericOp::create(
             builder, loc, empty.getType(), input, empty,
             ArrayRef{identity, identity},
             SmallVector<utils::IteratorType>(type.getRank(),
                                              utils::IteratorType::parallel),
             [&](OpBuilder &nested, Location loc, ValueRange arguments) {
               Value value = arguments.front();
               value = from.getWidth() < to.getWidth()
                           ? arith::ExtFOp::create(nested, loc, to, value)
                                 .getResult()
                           : arith::TruncFOp::create(nested, loc, to, value)
                                 .getResult();
               linalg::YieldOp::create(nested, loc, value);
             })
      .getResult(0);
}

namespace {
struct LowerHadamard final : OpConversionPattern<HadamardOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(HadamardOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(rewriter, loc, adaptor.getInput());
    Value rows = flattenRows(rewriter, loc, adaptor.getInput());
    rows = convertElements(rewriter, loc, rows, rewriter.getF32Type());
    const std::optional<HadamardMatrix> matrix =
        HadamardMatrix::get(op.getBlock());
    for (const Factor &factor : getFactors(*matrix, op.getTransposed()))
      rows = applyFactor(rewriter, loc, rows, factor);
    rows = convertElements(rewriter, loc, rows,
                           cast<FloatType>(type.getElementType()));
    rewriter.replaceOp(
        op, unflattenRows(rewriter, loc, rows, type.getShape(), sizes));
    return success();
  }
};
} // namespace

void lowbit::populateHadamardPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerHadamard>(patterns.getContext());
}
