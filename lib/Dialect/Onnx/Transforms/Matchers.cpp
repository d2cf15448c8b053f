//===- Matchers.cpp - what the recognizing patterns share -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Matchers.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lowbit::onnx;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

std::optional<double> lowbit::onnx::getScalar(Value value) {
  DenseElementsAttr dense;
  if (!matchPattern(value, m_Constant(&dense)) || dense.getNumElements() != 1)
    return std::nullopt;
  if (isa<FloatType>(dense.getElementType())) {
    APFloat number = dense.getSplatValue<APFloat>();
    bool losesInfo;
    number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                   &losesInfo);
    return number.convertToDouble();
  }
  if (auto type = dyn_cast<IntegerType>(dense.getElementType()))
    return type.isUnsigned() ? dense.getSplatValue<APInt>().getZExtValue()
                             : dense.getSplatValue<APInt>().getSExtValue();
  return std::nullopt;
}

bool lowbit::onnx::isClose(double constant, double number) {
  return std::abs(constant - number) <= 2e-6 * std::abs(number);
}

std::optional<SmallVector<int64_t>> lowbit::onnx::getIntegers(Value value) {
  DenseIntElementsAttr dense;
  if (!matchPattern(value, m_Constant(&dense)))
    return std::nullopt;
  SmallVector<int64_t> integers;
  for (const APInt &element : dense.getValues<APInt>())
    integers.push_back(element.getSExtValue());
  return integers;
}

Value lowbit::onnx::createIntegers(OpBuilder &builder, Location loc,
                                   ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get(static_cast<int64_t>(values.size()),
                                    builder.getI64Type());
  return ConstantOp::create(builder, loc, type,
                            DenseElementsAttr::get(type, values));
}

Value lowbit::onnx::createScalar(OpBuilder &builder, Location loc,
                                 FloatType elementType, double value) {
  auto type = RankedTensorType::get({}, elementType);
  return ConstantOp::create(
      builder, loc, type,
      DenseElementsAttr::get(type,
                             FloatAttr::get(elementType, value).getValue()));
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

FloatType lowbit::onnx::getFloatElementType(Value value) {
  auto type = dyn_cast<TensorType>(value.getType());
  return type ? dyn_cast<FloatType>(type.getElementType()) : FloatType();
}

int64_t lowbit::onnx::getRank(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type ? type.getRank() : -1;
}

int64_t lowbit::onnx::getKnownDim(Value value, int64_t index) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return ShapedType::kDynamic;
  if (index < 0)
    index += type.getRank();
  if (index < 0 || index >= type.getRank())
    return ShapedType::kDynamic;
  return type.getDimSize(index);
}

//===----------------------------------------------------------------------===//
// Arithmetic with numbers
//===----------------------------------------------------------------------===//

/// A constant of one element beside `other`, whose shape it leaves as it is.
static std::optional<double> getScalarBeside(Value constant, Value other) {
  std::optional<double> scalar = getScalar(constant);
  if (!scalar || getRank(other) < getRank(constant))
    return std::nullopt;
  return scalar;
}

template <typename OpTy>
static std::optional<WithScalar> matchCommutative(Value value) {
  auto op = value.getDefiningOp<OpTy>();
  if (!op)
    return std::nullopt;
  if (std::optional<double> scalar = getScalarBeside(op.getB(), op.getA()))
    return WithScalar{op.getA(), *scalar};
  if (std::optional<double> scalar = getScalarBeside(op.getA(), op.getB()))
    return WithScalar{op.getB(), *scalar};
  return std::nullopt;
}

std::optional<WithScalar> lowbit::onnx::matchAddScalar(Value value) {
  return matchCommutative<AddOp>(value);
}

std::optional<WithScalar> lowbit::onnx::matchMulScalar(Value value) {
  if (auto div = value.getDefiningOp<DivOp>()) {
    std::optional<double> scalar = getScalarBeside(div.getB(), div.getA());
    // An integer is not divided by multiplying with an inverse.
    if (!scalar || *scalar == 0 || !getFloatElementType(div.getA()))
      return std::nullopt;
    return WithScalar{div.getA(), 1 / *scalar};
  }
  return matchCommutative<MulOp>(value);
}

