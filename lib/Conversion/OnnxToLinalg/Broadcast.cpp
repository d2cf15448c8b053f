//===- Broadcast.cpp - broadcasting, at compile time and at run time ------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A dimension of unknown size may turn out to be 1 and then broadcasts. Where
// shape inference has proven that two such dimensions are equal, or a size is
// known, the indexing maps of the structured op do the broadcast. Otherwise an
// operand that is one element wide is copied to full width at run time, and
// sizes that contradict each other stop the program.
//
//===----------------------------------------------------------------------===//

#include "Structured.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lowbit::onnx;
using namespace lowbit::onnx::lowering;

using Sizes = LoweringBuilder::Sizes;

/// The operand's dimension that meets dimension `dim` of a result of rank
/// `rank`; negative if it has none there.
static int64_t getOperandDim(Value operand, int64_t dim, int64_t rank) {
  return dim - (rank - getRank(operand));
}

/// The size of one dimension of the result, from the dimensions of the operands
/// that meet there.
static OpFoldResult getBroadcastSize(LoweringBuilder &b, ValueRange operands,
                                     int64_t dim, int64_t rank) {
  SmallVector<std::pair<Value, int64_t>> candidates;
  for (Value operand : operands) {
    int64_t operandDim = getOperandDim(operand, dim, rank);
    if (operandDim < 0)
      continue;
    std::optional<int64_t> size =
        getConstantIntValue(b.getSize(operand, operandDim));
    if (size && *size != 1)
      return b.getIndexAttr(*size);
    bool isKnown = size || llvm::any_of(candidates, [&](auto &candidate) {
                     return b.isSameSize(candidate.first, candidate.second,
                                         operand, operandDim);
                   });
    if (!isKnown)
      candidates.emplace_back(operand, operandDim);
  }
  OpFoldResult result = b.getIndexAttr(1);
  for (auto [operand, operandDim] : candidates) {
    OpFoldResult size = b.getSize(operand, operandDim);
    if (isConstantIntValue(result, 1)) {
      result = size;
      continue;
    }
    Value isOne = b.isEqual(result, b.getIndexAttr(1));
    result = b.createOrFold<arith::SelectOp>(isOne, b.toValue(size),
                                             b.toValue(result));
  }
  return result;
}

Sizes lowbit::onnx::lowering::getBroadcastSizes(LoweringBuilder &b,
                                                ValueRange operands) {
  int64_t rank = 0;
  for (Value operand : operands)
    rank = std::max(rank, getRank(operand));
  Sizes sizes;
  for (int64_t dim = 0; dim < rank; ++dim)
    sizes.push_back(getBroadcastSize(b, operands, dim, rank));
  return sizes;
}

namespace {
/// How an operand's dimension relates to the result's.
enum class DimKind { Same, One, DecidedAtRunTime };
} // namespace

static DimKind classify(LoweringBuilder &b, Value operand, int64_t operandDim,
                        OpFoldResult size, ValueRange operands, int64_t dim,
                        int64_t rank) {
  OpFoldResult own = b.getSize(operand, operandDim);
  if (b.isSame(own, size))
    return DimKind::Same;
  if (isConstantIntValue(own, 1))
    return DimKind::One;
  if (getConstantIntValue(own) && !getConstantIntValue(size))
    return DimKind::Same;
  // The result's size is that of another operand, which may be proven equal.
  for (Value other : operands) {
    int64_t otherDim = getOperandDim(other, dim, rank);
    if (other != operand && otherDim >= 0 &&
        b.isSame(b.getSize(other, otherDim), size) &&
        b.isSameSize(operand, operandDim, other, otherDim))
      return DimKind::Same;
  }
  return DimKind::DecidedAtRunTime;
}

