//===- UniformAttrCodegen.cpp - what #lowbit.uniform means in IR ----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Decoding builds one element, encoding whole components. Both compute what
// `UniformFormat` computes, operation by operation, so that code that runs and
// constants that were folded agree bit for bit.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <limits>

using namespace mlir;
using namespace lowbit;

namespace {
/// A builder that takes constants as C++ numbers.
struct Emitter : ImplicitLocOpBuilder {
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(*this, value);
  }
  Value i32(int64_t value) {
    return arith::ConstantIntOp::create(*this, getI32Type(), value);
  }
  Value f32(float value) {
    return arith::ConstantFloatOp::create(*this, getF32Type(),
                                          llvm::APFloat(value));
  }
  /// Between the float types.
  Value convert(Value value, Type type) {
    unsigned from = value.getType().getIntOrFloatBitWidth();
    unsigned to = type.getIntOrFloatBitWidth();
    if (value.getType() == type)
      return value;
    if (from < to)
      return arith::ExtFOp::create(*this, type, value);
    return arith::TruncFOp::create(*this, type, value);
  }
  Value extractF32(Value tensor, ValueRange indices) {
    return convert(tensor::ExtractOp::create(*this, tensor, indices),
                   getF32Type());
  }
  /// Rounds to an integer within [lo, hi], floats of integral value; a NaN
  /// becomes one of the bounds.
  Value toInteger(Value value, Value lo, Value hi) {
    value = arith::MaxNumFOp::create(*this, value, lo);
    value = arith::MinNumFOp::create(*this, value, hi);
    value = math::RoundEvenOp::create(*this, value);
    return arith::FPToSIOp::create(*this, getI32Type(), value);
  }
};

/// Builds the element of a tensor at `indices`.
using ElementBuilder =
    llvm::function_ref<Value(Emitter &b, ArrayRef<Value> indices)>;
} // namespace

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// The code at `indices` of a tensor whose last dimension is packed to bits.
static Value buildUnpack(Emitter &b, UniformAttr format, Value packed,
                         ArrayRef<Value> indices) {
  const unsigned bits = format.getBits();
  Type i32 = b.getI32Type();
  SmallVector<Value> byteIndices(indices);
  if (bits == 8) {
    Value byte = tensor::ExtractOp::create(b, packed, byteIndices);
    if (format.getIsSigned())
      return arith::ExtSIOp::create(b, i32, byte);
    return arith::ExtUIOp::create(b, i32, byte);
  }
  auto getByte = [&](Value index) -> Value {
    byteIndices.back() = index;
    Value byte = tensor::ExtractOp::create(b, packed, byteIndices);
    return arith::ExtUIOp::create(b, i32, byte);
  };
  Value bit = arith::MulIOp::create(b, indices.back(), b.index(bits));
  Value byteIndex = arith::ShRUIOp::create(b, bit, b.index(3));
  Value word = getByte(byteIndex);
  if (8 % bits != 0) {
    // The code may go on in the next byte, if there is one.
    int64_t last =
        cast<RankedTensorType>(packed.getType()).getShape().back() - 1;
    Value next = arith::AddIOp::create(b, byteIndex, b.index(1));
    Value high = getByte(arith::MinUIOp::create(b, next, b.index(last)));
    high = arith::ShLIOp::create(b, high, b.i32(8));
    word = arith::OrIOp::create(b, word, high);
  }
  Value shift = arith::AndIOp::create(b, bit, b.index(7));
  shift = arith::IndexCastOp::create(b, i32, shift);
  if (!format.getIsSigned()) {
    word = arith::ShRUIOp::create(b, word, shift);
    return arith::AndIOp::create(b, word, b.i32((1 << bits) - 1));
  }
  // Moves the code to the top of the word, and back with its sign.
  Value up = arith::SubIOp::create(b, b.i32(32 - bits), shift);
  word = arith::ShLIOp::create(b, word, up);
  return arith::ShRSIOp::create(b, word, b.i32(32 - bits));
}

/// The place of the element at `indices` in a tensor of one element per group.
static SmallVector<Value> buildGroupIndices(Emitter &b, UniformAttr format,
                                            ArrayRef<Value> indices) {
  auto getGroup = [&](Value index, int64_t size) -> Value {
    if (size == 1)
      return index;
    if (size == 0)
      return b.index(0);
    return arith::DivUIOp::create(b, index, b.index(size));
  };
  SmallVector<Value> groups;
  for (Value index : indices.drop_back())
    groups.push_back(getGroup(index, format.getGroupRows()));
  groups.push_back(getGroup(indices.back(), format.getGroupCols()));
  return groups;
}

Value UniformAttr::buildDecode(OpBuilder &builder, Location loc,
                               RankedTensorType expressed,
                               ValueRange components,
                               ValueRange indices) const {
  Emitter b(loc, builder);
  SmallVector<Value> element(indices);
  SmallVector<Value> group = buildGroupIndices(b, *this, element);
  Value code = buildUnpack(b, *this, components[0], element);
  if (getHasZeroPoint())
    code = arith::SubIOp::create(b, code,
                                 buildUnpack(b, *this, components[2], group));
  Value value = arith::SIToFPOp::create(b, b.getF32Type(), code);
  value = arith::MulFOp::create(b, b.extractF32(components[1], group), value);
  return b.convert(value, expressed.getElementType());
}

