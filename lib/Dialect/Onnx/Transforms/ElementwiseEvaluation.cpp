//===- ElementwiseEvaluation.cpp - elementwise ops on constants -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Floats are computed in double and rounded once. For + - * / and the square
// root that gives what the narrower type itself would: a double has more than
// twice the digits of an f32.
//
//===----------------------------------------------------------------------===//

#include "ConstantEvaluation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace lowbit::onnx;

namespace {
/// The elements of a constant, of which one of the two lists is used.
struct Numbers {
  RankedTensorType type;
  SmallVector<double> floats;
  SmallVector<int64_t> integers;
  bool isSplat = false;

  bool isFloat() const { return isa<FloatType>(type.getElementType()); }
  /// The position of the element that is broadcast to `position` of `to`.
  int64_t getPosition(int64_t position, RankedTensorType to) const;
};
} // namespace

int64_t Numbers::getPosition(int64_t position, RankedTensorType to) const {
  if (isSplat)
    return 0;
  int64_t result = 0, stride = 1, rank = type.getRank();
  for (int64_t i = 0; i < rank; ++i) {
    int64_t size = to.getDimSize(to.getRank() - 1 - i);
    int64_t own = type.getDimSize(rank - 1 - i);
    result += own == 1 ? 0 : position % size * stride;
    position /= size;
    stride *= own;
  }
  return result;
}

static bool isUnsignedLike(Type type) {
  return type.isUnsignedInteger() || type.isInteger(1);
}

static std::optional<Numbers> read(Attribute attribute) {
  auto dense = dyn_cast_or_null<DenseElementsAttr>(attribute);
  auto type = dense ? dyn_cast<RankedTensorType>(dense.getType()) : nullptr;
  if (!type)
    return std::nullopt;
  Numbers numbers = {type, {}, {}, dense.isSplat()};
  Type elementType = type.getElementType();
  auto readAll = [&](auto values) {
    for (const auto &value : values) {
      if constexpr (std::is_same_v<std::decay_t<decltype(value)>, APFloat>)
        numbers.floats.push_back(value.convertToDouble());
      else
        numbers.integers.push_back(isUnsignedLike(elementType)
                                       ? value.getZExtValue()
                                       : value.getSExtValue());
    }
  };
  if (isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(elementType)) {
    if (numbers.isSplat)
      readAll(ArrayRef<APFloat>(dense.getSplatValue<APFloat>()));
    else
      readAll(dense.getValues<APFloat>());
  } else if (isa<IntegerType>(elementType)) {
    if (numbers.isSplat)
      readAll(ArrayRef<APInt>(dense.getSplatValue<APInt>()));
    else
      readAll(dense.getValues<APInt>());
  } else {
    return std::nullopt;
  }
  return numbers;
}

static APFloat toFloat(double value, FloatType type) {
  APFloat result(value);
  bool losesInfo;
  result.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return result;
}

static APInt toInteger(int64_t value, IntegerType type) {
  return APInt(type.getWidth(), value, /*isSigned=*/true,
               /*implicitTrunc=*/true);
}

//===----------------------------------------------------------------------===//
// One element
//===----------------------------------------------------------------------===//

static std::optional<double> evaluate(Operation *op, ArrayRef<double> x) {
  using Result = std::optional<double>;
  return TypeSwitch<Operation *, Result>(op)
      .Case([&](AddOp) { return x[0] + x[1]; })
      .Case([&](SubOp) { return x[0] - x[1]; })
      .Case([&](MulOp) { return x[0] * x[1]; })
      .Case([&](DivOp) { return x[0] / x[1]; })
      .Case([&](PowOp) { return std::pow(x[0], x[1]); })
      .Case([&](NegOp) { return -x[0]; })
      .Case([&](AbsOp) { return std::abs(x[0]); })
      .Case([&](SqrtOp) { return std::sqrt(x[0]); })
      .Case([&](ReciprocalOp) { return 1 / x[0]; })
      .Case([&](ExpOp) { return std::exp(x[0]); })
      .Case([&](LogOp) { return std::log(x[0]); })
      .Case([&](CosOp) { return std::cos(x[0]); })
      .Case([&](SinOp) { return std::sin(x[0]); })
      .Case([&](FloorOp) { return std::floor(x[0]); })
      .Case([&](CeilOp) { return std::ceil(x[0]); })
      .Case([&](IdentityOp) { return x[0]; })
      .Default(Result());
}

static std::optional<int64_t> evaluate(Operation *op, ArrayRef<int64_t> x) {
  using Result = std::optional<int64_t>;
  // Integers wrap around, as they do when the model runs.
  auto wrap = [](uint64_t value) { return static_cast<int64_t>(value); };
  return TypeSwitch<Operation *, Result>(op)
      .Case([&](AddOp) { return wrap(uint64_t(x[0]) + uint64_t(x[1])); })
      .Case([&](SubOp) { return wrap(uint64_t(x[0]) - uint64_t(x[1])); })
      .Case([&](MulOp) { return wrap(uint64_t(x[0]) * uint64_t(x[1])); })
      .Case([&](DivOp) {
        bool isUndefined =
            x[1] == 0 ||
            (x[1] == -1 && x[0] == std::numeric_limits<int64_t>::min());
        return isUndefined ? Result() : Result(x[0] / x[1]);
      })
      .Case([&](NegOp) { return wrap(-uint64_t(x[0])); })
      .Case([&](IdentityOp) { return x[0]; })
      .Case([&](NotOp) { return !x[0]; })
      .Case([&](AndOp) { return x[0] && x[1]; })
      .Case([&](OrOp) { return x[0] || x[1]; })
      .Case([&](XorOp) { return (x[0] != 0) != (x[1] != 0); })
      .Default(Result());
}

