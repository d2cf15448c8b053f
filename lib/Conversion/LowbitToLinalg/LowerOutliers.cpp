//===- LowerOutliers.cpp - columns with outliers in linalg
//------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The largest magnitude of each column comes from a reduction over the rows;
// then one pass over the columns lists those that reach the threshold. Loops
// over the list are empty if it is: they stand under no condition, whose
// results bufferization would have to compare with each other, layer upon
// layer.
//
//===----------------------------------------------------------------------===//

#include "LowerOutliers.h"
#include "FlattenRows.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace lowbit;

using IteratorType = utils::IteratorType;

/// The size of one dimension as a value.
static Value getSize(ImplicitLocOpBuilder &b, Value tensor, int64_t dim) {
  return getValueOrCreateConstantIndexOp(
      b, b.getLoc(), tensor::getMixedSize(b, b.getLoc(), tensor, dim));
}

static Value createIndex(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

static Value createFilled(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> sizes,
                          TypedAttr value) {
  Value empty = tensor::EmptyOp::create(b, sizes, value.getType());
  Value scalar = arith::ConstantOp::create(b, value);
  return linalg::FillOp::create(b, scalar, empty).getResult(0);
}

/// Elements, of which `body` computes each from those of `inputs`, that the
/// maps index, and from its own indices.
static Value createElements(
    ImplicitLocOpBuilder &b, Type type, ArrayRef<OpFoldResult> sizes,
    ValueRange inputs, ArrayRef<AffineMap> inputMaps,
    llvm::function_ref<Value(ImplicitLocOpBuilder &, ValueRange elements,
                             ValueRange indices)>
        body) {
  const int64_t rank = sizes.size();
  SmallVector<AffineMap> maps(inputMaps);
  maps.push_back(b.getMultiDimIdentityMap(rank));
  Value empty = tensor::EmptyOp::create(b, sizes, type);
  return linalg::GenericOp::create(
             b, empty.getType(), inputs, empty, maps,
             SmallVector<IteratorType>(rank, IteratorType::parallel),
             [&](OpBuilder &builder, Location loc, ValueRange arguments) {
               ImplicitLocOpBuilder nested(loc, builder);
               SmallVector<Value> indices;
               for (int64_t dim = 0; dim < rank; ++dim)
                 indices.push_back(linalg::IndexOp::create(nested, dim));
               linalg::YieldOp::create(
                   nested, body(nested, arguments.drop_back(), indices));
             })
      .getResult(0);
}

/// Element `place` of a list of columns.
static Value readColumn(ImplicitLocOpBuilder &b, Value columns, Value place) {
  Value column = tensor::ExtractOp::create(b, columns, place);
  return arith::IndexCastUIOp::create(b, b.getIndexType(), column);
}

//===----------------------------------------------------------------------===//
// lowbit.find_outliers
//===----------------------------------------------------------------------===//

/// The largest magnitude of each column, without NaNs; -1 where there is none.
static Value createColumnMaxima(ImplicitLocOpBuilder &b, Value rows) {
  auto type = cast<RankedTensorType>(rows.getType());
  Value init = createFilled(b, tensor::getMixedSize(b, b.getLoc(), rows, 1),
                            b.getFloatAttr(type.getElementType(), -1));
  AffineMap identity = b.getMultiDimIdentityMap(2);
  return linalg::GenericOp::create(
             b, init.getType(), rows, init,
             ArrayRef<AffineMap>{identity, identity.dropResult(0)},
             ArrayRef<IteratorType>{IteratorType::reduction,
                                    IteratorType::parallel},
             [](OpBuilder &nested, Location loc, ValueRange arguments) {
               Value magnitude =
                   math::AbsFOp::create(nested, loc, arguments[0]);
               Value largest = arith::MaxNumFOp::create(nested, loc, magnitude,
                                                        arguments[1]);
               linalg::YieldOp::create(nested, loc, largest);
             })
      .getResult(0);
}

namespace {
struct LowerFindOutliers final : OpConversionPattern<FindOutliersOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(FindOutliersOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value rows = flattenRows(b, b.getLoc(), adaptor.getInput());
    auto type = cast<FloatType>(
        cast<RankedTensorType>(rows.getType()).getElementType());
    Value maxima = createColumnMaxima(b, rows);
    bool isInexact;
    APFloat limit = op.getThreshold();
    // Towards infinity: elements have the type's precision.
    limit.convert(type.getFloatSemantics(), APFloat::rmTowardPositive,
                  &isInexact);
    Value threshold = arith::ConstantFloatOp::create(b, type, limit);
    Value width = getSize(b, maxima, 0);
    Value one = createIndex(b, 1), zero = createIndex(b, 0);
    Value none = arith::ConstantOp::create(b, b.getI32IntegerAttr(0));
    SmallVector<OpFoldResult> capacity =
        tensor::getMixedSizes(b, b.getLoc(), maxima);
    Value list = tensor::EmptyOp::create(b, capacity, b.getI32Type());
    // Each column is written where the next outlier belongs; it stays if it is
    // one. The count is no index: bufferization would look for bounds of it.
    auto loop = scf::ForOp::create(
        b, zero, width, one, ValueRange{list, none},
        [&](OpBuilder &builder, Location loc, Value column, ValueRange state) {
          ImplicitLocOpBuilder nested(loc, builder);
          Value number =
              arith::IndexCastOp::create(nested, nested.getI32Type(), column);
          Value place = arith::IndexCastOp::create(
              nested, nested.getIndexType(), state[1]);
          Value next =
              tensor::InsertOp::create(nested, number, state[0], place);
          Value largest = tensor::ExtractOp::create(nested, maxima, column);
          Value isOutlier = arith::CmpFOp::create(
              nested, arith::CmpFPredicate::OGE, largest, threshold);
          Value step =
              arith::ExtUIOp::create(nested, nested.getI32Type(), isOutlier);
          Value count = arith::AddIOp::create(nested, state[1], step);
          scf::YieldOp::create(nested, ValueRange{next, count});
        });
    Value count =
        arith::IndexCastOp::create(b, b.getIndexType(), loop.getResult(1));
    rewriter.replaceOpWithNewOp<tensor::ExtractSliceOp>(
        op, op.getColumns().getType(), loop.getResult(0),
        ArrayRef<OpFoldResult>{b.getIndexAttr(0)},
        ArrayRef<OpFoldResult>{count},
        ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
    return success();
  }
};

//===----------------------------------------------------------------------===//
// lowbit.split_columns
//===----------------------------------------------------------------------===//

struct LowerSplitColumns final : OpConversionPattern<SplitColumnsOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(SplitColumnsOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value columns = adaptor.getColumns();
    Value rows = flattenRows(b, b.getLoc(), adaptor.getInput());
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(b, b.getLoc(), adaptor.getInput());
    Value rest = createRest(b, rows, columns);
    Value selected = createSelected(b, rows, columns);
    rest = unflattenRows(b, b.getLoc(), rest, op.getRest().getType().getShape(),
                         sizes);
    sizes.back() = tensor::getMixedSize(b, b.getLoc(), columns, 0);
    selected = unflattenRows(b, b.getLoc(), selected,
                             op.getSelected().getType().getShape(), sizes);
    if (selected.getType() != op.getSelected().getType())
      selected =
          tensor::CastOp::create(b, op.getSelected().getType(), selected);
    rewriter.replaceOp(op, {rest, selected});
    return success();
  }

private:
  /// Zeros in the named columns. Bytes say which they are: they can be loaded
  /// as vectors.
  static Value createRest(ImplicitLocOpBuilder &b, Value rows, Value columns) {
    auto type = cast<RankedTensorType>(rows.getType());
    Value marks = createFilled(b, tensor::getMixedSize(b, b.getLoc(), rows, 1),
                               b.getI8IntegerAttr(0));
    Value mark = arith::ConstantOp::create(b, b.getI8IntegerAttr(1));
    marks = scf::ForOp::create(b, createIndex(b, 0), getSize(b, columns, 0),
                               createIndex(b, 1), marks,
                               [&](OpBuilder &builder, Location loc,
                                   Value place, ValueRange state) {
                                 ImplicitLocOpBuilder nested(loc, builder);
                                 Value column =
                                     readColumn(nested, columns, place);
                                 Value next = tensor::InsertOp::create(
                                     nested, mark, state[0], column);
                                 scf::YieldOp::create(nested, next);
                               })
                .getResult(0);
    AffineMap identity = b.getMultiDimIdentityMap(2);
    Value zero =
        arith::ConstantOp::create(b, b.getFloatAttr(type.getElementType(), 0));
    Value unmarked = arith::ConstantOp::create(b, b.getI8IntegerAttr(0));
    return createElements(
        b, type.getElementType(), tensor::getMixedSizes(b, b.getLoc(), rows),
        {rows, marks}, {identity, identity.dropResult(0)},
        [&](ImplicitLocOpBuilder &nested, ValueRange elements,
            ValueRange) -> Value {
          Value stays = arith::CmpIOp::create(nested, arith::CmpIPredicate::eq,
                                              elements[1], unmarked);
          return arith::SelectOp::create(nested, stays, elements[0], zero);
        });
  }

  static Value createSelected(ImplicitLocOpBuilder &b, Value rows,
                              Value columns) {
    return createElements(
        b, cast<RankedTensorType>(rows.getType()).getElementType(),
        {tensor::getMixedSize(b, b.getLoc(), rows, 0),
         tensor::getMixedSize(b, b.getLoc(), columns, 0)},
        {}, {},
        [&](ImplicitLocOpBuilder &nested, ValueRange,
            ValueRange indices) -> Value {
          Value column = readColumn(nested, columns, indices[1]);
          return tensor::ExtractOp::create(nested, rows,
                                           ValueRange{indices[0], column});
        });
  }
};

//===----------------------------------------------------------------------===//
// lowbit.column_matmul
//===----------------------------------------------------------------------===//

struct LowerColumnMatmul final : OpConversionPattern<ColumnMatmulOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ColumnMatmulOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value input = flattenRows(b, b.getLoc(), adaptor.getInput().front());
    Value columns = adaptor.getColumns().front();
    Value init = adaptor.getInit().front();
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(b, b.getLoc(), init);
    init = flattenRows(b, b.getLoc(), init);
    Value weight = createColumns(b, columns, op.getWeight().getType(),
                                 adaptor.getWeight());
    Value result = linalg::MatmulOp::create(b, init.getType(),
                                            ValueRange{input, weight}, init)
                       ->getResult(0);
    rewriter.replaceOp(op, unflattenRows(b, b.getLoc(), result,
                                         op.getType().getShape(), sizes));
    return success();
  }

private:
  /// The columns of the weight, decoded: a row for each.
  static Value createColumns(ImplicitLocOpBuilder &b, Value columns,
                             QuantTensorType type, ValueRange components) {
    return createElements(
        b, type.getElementType(),
        {tensor::getMixedSize(b, b.getLoc(), columns, 0),
         b.getIndexAttr(type.getDimSize(0))},
        {}, {},
        [&](ImplicitLocOpBuilder &nested, ValueRange,
            ValueRange indices) -> Value {
          SmallVector<Value> place{indices[1],
                                   readColumn(nested, columns, indices[0])};
          if (PackedLayoutAttrInterface layout = type.getLayout())
            return layout.buildDecode(nested, nested.getLoc(), type.getFormat(),
                                      type.getExpressedType(), components,
                                      place);
          return type.getFormat().buildDecode(nested, nested.getLoc(),
                                              type.getExpressedType(),
                                              components, place);
        });
  }
};
} // namespace

void lowbit::populateOutlierPatterns(const TypeConverter &converter,
                                     RewritePatternSet &patterns) {
  patterns.add<LowerFindOutliers, LowerSplitColumns, LowerColumnMatmul>(
      converter, patterns.getContext());
}
