//===- LoweringBuilder.cpp - what all lowerings build with ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LoweringBuilder.h"
#include "lowbit/Dialect/Lowbit/IR/NodeName.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lowbit;
using namespace lowbit::onnx;
using namespace lowbit::onnx::lowering;

/// Tensors with more elements than this are computed in memory even if all
/// their elements are known as scalars.
static constexpr int64_t kMaxScalarElements = 64;

Type lowbit::onnx::lowering::getSignlessType(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type))
    return IntegerType::get(type.getContext(), integer.getWidth());
  if (auto tensor = dyn_cast<TensorType>(type))
    return tensor.clone(getSignlessType(tensor.getElementType()));
  return type;
}

bool lowbit::onnx::lowering::hasUnsignedElements(Value value) {
  auto type = dyn_cast<TensorType>(value.getType());
  return type && type.getElementType().isUnsignedInteger();
}

LogicalResult LoweringBuilder::refuse(const Twine &reason) {
  InFlightDiagnostic diagnostic = op->emitOpError();
  StringRef name = getNodeName(op->getLoc());
  if (!name.empty())
    diagnostic << "'" << name << "' ";
  return diagnostic << "cannot be lowered to linalg: " << reason;
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Value LoweringBuilder::constantIndex(int64_t value) {
  return arith::ConstantIndexOp::create(*this, value);
}

Value LoweringBuilder::constant(Type type, double value) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return arith::ConstantOp::create(*this, getFloatAttr(floatType, value));
  return constantInt(type, static_cast<int64_t>(value));
}

Value LoweringBuilder::constantInt(Type type, int64_t value) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return constant(floatType, static_cast<double>(value));
  return arith::ConstantOp::create(*this, getIntegerAttr(type, value));
}

Value LoweringBuilder::toValue(OpFoldResult size) {
  if (auto value = dyn_cast<Value>(size))
    return value;
  return constantIndex(*getConstantIntValue(size));
}

OpFoldResult LoweringBuilder::toIndex(OpFoldResult value, bool isUnsigned) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return getIndexAttr(*constant);
  Value integer = cast<Value>(value);
  if (integer.getType().isIndex())
    return integer;
  // Sizes travel through the model as i64; see through that.
  if (auto indexCast = integer.getDefiningOp<arith::IndexCastOp>())
    if (indexCast.getIn().getType().isIndex())
      return indexCast.getIn();
  if (isUnsigned)
    return createOrFold<arith::IndexCastUIOp>(getIndexType(), integer);
  return createOrFold<arith::IndexCastOp>(getIndexType(), integer);
}

Value LoweringBuilder::fromIndex(OpFoldResult value, Type type) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return constantInt(type, *constant);
  Value index = cast<Value>(value);
  if (type.isIndex())
    return index;
  if (isa<FloatType>(type)) {
    Value integer = fromIndex(index, getI64Type());
    return createOrFold<arith::SIToFPOp>(type, integer);
  }
  return createOrFold<arith::IndexCastOp>(type, index);
}

/// Folds an operation on two sizes if both are known.
template <typename OpTy>
static OpFoldResult
fold(LoweringBuilder &b, OpFoldResult lhs, OpFoldResult rhs,
     llvm::function_ref<int64_t(int64_t, int64_t)> compute) {
  std::optional<int64_t> x = getConstantIntValue(lhs);
  std::optional<int64_t> y = getConstantIntValue(rhs);
  if (x && y)
    return b.getIndexAttr(compute(*x, *y));
  return b.createOrFold<OpTy>(b.toValue(lhs), b.toValue(rhs));
}

OpFoldResult LoweringBuilder::add(OpFoldResult a, OpFoldResult b) {
  return fold<arith::AddIOp>(*this, a, b,
                             [](int64_t x, int64_t y) { return x + y; });
}

OpFoldResult LoweringBuilder::sub(OpFoldResult a, OpFoldResult b) {
  return fold<arith::SubIOp>(*this, a, b,
                             [](int64_t x, int64_t y) { return x - y; });
}

OpFoldResult LoweringBuilder::mul(OpFoldResult a, OpFoldResult b) {
  return fold<arith::MulIOp>(*this, a, b,
                             [](int64_t x, int64_t y) { return x * y; });
}

