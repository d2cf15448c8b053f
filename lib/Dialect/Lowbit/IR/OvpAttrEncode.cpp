//===- OvpAttrEncode.cpp - outlier-victim pairs made at run time ----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Builds what `OvpGrid` and `OvpFormat::roundPairs` compute, operation by
// operation, so that code that runs and the solver agree bit for bit.
//
//===----------------------------------------------------------------------===//

#include "EncodeTensor.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace lowbit;

namespace {
/// A value on its way to its code.
struct Rounded {
  /// In units of the scale.
  Value value, magnitude;
  /// The nearest magnitude, and whether it is that of an outlier.
  Value level, isOutlier;
};

struct PairEmitter : FormatEmitter {
  PairEmitter(FormatEmitter &b, const OvpGrid &grid)
      : FormatEmitter(b), grid(grid) {}

  Rounded round(Value value);
  /// The codes of a pair, as i32.
  std::pair<Value, Value> buildCodes(const Rounded &left, const Rounded &right,
                                     bool keepsLeft);

private:
  Value compare(arith::CmpFPredicate predicate, Value value, Value other) {
    return arith::CmpFOp::create(*this, predicate, value, other);
  }
  Value select(Value condition, Value value, Value other) {
    return arith::SelectOp::create(*this, condition, value, other);
  }
  Value isNot(Value condition) {
    return arith::XOrIOp::create(
        *this, condition, arith::ConstantIntOp::create(*this, getI1Type(), 1));
  }
  Value getBits(Value value) {
    return arith::BitcastOp::create(*this, getI32Type(), value);
  }
  Value roundMantissa(Value value, unsigned mantissaBits);
  Value roundToInteger(Value value);
  Value encodeNormal(const Rounded &rounded, Value isNegative);
  Value encodeOutlier(const Rounded &rounded, Value isNegative);
  /// The code of a value that is no victim.
  Value encode(const Rounded &rounded);

  const OvpGrid &grid;
};
} // namespace

Value PairEmitter::roundMantissa(Value value, unsigned mantissaBits) {
  const int32_t half = 1 << (22 - mantissaBits);
  Value bits = arith::AddIOp::create(*this, getBits(value), i32(half));
  bits = arith::AndIOp::create(*this, bits, i32(~(2 * half - 1)));
  return arith::BitcastOp::create(*this, getF32Type(), bits);
}

Value PairEmitter::roundToInteger(Value value) {
  Value even = math::RoundEvenOp::create(*this, value);
  Value rest = arith::SubFOp::create(*this, value, even);
  Value next = arith::AddFOp::create(*this, even, f32(1));
  return select(compare(arith::CmpFPredicate::OEQ, rest, f32(0.5)), next, even);
}

Rounded PairEmitter::round(Value value) {
  // NaNs take the other operand.
  auto atMost = [&](Value other, float bound) -> Value {
    return arith::MinNumFOp::create(*this, other, f32(bound));
  };
  Value magnitude = math::AbsFOp::create(*this, value);
  Value outlier = roundMantissa(atMost(magnitude, grid.getLargestOutlier()),
                                grid.getMantissaBits());
  outlier =
      arith::MaxNumFOp::create(*this, outlier, f32(grid.getSmallestOutlier()));
  Value clamped = atMost(magnitude, grid.getLargestNormal());
  Value normal = roundToInteger(clamped);
  if (grid.isFlint()) {
    auto isBelow = [&](float bound) {
      return compare(arith::CmpFPredicate::OLT, clamped, f32(bound));
    };
    Value coarse = select(isBelow(8), roundMantissa(clamped, 1),
                          roundMantissa(clamped, 0));
    normal = select(isBelow(4), normal, coarse);
  }
  Value isOutlier =
      compare(arith::CmpFPredicate::UGE, magnitude, f32(grid.getThreshold()));
  return {value, magnitude, select(isOutlier, outlier, normal), isOutlier};
}

Value PairEmitter::encodeNormal(const Rounded &rounded, Value isNegative) {
  Value level = arith::FPToSIOp::create(*this, getI32Type(), rounded.level);
  if (!grid.isFlint()) {
    Value negative = arith::SubIOp::create(*this, i32(0), level);
    return arith::AndIOp::create(*this, select(isNegative, negative, level),
                                 i32((1 << grid.getBits()) - 1));
  }
  // The codes of the magnitudes, of three bits each, are one integer.
  int64_t codes = 0;
  for (auto [code, magnitude] : llvm::enumerate(OvpGrid::flintMagnitudes))
    codes |= static_cast<int64_t>(code) << (3 * magnitude);
  Value table = arith::ConstantIntOp::create(*this, getI64Type(), codes);
  Value shift = arith::ExtUIOp::create(
      *this, getI64Type(), arith::MulIOp::create(*this, level, i32(3)));
  Value code = arith::TruncIOp::create(
      *this, getI32Type(), arith::ShRUIOp::create(*this, table, shift));
  code = arith::AndIOp::create(*this, code, i32(7));
  // Minus 0 would be the identifier.
  Value isZero =
      arith::CmpIOp::create(*this, arith::CmpIPredicate::eq, level, i32(0));
  Value sign = select(arith::AndIOp::create(*this, isNegative, isNot(isZero)),
                      i32(grid.getIdentifier()), i32(0));
  return arith::OrIOp::create(*this, sign, code);
}