static void collectFactors(Value value, bool isRoot, Factors &factors) {
  if (isRoot || value.hasOneUse()) {
    if (std::optional<WithScalar> scaled = matchMulScalar(value)) {
      factors.scalar *= scaled->scalar;
      return collectFactors(scaled->other, /*isRoot=*/false, factors);
    }
    if (auto mul = value.getDefiningOp<MulOp>()) {
      // A square uses its operand twice.
      collectFactors(mul.getA(), /*isRoot=*/false, factors);
      return collectFactors(mul.getB(), /*isRoot=*/false, factors);
    }
  }
  factors.values.push_back(value);
}

Factors lowbit::onnx::collectFactors(Value value) {
  Factors factors;
  ::collectFactors(value, /*isRoot=*/true, factors);
  return factors;
}

std::optional<Power> lowbit::onnx::matchPower(Value value, Value base) {
  if (value == base)
    return Power{1, 1};
  Factors factors = collectFactors(value);
  Power power = {factors.scalar, 0};
  for (Value factor : factors.values) {
    if (factor == base) {
      ++power.degree;
      continue;
    }
    if (auto pow = factor.getDefiningOp<PowOp>()) {
      std::optional<double> exponent = getScalarBeside(pow.getY(), pow.getX());
      if (pow.getX() == base && exponent &&
          (*exponent == 2 || *exponent == 3)) {
        power.degree += static_cast<int>(*exponent);
        continue;
      }
    }
    // A product that other ops use as well.
    auto mul = factor.getDefiningOp<MulOp>();
    if (!mul || mul.getA() != base || mul.getB() != base)
      return std::nullopt;
    power.degree += 2;
  }
  return power.degree > 0 ? std::optional(power) : std::nullopt;
}

Value lowbit::onnx::matchSquare(Value value) {
  if (auto mul = value.getDefiningOp<MulOp>())
    return mul.getA() == mul.getB() ? mul.getA() : Value();
  auto pow = value.getDefiningOp<PowOp>();
  if (!pow || getScalarBeside(pow.getY(), pow.getX()) != 2.0)
    return {};
  return pow.getX();
}

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

Value lowbit::onnx::matchMeanOfLast(Value value) {
  auto mean = value.getDefiningOp<ReduceMeanOp>();
  if (!mean || !mean.getKeepdims() || !isPresent(mean.getAxes()))
    return {};
  std::optional<SmallVector<int64_t>> axes = getIntegers(mean.getAxes());
  int64_t rank = getRank(mean.getData());
  if (!axes || axes->size() != 1 || rank < 1 ||
      (axes->front() != -1 && axes->front() != rank - 1))
    return {};
  return mean.getData();
}

/// The operand of 1 / x.
static Value matchReciprocal(Value value) {
  if (auto reciprocal = value.getDefiningOp<ReciprocalOp>())
    return reciprocal.getX();
  auto div = value.getDefiningOp<DivOp>();
  return div && getScalarBeside(div.getA(), div.getB()) == 1.0 ? div.getB()
                                                               : Value();
}

/// The operand of 1 / sqrt(x).
static Value matchReciprocalRoot(Value value) {
  if (auto pow = value.getDefiningOp<PowOp>())
    return getScalarBeside(pow.getY(), pow.getX()) == -0.5 ? pow.getX()
                                                           : Value();
  if (Value root = matchReciprocal(value))
    if (auto sqrt = root.getDefiningOp<SqrtOp>())
      return sqrt.getX();
  if (auto sqrt = value.getDefiningOp<SqrtOp>())
    return matchReciprocal(sqrt.getX());
  return {};
}

/// What is divided, and what it is divided by the root of.
static std::pair<Value, Value> matchDividedByRoot(Operation *op) {
  if (auto div = dyn_cast<DivOp>(op)) {
    auto sqrt = div.getB().getDefiningOp<SqrtOp>();
    return {div.getA(), sqrt ? sqrt.getX() : Value()};
  }
  auto mul = dyn_cast<MulOp>(op);
  if (!mul)
    return {};
  if (Value operand = matchReciprocalRoot(mul.getB()))
    return {mul.getA(), operand};
  return {mul.getB(), matchReciprocalRoot(mul.getA())};
}

std::optional<RootMeanSquare> lowbit::onnx::matchRootMeanSquare(Operation *op) {
  auto [x, underRoot] = matchDividedByRoot(op);
  if (!underRoot)
    return std::nullopt;
  std::optional<WithScalar> sum = matchAddScalar(underRoot);
  if (!sum || sum->scalar < 0)
    return std::nullopt;
  Value square = matchMeanOfLast(sum->other);
  if (!square)
    return std::nullopt;
  return RootMeanSquare{x, square, sum->scalar};
}