//===----------------------------------------------------------------------===//
// Encoding
//===----------------------------------------------------------------------===//

/// An empty tensor whose dynamic dimensions are those of `source`.
static Value buildEmpty(Emitter &b, RankedTensorType type, Value source) {
  SmallVector<Value> sizes;
  for (auto [i, size] : llvm::enumerate(type.getShape()))
    if (ShapedType::isDynamic(size))
      sizes.push_back(tensor::DimOp::create(b, source, i));
  return tensor::EmptyOp::create(b, type, sizes);
}

static Value buildTensor(Emitter &b, RankedTensorType type, Value source,
                         ElementBuilder element) {
  const int64_t rank = type.getRank();
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             b, type, /*inputs=*/ValueRange(), buildEmpty(b, type, source),
             b.getMultiDimIdentityMap(rank), iterators,
             [&](OpBuilder &nested, Location loc, ValueRange) {
               Emitter body(loc, nested);
               SmallVector<Value> indices;
               for (int64_t dim = 0; dim < rank; ++dim)
                 indices.push_back(linalg::IndexOp::create(body, dim));
               linalg::YieldOp::create(body, element(body, indices));
             })
      .getResult(0);
}

/// A tensor of `type`, an element for each range of a group.
static Value buildFromRanges(
    Emitter &b, RankedTensorType type, Value lo, Value hi,
    llvm::function_ref<Value(Emitter &, Value lo, Value hi)> element) {
  const int64_t rank = type.getRank();
  SmallVector<AffineMap> maps(3, b.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             b, type, ValueRange{lo, hi}, buildEmpty(b, type, lo), maps,
             iterators,
             [&](OpBuilder &nested, Location loc, ValueRange arguments) {
               Emitter body(loc, nested);
               linalg::YieldOp::create(
                   body, element(body, arguments[0], arguments[1]));
             })
      .getResult(0);
}

/// Packs `count` codes of type i32 along the last dimension of `type`.
static Value buildPack(Emitter &b, unsigned bits, RankedTensorType type,
                       Value source, int64_t count, ElementBuilder code) {
  return buildTensor(
      b, type, source, [&](Emitter &b, ArrayRef<Value> indices) -> Value {
        if (bits == 8)
          return arith::TruncIOp::create(b, b.getI8Type(), code(b, indices));
        // All codes that share bits with this byte, which lies in bits 8 to 15
        // of the word.
        Value bit = arith::MulIOp::create(b, indices.back(), b.index(8));
        Value first = arith::DivUIOp::create(b, bit, b.index(bits));
        SmallVector<Value> codeIndices(indices);
        Value word = b.i32(0);
        const int64_t numCodes = 8 % bits == 0 ? 8 / bits : 8 / bits + 2;
        for (int64_t i = 0; i < numCodes; ++i) {
          Value k = arith::AddIOp::create(b, first, b.index(i));
          Value inBounds = arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                                 k, b.index(count));
          codeIndices.back() = arith::MinUIOp::create(b, k, b.index(count - 1));
          Value bitsOfCode = arith::AndIOp::create(b, code(b, codeIndices),
                                                   b.i32((1 << bits) - 1));
          Value shift = arith::MulIOp::create(b, k, b.index(bits));
          shift = arith::SubIOp::create(b, shift, bit);
          shift = arith::AddIOp::create(b, shift, b.index(8));
          shift = arith::IndexCastOp::create(b, b.getI32Type(), shift);
          Value placed = arith::ShLIOp::create(b, bitsOfCode, shift);
          placed = arith::SelectOp::create(b, inBounds, placed, b.i32(0));
          word = arith::OrIOp::create(b, word, placed);
        }
        word = arith::ShRUIOp::create(b, word, b.i32(8));
        return arith::TruncIOp::create(b, b.getI8Type(), word);
      });
}

/// `source` with its last dimension split into groups and their elements; null
/// if groups span rows or do not divide them. Elements are operands then, whose
/// neighbours vectors can hold, and not extracted one by one.
static Value splitGroups(Emitter &b, UniformAttr format, Value source) {
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
static std::pair<Value, Value> buildSplitRanges(Emitter &b, Value split,
                                                Value zeros) {
  const int64_t rank = cast<RankedTensorType>(split.getType()).getRank();
  AffineMap all = b.getMultiDimIdentityMap(rank);
  AffineMap groups = all.dropResult(rank - 1);
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  iterators.back() = utils::IteratorType::reduction;
  auto reduce = linalg::GenericOp::create(
      b, TypeRange{zeros.getType(), zeros.getType()}, split,
      ValueRange{zeros, zeros}, ArrayRef{all, groups, groups}, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange arguments) {
        Emitter body(loc, nested);
        Value value = body.convert(arguments[0], body.getF32Type());
        Value lo = arith::MinimumFOp::create(body, arguments[1], value);
        Value hi = arith::MaximumFOp::create(body, arguments[2], value);
        linalg::YieldOp::create(body, ValueRange{lo, hi});
      });
  return {reduce.getResult(0), reduce.getResult(1)};
}