/// Widens the dimensions `dims` of `tensor`, which may be 1, to those of
/// `sizes`. Copies only if one of them is.
static Value widenAtRunTime(LoweringBuilder &b, Value tensor,
                            ArrayRef<int64_t> dims,
                            ArrayRef<OpFoldResult> sizes) {
  int64_t offset = sizes.size() - getRank(tensor);
  Sizes own = b.getSizes(tensor), widened = own;
  Value allSame;
  SmallVector<Value> isOne(own.size());
  for (int64_t dim : dims) {
    widened[dim] = sizes[dim + offset];
    Value isSame = b.isEqual(own[dim], widened[dim]);
    isOne[dim] = b.isEqual(own[dim], b.getIndexAttr(1));
    b.check(b.createOrFold<arith::OrIOp>(isSame, isOne[dim]),
            "operands do not broadcast at dimension " +
                Twine(dim - getRank(tensor)));
    allSame = allSame ? b.createOrFold<arith::AndIOp>(allSame, isSame) : isSame;
  }
  auto type = RankedTensorType::get(std::get<0>(decomposeMixedValues(widened)),
                                    getElementType(tensor));
  auto ifOp = scf::IfOp::create(b, TypeRange(type), allSame,
                                /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(ifOp.thenBlock());
  scf::YieldOp::create(b, b.castTensor(tensor, type));
  b.setInsertionPointToStart(ifOp.elseBlock());
  Value copy = createFromIndices(
      b, widened, type.getElementType(),
      [&](ImplicitLocOpBuilder &nested, ValueRange loops) {
        SmallVector<Value> indices(loops);
        Value zero = arith::ConstantIndexOp::create(nested, 0);
        for (int64_t dim : dims)
          indices[dim] =
              arith::SelectOp::create(nested, isOne[dim], zero, indices[dim]);
        return extract(nested, tensor, indices);
      });
  scf::YieldOp::create(b, b.castTensor(copy, type));
  return ifOp.getResult(0);
}

std::pair<Value, AffineMap>
lowbit::onnx::lowering::broadcastOperand(LoweringBuilder &b, Value operand,
                                         ArrayRef<OpFoldResult> sizes,
                                         ValueRange operands) {
  int64_t rank = sizes.size();
  SmallVector<AffineExpr> exprs;
  SmallVector<int64_t> undecided;
  for (int64_t dim = 0; dim < rank; ++dim) {
    int64_t operandDim = getOperandDim(operand, dim, rank);
    if (operandDim < 0)
      continue;
    DimKind kind =
        classify(b, operand, operandDim, sizes[dim], operands, dim, rank);
    exprs.push_back(kind == DimKind::One ? b.getAffineConstantExpr(0)
                                         : b.getAffineDimExpr(dim));
    if (kind == DimKind::DecidedAtRunTime)
      undecided.push_back(operandDim);
  }
  if (!undecided.empty())
    operand = widenAtRunTime(b, operand, undecided, sizes);
  return {operand, AffineMap::get(rank, 0, exprs, b.getContext())};
}

/// Computes the elements of a small tensor as scalars if those of all operands
/// are known as such.
static Value createScalarwise(LoweringBuilder &b, ValueRange operands,
                              ArrayRef<OpFoldResult> sizes, Type elementType,
                              ElementFn body) {
  std::optional<SmallVector<int64_t>> shape = getConstantIntValues(sizes);
  if (!shape)
    return Value();
  SmallVector<Sizes> elements;
  for (Value operand : operands) {
    std::optional<Sizes> known = b.getElements(operand);
    if (!known)
      return Value();
    elements.push_back(*known);
  }
  auto type = RankedTensorType::get(*shape, elementType);
  SmallVector<int64_t> strides = computeSuffixProduct(*shape);
  Sizes results;
  for (int64_t position = 0; position < type.getNumElements(); ++position) {
    SmallVector<int64_t> indices = delinearize(position, strides);
    SmallVector<Value> args;
    for (auto [operand, known] : llvm::zip(operands, elements)) {
      int64_t source = 0;
      for (int64_t dim = 0; dim < getRank(operand); ++dim) {
        int64_t size = getTensorType(operand).getDimSize(dim);
        int64_t index = indices[dim + type.getRank() - getRank(operand)];
        source = source * size + (size == 1 ? 0 : index);
      }
      OpFoldResult element = known[source];
      if (auto attribute = dyn_cast<Attribute>(element))
        args.push_back(
            arith::ConstantOp::create(b, cast<TypedAttr>(attribute)));
      else
        args.push_back(cast<Value>(element));
    }
    results.push_back(getAsOpFoldResult(body(b, args)));
  }
  return b.fromElements(type, results);
}

Value lowbit::onnx::lowering::createElementwise(LoweringBuilder &b,
                                                ValueRange operands,
                                                Type elementType,
                                                ElementFn body) {
  Sizes sizes = getBroadcastSizes(b, operands);
  if (Value tensor = createScalarwise(b, operands, sizes, elementType, body))
    return tensor;

  SmallVector<Value> inputs, scalars;
  SmallVector<AffineMap> maps;
  for (Value operand : operands) {
    scalars.push_back(b.getSplat(operand));
    if (scalars.back())
      continue;
    auto [input, map] = broadcastOperand(b, operand, sizes, operands);
    inputs.push_back(input);
    maps.push_back(map);
  }
  maps.push_back(b.getMultiDimIdentityMap(sizes.size()));
  return createGeneric(
      b, inputs, b.empty(sizes, elementType), maps,
      [&](ImplicitLocOpBuilder &nested, ValueRange args) -> SmallVector<Value> {
        SmallVector<Value> elements(scalars);
        for (Value &element : elements) {
          if (element)
            continue;
          element = args.front();
          args = args.drop_front();
        }
        return {body(nested, elements)};
      })[0];
}

Value lowbit::onnx::lowering::createBroadcast(LoweringBuilder &b, Value tensor,
                                              ArrayRef<OpFoldResult> sizes) {
  auto [input, map] = broadcastOperand(b, tensor, sizes);
  if (map.isIdentity())
    return input;
  return createGeneric(
      b, input, b.empty(sizes, getElementType(tensor)),
      {map, b.getMultiDimIdentityMap(sizes.size())},
      [](ImplicitLocOpBuilder &, ValueRange args) -> SmallVector<Value> {
        return {args.front()};
      })[0];
}
