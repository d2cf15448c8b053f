//===- UniformAttrEncode.cpp - #lowbit.uniform computed at run time -------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Builds whole components, with what `UniformFormat` and its encoder compute,
// operation by operation, so that code that runs and constants that were folded
// agree bit for bit.
//
//===----------------------------------------------------------------------===//

#include "EncodeTensor.h"
#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <limits>

using namespace mlir;
using namespace lowbit;

/// A tensor of `type`, an element for each range of a group.
static Value buildFromRanges(
    FormatEmitter &b, RankedTensorType type, Value lo, Value hi,
    llvm::function_ref<Value(FormatEmitter &, Value lo, Value hi)> element) {
  const int64_t rank = type.getRank();
  SmallVector<AffineMap> maps(3, b.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             b, type, ValueRange{lo, hi}, buildEmpty(b, type, lo), maps,
             iterators,
             [&](OpBuilder &nested, Location loc, ValueRange arguments) {
               FormatEmitter body(loc, nested);
               linalg::YieldOp::create(
                   body, element(body, arguments[0], arguments[1]));
             })
      .getResult(0);
}

/// `source` with its last dimension split into groups and their elements; null
/// if groups span rows or do not divide them. Elements are operands then, whose
/// neighbours vectors can hold, and not extracted one by one.
static Value splitGroups(FormatEmitter &b, UniformAttr format, Value source) {
  auto type = cast<RankedTensorType>(source.getType());
  int64_t columns = type.getShape().back();
  int64_t size = format.getGroupCols() ? format.getGroupCols() : columns;
  if (format.getGroupRows() != 1 || ShapedType::isDynamic(columns) ||
      columns % size != 0)
    return nullptr;
  SmallVector<int64_t> shape(type.getShape().drop_back());
  shape.append({columns / size, size});
  SmallVector<ReassociationIndices> groups;
  for (int64_t dim = 0; dim + 1 < type.getRank(); ++dim)
    groups.push_back({dim});
  groups.push_back({type.getRank() - 1, type.getRank()});
  return tensor::ExpandShapeOp::create(b, type.clone(shape), source, groups);
}

/// The ranges of what `splitGroups` has split.
static std::pair<Value, Value> buildSplitRanges(FormatEmitter &b, Value split,
                                                ValueRange init) {
  const int64_t rank = cast<RankedTensorType>(split.getType()).getRank();
  AffineMap all = b.getMultiDimIdentityMap(rank);
  AffineMap groups = all.dropResult(rank - 1);
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  iterators.back() = utils::IteratorType::reduction;
  auto reduce = linalg::GenericOp::create(
      b, init.getTypes(), split, init, ArrayRef{all, groups, groups}, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange arguments) {
        FormatEmitter body(loc, nested);
        Value value = body.convert(arguments[0], body.getF32Type());
        Value lo = arith::MinimumFOp::create(body, arguments[1], value);
        Value hi = arith::MaximumFOp::create(body, arguments[2], value);
        linalg::YieldOp::create(body, ValueRange{lo, hi});
      });
  return {reduce.getResult(0), reduce.getResult(1)};
}