/// The least and the greatest value of each group, 0 included, as tensors of
/// the shape of the scales. `split` is what `splitGroups` makes of `source`.
static std::pair<Value, Value> buildRanges(Emitter &b, UniformAttr format,
                                           RankedTensorType scalesType,
                                           Value source, Value split) {
  auto sourceType = cast<RankedTensorType>(source.getType());
  auto rangeType = RankedTensorType::get(scalesType.getShape(), b.getF32Type());
  Value zeros =
      linalg::FillOp::create(b, b.f32(0), buildEmpty(b, rangeType, source))
          .getResult(0);
  if (split)
    return buildSplitRanges(b, split, zeros);

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
      b, TypeRange{rangeType, rangeType}, window, ValueRange{zeros, zeros},
      ArrayRef{windowMap, groupMap, groupMap}, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange arguments) {
        Emitter body(loc, nested);
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

/// `UniformFormat::getParameters`: the scale in f32, and the zero point or
/// null.
static std::pair<Value, Value> buildParameters(Emitter &b, UniformAttr attr,
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
  Value empty = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, lo, hi);
  lo = arith::SelectOp::create(b, empty, b.f32(-1), lo);
  hi = arith::SelectOp::create(b, empty, b.f32(1), hi);
  Value width;
  if (spec.hasZeroPoint) {
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
  // These two let a NaN through.
  scale = arith::MaximumFOp::create(b, scale,
                                    b.f32(getSmallestPositive(spec.scaleType)));
  scale =
      arith::MinimumFOp::create(b, scale, b.f32(getLargest(spec.scaleType)));
  // An infinity must not become a large number.
  scale = arith::SelectOp::create(b, isInfinite, b.f32(infinity), scale);
  scale = b.convert(b.convert(scale, attr.getScaleType()), b.getF32Type());
  if (!spec.hasZeroPoint)
    return {scale, nullptr};
  Value zero = arith::DivFOp::create(b, arith::NegFOp::create(b, lo), scale);
  zero = b.toInteger(zero, b.f32(0), b.f32(maxCode - minCode));
  return {scale, arith::AddIOp::create(b, zero, b.i32(minCode))};
}

/// `UniformFormat::encodeValue`; `zero` may be null.
static Value buildCode(Emitter &b, const UniformFormat &format, Value value,
                       Value scale, Value zero) {
  Value lo = b.f32(format.getMinCode()), hi = b.f32(format.getMaxCode());
  Value steps = arith::DivFOp::create(b, value, scale);
  if (!zero)
    return b.toInteger(steps, lo, hi);
  Value offset = arith::SIToFPOp::create(b, b.getF32Type(), zero);
  lo = arith::SubFOp::create(b, lo, offset);
  hi = arith::SubFOp::create(b, hi, offset);
  return arith::AddIOp::create(b, b.toInteger(steps, lo, hi), zero);
}

/// Symmetric codes of 8 bits of what `splitGroups` has split, as a tensor of
/// `type`, whose rows are whole again.
static Value buildSplitCodes(Emitter &b, const UniformFormat &format,
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
            Emitter body(loc, nested);
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
  Emitter b(loc, builder);
  const UniformFormat format = llvm::cantFail(UniformFormat::get(getSpec()));
  ArrayRef<int64_t> shape = cast<RankedTensorType>(source.getType()).getShape();
  SmallVector<FormatComponent> components = getComponents(shape);
  RankedTensorType scalesType = components[1].type;
  Value split = splitGroups(b, *this, source);
  auto [lo, hi] = buildRanges(b, *this, scalesType, source, split);
  Value scales = buildFromRanges(
      b, scalesType, lo, hi, [&](Emitter &b, Value lo, Value hi) -> Value {
        return b.convert(buildParameters(b, *this, format, lo, hi).first,
                         getScaleType());
      });
  Value zeros;
  if (getHasZeroPoint())
    zeros = buildFromRanges(
        b, scalesType.clone(b.getI32Type()), lo, hi,
        [&](Emitter &b, Value lo, Value hi) -> Value {
          return buildParameters(b, *this, format, lo, hi).second;
        });
  Value codes =
      split && getBits() == 8 && !zeros
          ? buildSplitCodes(b, format, components[0].type, split, scales)
          : buildPack(b, getBits(), components[0].type, source, shape.back(),
                      [&](Emitter &b, ArrayRef<Value> indices) -> Value {
                        SmallVector<Value> group =
                            buildGroupIndices(b, *this, indices);
                        Value zero;
                        if (zeros)
                          zero = tensor::ExtractOp::create(b, zeros, group);
                        return buildCode(b, format,
                                         b.extractF32(source, indices),
                                         b.extractF32(scales, group), zero);
                      });
  SmallVector<Value> result = {codes, scales};
  if (zeros)
    result.push_back(buildPack(
        b, getBits(), components[2].type, source, scalesType.getShape().back(),
        [&](Emitter &b, ArrayRef<Value> group) -> Value {
          return tensor::ExtractOp::create(b, zeros, group);
        }));
  return result;
}