Value PairEmitter::encodeOutlier(const Rounded &rounded, Value isNegative) {
  // Exponent and mantissa stand side by side in the float, too.
  const unsigned mantissaBits = grid.getMantissaBits();
  Value bits = arith::ShRUIOp::create(*this, getBits(rounded.level),
                                      i32(23 - mantissaBits));
  const int64_t bias = (127 + mantissaBits + grid.getBias()) << mantissaBits;
  Value code = arith::SubIOp::create(*this, bits, i32(bias));
  Value sign = select(isNegative, i32(grid.getIdentifier()), i32(0));
  return arith::OrIOp::create(*this, sign, code);
}

Value PairEmitter::encode(const Rounded &rounded) {
  Value isNegative = compare(arith::CmpFPredicate::OLT, rounded.value, f32(0));
  return select(rounded.isOutlier, encodeOutlier(rounded, isNegative),
                encodeNormal(rounded, isNegative));
}

std::pair<Value, Value> PairEmitter::buildCodes(const Rounded &left,
                                                const Rounded &right,
                                                bool keepsLeft) {
  Value isRightVictim = left.isOutlier;
  if (!keepsLeft) {
    Value isLeftFirst =
        compare(arith::CmpFPredicate::UGE, left.magnitude, right.magnitude);
    isRightVictim = arith::AndIOp::create(
        *this, left.isOutlier,
        arith::OrIOp::create(*this, isNot(right.isOutlier), isLeftFirst));
  }
  Value isLeftVictim =
      arith::AndIOp::create(*this, right.isOutlier, isNot(isRightVictim));
  Value identifier = i32(grid.getIdentifier());
  return {select(isLeftVictim, identifier, encode(left)),
          select(isRightVictim, identifier, encode(right))};
}

FailureOr<SmallVector<Value>> OvpAttr::buildEncodeWithScale(OpBuilder &builder,
                                                            Location loc,
                                                            Value source,
                                                            float scale) const {
  std::unique_ptr<ScaledLevels> levels = getBlockFormat()->getScaledLevels();
  if (!levels)
    return failure();
  scale = levels->roundScale(scale);
  FormatEmitter b(loc, builder);
  const OvpGrid grid(getNormals(), getOutliers());
  auto type = cast<RankedTensorType>(source.getType());
  const int64_t columns = type.getShape().back();
  SmallVector<FormatComponent> components = getComponents(type.getShape());
  auto read = [&](FormatEmitter &b, ArrayRef<Value> indices) -> Value {
    return arith::DivFOp::create(b, b.extractF32(source, indices),
                                 b.f32(scale));
  };
  Value codes = buildTensor(
      b, components[0].type, source,
      [&](FormatEmitter &b, ArrayRef<Value> indices) -> Value {
        PairEmitter pair(b, grid);
        // A byte is a pair of four-bit codes, or one of two bytes of a pair.
        const bool isWholePair = grid.getBits() == 4;
        Value byte = indices.back();
        Value even =
            isWholePair
                ? Value(arith::MulIOp::create(b, byte, b.index(2)))
                : Value(arith::SubIOp::create(
                      b, byte, arith::AndIOp::create(b, byte, b.index(1))));
        SmallVector<Value> place(indices);
        place.back() = even;
        Rounded left = pair.round(read(b, place));
        Value odd = arith::AddIOp::create(b, even, b.index(1));
        Value value;
        if (columns % 2 == 0) {
          place.back() = odd;
          value = read(b, place);
        } else {
          place.back() = arith::MinUIOp::create(b, odd, b.index(columns - 1));
          Value exists = arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                               odd, b.index(columns));
          value = arith::SelectOp::create(b, exists, read(b, place), b.f32(0));
        }
        Rounded right = pair.round(value);
        auto [leftCode, rightCode] =
            pair.buildCodes(left, right, getKeepsLeft());
        Value code;
        if (isWholePair) {
          // As `OvpFormat::getPlace` has it.
          code = arith::OrIOp::create(
              b, arith::ShLIOp::create(b, leftCode, b.i32(4)), rightCode);
        } else {
          Value isEven =
              arith::CmpIOp::create(b, arith::CmpIPredicate::eq, byte, even);
          code = arith::SelectOp::create(b, isEven, leftCode, rightCode);
        }
        return arith::TruncIOp::create(b, b.getI8Type(), code);
      });
  return SmallVector<Value>{codes,
                            buildScaleConstant(b, components[1].type, scale)};
}