/// The ranges of `UniformFormat::getRange`, as tensors of the shape of the
/// scales. `split` is what `splitGroups` makes of `source`.
static std::pair<Value, Value> buildRanges(FormatEmitter &b, UniformAttr format,
                                           RankedTensorType scalesType,
                                           Value source, Value split) {
  auto sourceType = cast<RankedTensorType>(source.getType());
  auto rangeType = RankedTensorType::get(scalesType.getShape(), b.getF32Type());
  auto fill = [&](float value) -> Value {
    return linalg::FillOp::create(b, b.f32(value),
                                  buildEmpty(b, rangeType, source))
        .getResult(0);
  };
  // Zero lies in every range, unless zero points are floats.
  const float infinity = std::numeric_limits<float>::infinity();
  SmallVector<Value> init;
  if (getFloatType(format.getZero()))
    init = {fill(infinity), fill(-infinity)};
  else
    init.assign(2, fill(0));
  if (split)
    return buildSplitRanges(b, split, init);

  const int64_t rank = sourceType.getRank();
  SmallVector<int64_t> groupSizes(rank, format.getGroupRows());
  groupSizes.back() = format.getGroupCols();

  // The loops go over the groups, then over the elements of a group in each
  // dimension in which it has several. The only use of the first operand is to
  // tell how many there are.
  SmallVector<AffineExpr> windowDims;
  SmallVector<OpFoldResult> windowSizes;
  for (auto [dim, size] : llvm::enumerate(groupSizes)) {
    if (size == 1)
      continue;
    windowDims.push_back(b.getAffineDimExpr(rank + windowDims.size()));
    windowSizes.push_back(
        size != 0 ? OpFoldResult(b.getIndexAttr(size))
                  : tensor::getMixedSize(b, b.getLoc(), source, dim));
  }
  Value window = tensor::EmptyOp::create(b, windowSizes, b.getF32Type());
  const int64_t numLoops = rank + windowDims.size();
  AffineMap groupMap = AffineMap::get(
      numLoops, 0, b.getMultiDimIdentityMap(rank).getResults(), b.getContext());
  AffineMap windowMap = AffineMap::get(numLoops, 0, windowDims, b.getContext());
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  iterators.append(windowDims.size(), utils::IteratorType::reduction);

  auto reduce = linalg::GenericOp::create(
      b, TypeRange{rangeType, rangeType}, window, init,
      ArrayRef{windowMap, groupMap, groupMap}, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange arguments) {
        FormatEmitter body(loc, nested);
        SmallVector<Value> indices;
        int64_t windowLoop = rank;
        for (auto [dim, size] : llvm::enumerate(groupSizes)) {
          if (size == 0) {
            indices.push_back(linalg::IndexOp::create(body, windowLoop++));
            continue;
          }
          Value index = linalg::IndexOp::create(body, dim);
          if (size != 1) {
            index = arith::MulIOp::create(body, index, body.index(size));
            index = arith::AddIOp::create(
                body, index, linalg::IndexOp::create(body, windowLoop++));
          }
          // A short group reads its last element again.
          int64_t dimSize = sourceType.getDimSize(dim);
          if (size != 1 && dimSize % size != 0)
            index =
                arith::MinUIOp::create(body, index, body.index(dimSize - 1));
          indices.push_back(index);
        }
        Value value = body.extractF32(source, indices);
        Value lo = arith::MinimumFOp::create(body, value, arguments[1]);
        Value hi = arith::MaximumFOp::create(body, value, arguments[2]);
        linalg::YieldOp::create(body, ValueRange{lo, hi});
      });
  return {reduce.getResult(0), reduce.getResult(1)};
}