OpFoldResult LoweringBuilder::max(OpFoldResult a, OpFoldResult b) {
  return fold<arith::MaxSIOp>(
      *this, a, b, [](int64_t x, int64_t y) { return std::max(x, y); });
}

OpFoldResult LoweringBuilder::min(OpFoldResult a, OpFoldResult b) {
  return fold<arith::MinSIOp>(
      *this, a, b, [](int64_t x, int64_t y) { return std::min(x, y); });
}

/// The divisor of a size, made 1 where it is 0, so that nothing traps.
static OpFoldResult getSafeDivisor(LoweringBuilder &b, OpFoldResult divisor) {
  if (getConstantIntValue(divisor).value_or(0) > 0)
    return divisor;
  return b.max(divisor, b.getIndexAttr(1));
}

OpFoldResult LoweringBuilder::floorDiv(OpFoldResult a, OpFoldResult b) {
  return fold<arith::DivUIOp>(*this, a, getSafeDivisor(*this, b),
                              [](int64_t x, int64_t y) { return x / y; });
}

OpFoldResult LoweringBuilder::ceilDiv(OpFoldResult a, OpFoldResult b) {
  OpFoldResult divisor = getSafeDivisor(*this, b);
  return floorDiv(add(a, sub(divisor, getIndexAttr(1))), divisor);
}

OpFoldResult LoweringBuilder::product(ArrayRef<OpFoldResult> factors) {
  OpFoldResult result = getIndexAttr(1);
  for (OpFoldResult factor : factors)
    result = isConstantIntValue(result, 1) ? factor : mul(result, factor);
  return result;
}

Value LoweringBuilder::isEqual(OpFoldResult a, OpFoldResult b) {
  return createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq, toValue(a),
                                     toValue(b));
}