template <typename T>
static std::optional<bool> evaluateComparison(Operation *op, ArrayRef<T> x) {
  using Result = std::optional<bool>;
  return TypeSwitch<Operation *, Result>(op)
      .Case([&](EqualOp) { return x[0] == x[1]; })
      .Case([&](LessOp) { return x[0] < x[1]; })
      .Case([&](LessOrEqualOp) { return x[0] <= x[1]; })
      .Case([&](GreaterOp) { return x[0] > x[1]; })
      .Case([&](GreaterOrEqualOp) { return x[0] >= x[1]; })
      .Default(Result());
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// Calls `compute` for each element of a tensor of `type` and puts the results,
/// doubles or integers as the type wants, together. Null if one is missing.
template <typename Fn>
static TypedAttr build(RankedTensorType type, Fn compute) {
  SmallVector<APFloat> floats;
  SmallVector<APInt> integers;
  for (int64_t i = 0, e = type.getNumElements(); i < e; ++i) {
    auto value = compute(i);
    if (!value)
      return {};
    if (auto element = dyn_cast<FloatType>(type.getElementType()))
      floats.push_back(toFloat(static_cast<double>(*value), element));
    else
      integers.push_back(toInteger(static_cast<int64_t>(*value),
                                   cast<IntegerType>(type.getElementType())));
  }
  return isa<FloatType>(type.getElementType())
             ? DenseElementsAttr::get(type, floats)
             : DenseElementsAttr::get(type, integers);
}

static TypedAttr evaluateCast(const Numbers &from, RankedTensorType type) {
  auto to = dyn_cast<IntegerType>(type.getElementType());
  if (!from.isFloat())
    return build(type, [&](int64_t i) -> std::optional<int64_t> {
      int64_t value = from.integers[from.isSplat ? 0 : i];
      return to && to.getWidth() == 1 ? value != 0 : value;
    });
  return build(type, [&](int64_t i) -> std::optional<double> {
    double value = from.floats[from.isSplat ? 0 : i];
    if (to && to.getWidth() == 1)
      return value != 0;
    // Out of range is undefined, so the run time may decide.
    if (to && !(std::abs(value) < 0x1p62))
      return std::nullopt;
    return value;
  });
}

TypedAttr lowbit::onnx::evaluateElementwise(Operation *op,
                                            RankedTensorType type,
                                            ArrayRef<Attribute> operands) {
  if (!isa<FloatType, IntegerType>(type.getElementType()))
    return {};
  SmallVector<Numbers> numbers;
  for (Attribute operand : operands) {
    std::optional<Numbers> own = read(operand);
    if (!own || own->type.getRank() > type.getRank())
      return {};
    numbers.push_back(std::move(*own));
  }
  if (numbers.empty())
    return {};
  if (isa<CastOp>(op))
    return evaluateCast(numbers[0], type);
  auto collect = [&](int64_t i, auto member) {
    SmallVector<std::decay_t<decltype((numbers[0].*member)[0])>> x;
    for (const Numbers &own : numbers)
      x.push_back((own.*member)[own.getPosition(i, type)]);
    return x;
  };
  if (isa<WhereOp>(op)) {
    auto choose = [&](int64_t i, auto member) {
      const Numbers &c = numbers[0];
      const Numbers &x = numbers[c.integers[c.getPosition(i, type)] ? 1 : 2];
      return std::optional((x.*member)[x.getPosition(i, type)]);
    };
    if (numbers[1].isFloat())
      return build(type,
                   [&](int64_t i) { return choose(i, &Numbers::floats); });
    return build(type,
                 [&](int64_t i) { return choose(i, &Numbers::integers); });
  }
  bool isFloat = numbers.front().isFloat();
  if (llvm::any_of(numbers, [&](const Numbers &own) {
        return own.isFloat() != isFloat;
      }))
    return {};
  if (isa<EqualOp, LessOp, LessOrEqualOp, GreaterOp, GreaterOrEqualOp>(op)) {
    if (isFloat)
      return build(type, [&](int64_t i) {
        return evaluateComparison<double>(op, collect(i, &Numbers::floats));
      });
    return build(type, [&](int64_t i) {
      return evaluateComparison<int64_t>(op, collect(i, &Numbers::integers));
    });
  }
  if (isFloat)
    return build(type, [&](int64_t i) {
      return evaluate(op, ArrayRef<double>(collect(i, &Numbers::floats)));
    });
  return build(type, [&](int64_t i) {
    return evaluate(op, ArrayRef<int64_t>(collect(i, &Numbers::integers)));
  });
}