/// `UniformFormat::getParameters`: the scale in f32, and the zero point, an i32
/// or of the type that float ones are stored in, or null.
static std::pair<Value, Value> buildParameters(FormatEmitter &b,
                                               UniformAttr attr,
                                               const UniformFormat &format,
                                               Value lo, Value hi) {
  const UniformFormat::Spec &spec = format.getSpec();
  const int32_t minCode = format.getMinCode(), maxCode = format.getMaxCode();
  const float infinity = std::numeric_limits<float>::infinity();
  auto equals = [&](Value value, float other) -> Value {
    return arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, value,
                                 b.f32(other));
  };
  Value isInfinite =
      arith::OrIOp::create(b, equals(lo, -infinity), equals(hi, infinity));
  // Where a range contains 0, it is empty if its ends are equal.
  Value empty = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, lo, hi);
  if (spec.hasFloatZero())
    empty = arith::AndIOp::create(b, empty, equals(hi, 0));
  lo = arith::SelectOp::create(b, empty, b.f32(spec.hasFloatZero() ? 0 : -1),
                               lo);
  hi = arith::SelectOp::create(b, empty, b.f32(1), hi);
  Value width;
  if (spec.hasZeroPoint()) {
    width = arith::SubFOp::create(b, hi, lo);
  } else if (spec.isSigned) {
    Value bound =
        arith::MaximumFOp::create(b, arith::NegFOp::create(b, lo), hi);
    width = arith::AddFOp::create(b, bound, bound);
  } else {
    Value negative =
        arith::CmpFOp::create(b, arith::CmpFPredicate::OLE, hi, b.f32(0));
    width = arith::SelectOp::create(b, negative, b.f32(1), hi);
  }
  Value scale = arith::DivFOp::create(b, width, b.f32(maxCode - minCode));
  if (std::optional<ElementType> type = getFloatType(spec.zero)) {
    Value magnitude =
        arith::MaximumFOp::create(b, arith::NegFOp::create(b, lo), hi);
    Value least =
        arith::MulFOp::create(b, magnitude, b.f32(getRelativePrecision(*type)));
    scale = arith::MaximumFOp::create(b, scale, least);
  }
  std::optional<ElementType> scaleType =
      getStoredFloatType(attr.getScaleType());
  // These two let a NaN through.
  scale = arith::MaximumFOp::create(b, scale,
                                    b.f32(getSmallestPositive(*scaleType)));
  scale = arith::MinimumFOp::create(b, scale, b.f32(getLargest(*scaleType)));
  // An infinity must not become a large number.
  scale = arith::SelectOp::create(b, isInfinite, b.f32(infinity), scale);
  scale = b.convert(b.convert(scale, attr.getScaleType()), b.getF32Type());
  if (!spec.hasZeroPoint())
    return {scale, nullptr};
  Value zero = arith::DivFOp::create(b, arith::NegFOp::create(b, lo), scale);
  if (std::optional<ElementType> type = getFloatType(spec.zero)) {
    const float bound = getLargest(*type);
    zero = arith::AddFOp::create(b, zero, b.f32(minCode));
    zero = arith::MaximumFOp::create(b, zero, b.f32(-bound));
    zero = arith::MinimumFOp::create(b, zero, b.f32(bound));
    return {scale,
            b.convert(zero, lowbit::getFloatType(b.getContext(), *type))};
  }
  zero = b.toInteger(zero, b.f32(0), b.f32(maxCode - minCode));
  return {scale, arith::AddIOp::create(b, zero, b.i32(minCode))};
}

/// `UniformFormat::encodeValue`; `zero` is what `buildParameters` makes.
static Value buildCode(FormatEmitter &b, const UniformFormat &format,
                       Value value, Value scale, Value zero) {
  Value lo = b.f32(format.getMinCode()), hi = b.f32(format.getMaxCode());
  Value steps = arith::DivFOp::create(b, value, scale);
  if (!zero)
    return b.toInteger(steps, lo, hi);
  if (isa<FloatType>(zero.getType())) {
    zero = b.convert(zero, b.getF32Type());
    return b.toInteger(arith::AddFOp::create(b, steps, zero), lo, hi);
  }
  Value offset = arith::SIToFPOp::create(b, b.getF32Type(), zero);
  lo = arith::SubFOp::create(b, lo, offset);
  hi = arith::SubFOp::create(b, hi, offset);
  return arith::AddIOp::create(b, b.toInteger(steps, lo, hi), zero);
}

/// Symmetric codes of 8 bits of what `splitGroups` has split, as a tensor of
/// `type`, whose rows are whole again.
static Value buildSplitCodes(FormatEmitter &b, const UniformFormat &format,
                             RankedTensorType type, Value split, Value scales) {
  auto splitType = cast<RankedTensorType>(split.getType());
  const int64_t rank = splitType.getRank();
  AffineMap all = b.getMultiDimIdentityMap(rank);
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  RankedTensorType codeType = splitType.clone(b.getI8Type());
  Value codes =
      linalg::GenericOp::create(
          b, codeType, ValueRange{split, scales},
          buildEmpty(b, codeType, split),
          ArrayRef{all, all.dropResult(rank - 1), all}, iterators,
          [&](OpBuilder &nested, Location loc, ValueRange arguments) {
            FormatEmitter body(loc, nested);
            Type f32 = body.getF32Type();
            Value code =
                buildCode(body, format, body.convert(arguments[0], f32),
                          body.convert(arguments[1], f32), nullptr);
            linalg::YieldOp::create(body, Value(arith::TruncIOp::create(
                                              body, body.getI8Type(), code)));
          })
          .getResult(0);
  SmallVector<ReassociationIndices> rows;
  for (int64_t dim = 0; dim + 2 < rank; ++dim)
    rows.push_back({dim});
  rows.push_back({rank - 2, rank - 1});
  return tensor::CollapseShapeOp::create(b, type, codes, rows);
}