void LoweringBuilder::check(Value condition, const Twine &message) {
  if (matchPattern(condition, m_One()))
    return;
  StringRef name = getNodeName(op->getLoc());
  std::string text =
      (op->getName().getStringRef() +
       (name.empty() ? Twine() : " '" + name + "'") + ": " + message)
          .str();
  cf::AssertOp::create(*this, condition, text);
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

OpFoldResult LoweringBuilder::buildSize(AffineExpr size) {
  if (auto constant = dyn_cast<AffineConstantExpr>(size))
    return getIndexAttr(constant.getValue());
  if (isa<AffineSymbolExpr>(size)) {
    for (BlockArgument argument :
         op->getParentOfType<func::FuncOp>().getArguments()) {
      ArrayRef<AffineExpr> dims =
          shapes.getDims(argument).value_or(ArrayRef<AffineExpr>());
      const auto *it = llvm::find(dims, size);
      if (it != dims.end())
        return createOrFold<tensor::DimOp>(argument, it - dims.begin());
    }
    return OpFoldResult();
  }
  auto binary = cast<AffineBinaryOpExpr>(size);
  OpFoldResult lhs = buildSize(binary.getLHS());
  OpFoldResult rhs = buildSize(binary.getRHS());
  if (!lhs || !rhs)
    return OpFoldResult();
  switch (size.getKind()) {
  case AffineExprKind::Add:
    return add(lhs, rhs);
  case AffineExprKind::Mul:
    return mul(lhs, rhs);
  case AffineExprKind::FloorDiv:
    return floorDiv(lhs, rhs);
  default:
    return OpFoldResult();
  }
}

OpFoldResult LoweringBuilder::getSize(Value tensor, int64_t dim) {
  AffineExpr symbolic = getSymbolicSize(tensor, dim);
  if (auto constant = dyn_cast_or_null<AffineConstantExpr>(symbolic))
    return getIndexAttr(constant.getValue());
  RankedTensorType type = getTensorType(tensor);
  if (!type.isDynamicDim(dim))
    return getIndexAttr(type.getDimSize(dim));
  // Equal sizes become one value if they are computed from the arguments.
  if (symbolic)
    if (OpFoldResult size = buildSize(symbolic))
      return size;
  // The sizes of what was just built are at hand.
  if (auto empty = tensor.getDefiningOp<tensor::EmptyOp>())
    return empty.getMixedSizes()[dim];
  if (auto expand = tensor.getDefiningOp<tensor::ExpandShapeOp>())
    return expand.getMixedOutputShape()[dim];
  if (auto result = dyn_cast<OpResult>(tensor))
    if (auto structured = dyn_cast<linalg::LinalgOp>(result.getOwner()))
      return getSize(
          structured.getDpsInitOperand(result.getResultNumber())->get(), dim);
  return createOrFold<tensor::DimOp>(tensor, dim);
}

LoweringBuilder::Sizes LoweringBuilder::getSizes(Value tensor) {
  Sizes sizes;
  for (int64_t dim = 0; dim < getRank(tensor); ++dim)
    sizes.push_back(getSize(tensor, dim));
  return sizes;
}

Value LoweringBuilder::empty(ArrayRef<OpFoldResult> sizes, Type elementType) {
  return tensor::EmptyOp::create(*this, sizes, elementType);
}

Value LoweringBuilder::filled(ArrayRef<OpFoldResult> sizes, Value element) {
  Value init = empty(sizes, element.getType());
  return linalg::FillOp::create(*this, element, init).getResult(0);
}

Value LoweringBuilder::castTensor(Value tensor, Type type) {
  return tensor.getType() == type ? tensor
                                  : tensor::CastOp::create(*this, type, tensor);
}

Value LoweringBuilder::getOriginal(Value value) const {
  for (auto [converted, original] : llvm::zip(operands, op->getOperands()))
    if (converted == value)
      return original;
  return value;
}

AffineExpr LoweringBuilder::getSymbolicSize(Value tensor, int64_t dim) {
  std::optional<ArrayRef<AffineExpr>> dims =
      shapes.getDims(getOriginal(tensor));
  return dims && dim < static_cast<int64_t>(dims->size()) ? (*dims)[dim]
                                                          : AffineExpr();
}

AffineExpr LoweringBuilder::getSymbolicElement(Value tensor, int64_t position) {
  std::optional<ArrayRef<AffineExpr>> elements =
      shapes.getElements(getOriginal(tensor));
  return elements && position < static_cast<int64_t>(elements->size())
             ? (*elements)[position]
             : AffineExpr();
}

ArrayRef<AffineExpr> LoweringBuilder::getSymbolicResult(unsigned result) {
  return shapes.getDims(op->getResult(result)).value_or(ArrayRef<AffineExpr>());
}

bool LoweringBuilder::isSameSize(Value a, int64_t dimA, Value b, int64_t dimB) {
  AffineExpr exprA = getSymbolicSize(a, dimA);
  AffineExpr exprB = getSymbolicSize(b, dimB);
  if (exprA && exprB && shapes.isEqual(exprA, exprB).value_or(false))
    return true;
  return isSame(getSize(a, dimA), getSize(b, dimB));
}

bool LoweringBuilder::isSame(OpFoldResult a, OpFoldResult b) {
  if (isEqualConstantIntOrValue(a, b))
    return true;
  auto getDim = [](OpFoldResult size) {
    auto value = dyn_cast<Value>(size);
    return value ? value.getDefiningOp<tensor::DimOp>() : tensor::DimOp();
  };
  tensor::DimOp dimA = getDim(a), dimB = getDim(b);
  return dimA && dimB && dimA.getSource() == dimB.getSource() &&
         dimA.getConstantIndex() == dimB.getConstantIndex() &&
         dimA.getConstantIndex();
}

//===----------------------------------------------------------------------===//
// Elements of tensors
//===----------------------------------------------------------------------===//

static Value lookThroughCasts(Value tensor) {
  while (auto cast = tensor.getDefiningOp<tensor::CastOp>())
    tensor = cast.getSource();
  return tensor;
}

std::optional<LoweringBuilder::Sizes>
LoweringBuilder::getElements(Value tensor) {
  RankedTensorType type = getTensorType(tensor);
  Value source = lookThroughCasts(tensor);
  if (auto fromElements = source.getDefiningOp<tensor::FromElementsOp>()) {
    Sizes elements;
    for (Value element : fromElements.getElements())
      elements.push_back(getAsOpFoldResult(element));
    return elements;
  }
  if (std::optional<ArrayRef<AffineExpr>> known =
          shapes.getElements(getOriginal(tensor));
      known && !known->empty() && llvm::all_of(*known, [](AffineExpr expr) {
        return isa<AffineConstantExpr>(expr);
      })) {
    Sizes elements;
    for (AffineExpr expr : *known)
      elements.push_back(getIntegerAttr(
          type.getElementType(), cast<AffineConstantExpr>(expr).getValue()));
    return elements;
  }
  DenseElementsAttr dense;
  if (!matchPattern(source, m_Constant(&dense)) ||
      dense.getNumElements() > kMaxScalarElements)
    return std::nullopt;
  Sizes elements;
  for (Attribute element : dense.getValues<Attribute>())
    elements.push_back(element);
  return elements;
}

Value LoweringBuilder::getSplat(Value tensor) {
  DenseElementsAttr dense;
  if (matchPattern(tensor, m_Constant(&dense)) && dense.isSplat())
    return arith::ConstantOp::create(
        *this, cast<TypedAttr>(dense.getSplatValue<Attribute>()));
  auto fromElements =
      lookThroughCasts(tensor).getDefiningOp<tensor::FromElementsOp>();
  if (fromElements && fromElements.getElements().size() == 1)
    return fromElements.getElements().front();
  if (auto fill = lookThroughCasts(tensor).getDefiningOp<linalg::FillOp>())
    return fill.getInputs().front();
  return Value();
}

Value LoweringBuilder::getOnlyElement(Value tensor) {
  RankedTensorType type = getTensorType(tensor);
  if (type.getRank() <= 1 && type.hasStaticShape() &&
      type.getNumElements() == 1)
    return getElement(tensor, 0);
  return getSplat(tensor);
}

std::optional<SmallVector<int64_t>>
LoweringBuilder::getConstants(Value tensor) {
  std::optional<Sizes> elements = getElements(tensor);
  if (!elements)
    return std::nullopt;
  return getConstantIntValues(*elements);
}

Value LoweringBuilder::getElement(Value tensor, int64_t position) {
  if (std::optional<Sizes> elements = getElements(tensor)) {
    OpFoldResult element = (*elements)[position];
    if (auto value = dyn_cast<Value>(element))
      return value;
    return arith::ConstantOp::create(*this,
                                     cast<TypedAttr>(cast<Attribute>(element)));
  }
  SmallVector<Value> indices(getRank(tensor), Value());
  for (Value &index : indices)
    index = constantIndex(0);
  if (!indices.empty())
    indices.back() = constantIndex(position);
  return tensor::ExtractOp::create(*this, tensor, indices);
}

/// Sizes, and sums and products of them.
static bool isSizeArithmetic(Value value) {
  Operation *op = value.getDefiningOp();
  if (isa_and_present<tensor::DimOp>(op))
    return true;
  if (!isa_and_present<arith::AddIOp, arith::MulIOp, arith::IndexCastOp>(op))
    return getConstantIntValue(value).value_or(-1) >= 0;
  return llvm::all_of(op->getOperands(), isSizeArithmetic);
}

bool LoweringBuilder::isNonNegative(Value tensor, int64_t position) {
  AffineExpr symbolic = getSymbolicElement(tensor, position);
  if (symbolic && shapes.isNonNegative(symbolic))
    return true;
  std::optional<Sizes> elements = getElements(tensor);
  auto value = elements ? dyn_cast<Value>((*elements)[position]) : Value();
  return value && isSizeArithmetic(value);
}

OpFoldResult LoweringBuilder::getIndexElement(Value tensor, int64_t position) {
  if (std::optional<Sizes> elements = getElements(tensor))
    return toIndex((*elements)[position]);
  return toIndex(getElement(tensor, position));
}

Value LoweringBuilder::fromElements(RankedTensorType type,
                                    ArrayRef<OpFoldResult> elements) {
  Type elementType = type.getElementType();
  SmallVector<Attribute> attributes;
  SmallVector<Value> values;
  for (OpFoldResult element : elements) {
    if (auto attribute = dyn_cast<Attribute>(element)) {
      auto integer = dyn_cast<IntegerAttr>(attribute);
      if (integer && integer.getType() != elementType)
        attribute = getIntegerAttr(elementType, integer.getInt());
      attributes.push_back(attribute);
      values.push_back(
          arith::ConstantOp::create(*this, cast<TypedAttr>(attribute)));
      continue;
    }
    Value value = cast<Value>(element);
    values.push_back(
        value.getType() == elementType ? value : fromIndex(value, elementType));
  }
  if (attributes.size() == elements.size())
    return arith::ConstantOp::create(*this,
                                     DenseElementsAttr::get(type, attributes));
  return tensor::FromElementsOp::create(*this, type, values);
}