FailureOr<SmallVector<Value>>
UniformAttr::buildEncode(OpBuilder &builder, Location loc, Value source) const {
  // At run time, scales and zero points are rounded as numbers that processors
  // compute with.
  if (!getScaleType() || !getStoredFloatType(getScaleType()) || getZeroFormat())
    return failure();
  FormatEmitter b(loc, builder);
  const UniformFormat format = llvm::cantFail(UniformFormat::get(getSpec()));
  ArrayRef<int64_t> shape = cast<RankedTensorType>(source.getType()).getShape();
  SmallVector<FormatComponent> components = getComponents(shape);
  RankedTensorType scalesType = components[1].type;
  Value split = splitGroups(b, *this, source);
  auto [lo, hi] = buildRanges(b, *this, scalesType, source, split);
  Value scales = buildFromRanges(
      b, scalesType, lo, hi,
      [&](FormatEmitter &b, Value lo, Value hi) -> Value {
        return b.convert(buildParameters(b, *this, format, lo, hi).first,
                         getScaleType());
      });
  Value zeros;
  std::optional<ElementType> zeroType = getFloatType(getZero());
  if (getZero() != ZeroKind::None)
    zeros = buildFromRanges(
        b, zeroType ? components[2].type : scalesType.clone(b.getI32Type()), lo,
        hi, [&](FormatEmitter &b, Value lo, Value hi) -> Value {
          return buildParameters(b, *this, format, lo, hi).second;
        });
  Value codes =
      split && getBits() == 8 && !zeros
          ? buildSplitCodes(b, format, components[0].type, split, scales)
          : buildPack(
                b, getBits(), components[0].type, source, shape.back(),
                [&](FormatEmitter &b, ArrayRef<Value> indices) -> Value {
                  SmallVector<Value> group =
                      b.groupIndices({getGroupRows(), getGroupCols()}, indices);
                  Value zero;
                  if (zeros)
                    zero = tensor::ExtractOp::create(b, zeros, group);
                  return buildCode(b, format, b.extractF32(source, indices),
                                   b.extractF32(scales, group), zero);
                });
  SmallVector<Value> result = {codes, scales};
  if (zeroType)
    result.push_back(zeros);
  else if (zeros)
    result.push_back(buildPack(
        b, getBits(), components[2].type, source, scalesType.getShape().back(),
        [&](FormatEmitter &b, ArrayRef<Value> group) -> Value {
          return tensor::ExtractOp::create(b, zeros, group);
        }));
  return result;
}

FailureOr<SmallVector<Value>>
UniformAttr::buildEncodeWithScale(OpBuilder &builder, Location loc,
                                  Value source, float scale) const {
  const UniformFormat format = llvm::cantFail(UniformFormat::get(getSpec()));
  std::unique_ptr<ScaledLevels> levels = format.getScaledLevels();
  if (!levels)
    return failure();
  scale = levels->roundScale(scale);
  FormatEmitter b(loc, builder);
  auto type = cast<RankedTensorType>(source.getType());
  SmallVector<FormatComponent> components = getComponents(type.getShape());
  Value scales = buildScaleConstant(b, components[1].type, scale);
  auto buildCodeOf = [&](FormatEmitter &b, Value value) {
    return buildCode(b, format, value, b.f32(scale), nullptr);
  };
  if (getBits() != 8) {
    Value codes = buildPack(
        b, getBits(), components[0].type, source, type.getShape().back(),
        [&](FormatEmitter &b, ArrayRef<Value> indices) -> Value {
          return buildCodeOf(b, b.extractF32(source, indices));
        });
    return SmallVector<Value>{codes, scales};
  }
  // Values are operands, whose neighbours vectors can hold.
  SmallVector<AffineMap> maps(2, b.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  Value codes =
      linalg::GenericOp::create(
          b, components[0].type, source,
          buildEmpty(b, components[0].type, source), maps, iterators,
          [&](OpBuilder &nested, Location loc, ValueRange arguments) {
            FormatEmitter body(loc, nested);
            Value code = buildCodeOf(
                body, body.convert(arguments[0], body.getF32Type()));
            linalg::YieldOp::create(body, Value(arith::TruncIOp::create(
                                              body, body.getI8Type(), code)));
          })
          .getResult(0);
  return SmallVector<Value>{codes, scales};
}
