//===- ScaledCodesLane.cpp - units of plain codes with scales -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A lane loads the codes of a unit by loads as wide as a row's alignment allows
// (16 bytes for four bits). A unit has one scale, or a few of the same number
// of codes each, which products share:
//
//     acc += scale * sum(x[k] * (level[code[k]] - zero))
//
// Codes become floats without a conversion: 0x4B000000 | code is the float
// 2^23 + code, from which 2^23 + zero is subtracted exactly. Tables of levels
// are in shared memory, where lanes that read different ones of up to 32 levels
// are in different banks. A sum of terms is a weight of its own, `scale *
// level` of each term added up, which all tokens share.

#include "WarpRowKernel.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <limits>
#include <numeric>

using namespace mlir;
using namespace lowbit;

/// The bits of the float 2^23, whose last mantissa bit counts ones.
static constexpr int32_t kMagicBits = 0x4B000000;
static constexpr float kMagic = 8388608.0f;

namespace {
/// The units of a weight.
struct CodeUnits {
  /// Nothing if lanes cannot read codes and scales of this weight by units.
  static std::optional<CodeUnits> get(const WarpRowProduct &product);

  /// Whether sums of products can be scaled instead of weights.
  bool scalesSums() const { return codes.terms == 1 && !codes.offsetType; }
  bool hasCodeZeros() const {
    return codes.zeroType && codes.zeroType.isInteger(8);
  }
  bool hasFloatZeros() const { return codes.zeroType && !hasCodeZeros(); }

  ScaledCodes codes;
  int64_t groupRows, groupDepth;
  /// How many codes of a unit share a scale.
  int64_t part;
  /// How many bytes of codes one load reads.
  int64_t loadBytes;
};

/// The parameters of a part of a unit, by term.
struct PartParameters {
  SmallVector<Value> scales;
  Value zero, offset;
};

class ScaledCodesLane final : public WarpRowLane {
public:
  ScaledCodesLane(OpBuilder &builder, gpu::LaunchOp launch,
                  const WarpRowProduct &product, int64_t tokens,
                  const CodeUnits &units)
      : WarpRowLane(builder, launch, product, tokens), units(units),
        codes(units.codes) {}

protected:
  void prepare() override;
  SmallVector<Value> addUnit(Value unit, ValueRange sums) override;

private:
  /// The place of `rest` in a component that may have a dimension of terms.
  SmallVector<Value> getPlace(Value component, int64_t term,
                              ArrayRef<Value> rest) {
    SmallVector<Value> place(rest);
    if (cast<MemRefType>(component.getType()).getRank() > int64_t(rest.size()))
      place.insert(place.begin(), index(term));
    return place;
  }
  SmallVector<Value> loadWords(int64_t term, Value unit);
  Value loadScale(int64_t term, Value group);
  Value loadCodeZero(Value group);
  PartParameters loadParameters(Value group);
  Value extractCode(ArrayRef<Value> words, int64_t position);
  Value toFloat(Value code);
  Value getLevel(ArrayRef<Value> words, int64_t position, Value zero);
  Value getSigned(ArrayRef<Value> words, int64_t position, Value scale);
  Value getWeight(ArrayRef<SmallVector<Value>> words, int64_t position,
                  const PartParameters &parameters);

  const CodeUnits &units;
  const ScaledCodes &codes;
  Value table, groupRow;
};
} // namespace

//===----------------------------------------------------------------------===//
// Which weights have units
//===----------------------------------------------------------------------===//

/// Whether `codes` says nothing but what this file knows of. Formats may come
/// to say more, and are then decoded by themselves.
static bool isKnown(const ScaledCodes &codes) {
  ScaledCodes known{.bits = codes.bits,
                    .isSigned = codes.isSigned,
                    .zeroType = codes.zeroType,
                    .areSigns = codes.areSigns,
                    .groupRows = codes.groupRows,
                    .groupCols = codes.groupCols,
                    .scaleType = codes.scaleType,
                    .terms = codes.terms,
                    .offsetType = codes.offsetType};
  // A level may be NaN, which does not equal itself. The levels of codes that
  // are floats say all of them.
  ScaledCodes given = codes;
  given.levels.clear();
  given.codeType = {};
  if (!(given == known) || codes.bits > 8)
    return false;
  auto isFloat = [](Type type) {
    return isa<Float32Type, Float16Type, BFloat16Type>(type);
  };
  if (!isFloat(codes.scaleType) && !isa<Float8E8M0FNUType>(codes.scaleType))
    return false;
  if (codes.zeroType && !isFloat(codes.zeroType) &&
      !(codes.zeroType.isInteger(8) && codes.levels.empty()))
    return false;
  if (codes.offsetType && !isFloat(codes.offsetType))
    return false;
  return codes.levels.empty() || codes.levels.size() == 1u << codes.bits;
}

std::optional<CodeUnits> CodeUnits::get(const WarpRowProduct &product) {
  std::optional<ScaledCodes> codes =
      product.weight.getFormat().getScaledCodes();
  if (!codes || !isKnown(*codes))
    return std::nullopt;
  CodeUnits units;
  units.codes = *codes;
  units.groupRows = codes->groupRows ? codes->groupRows : product.rows;
  units.groupDepth = codes->groupCols ? codes->groupCols : product.depth;
  units.part = units.groupDepth >= product.depth
                   ? kUnit
                   : std::gcd(units.groupDepth, kUnit);
  auto type = cast<MemRefType>(product.components.front().getType());
  int64_t rowBytes = type.getShape().back();
  if (units.part % kVector || rowBytes % 4 || !type.getLayout().isIdentity())
    return std::nullopt;
  int64_t unitBytes = kUnit * codes->bits / 8;
  units.loadBytes = 16;
  while (rowBytes % units.loadBytes || unitBytes % units.loadBytes)
    units.loadBytes /= 2;
  return units;
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

/// Copies the levels to shared memory. A barrier follows before anyone reads
/// them.
void ScaledCodesLane::prepare() {
  groupRow = arith::DivUIOp::create(*this, row, index(units.groupRows));
  if (codes.levels.empty())
    return;
  table = launch.getWorkgroupAttributions()[1];
  const int64_t size = codes.levels.size();
  auto type = RankedTensorType::get(size, getF32Type());
  auto constant = arith::ConstantOp::create(
      *this, DenseElementsAttr::get(type, ArrayRef<float>(codes.levels)));
  Value stored = decoder.getTable(constant);
  constant.erase();
  static_assert(kThreads >= 1 << 8, "a thread copies at most one level");
  auto inside =
      scf::IfOp::create(*this, buildLess(*this, getLoc(), thread, index(size)),
                        /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(inside.thenBlock());
  Value level = memref::LoadOp::create(*this, stored, thread);
  memref::StoreOp::create(*this, level, table, thread);
}

Value ScaledCodesLane::loadScale(int64_t term, Value group) {
  Value scales = product.components[1];
  Value stored = memref::LoadOp::create(
      *this, scales, getPlace(scales, term, {groupRow, group}));
  if (!isa<Float8E8M0FNUType>(codes.scaleType))
    return toF32(stored);
  // A byte is the exponent of a float; 2^-127 is subnormal, and 255 is NaN.
  Value byte = arith::ExtUIOp::create(*this, getI32Type(), stored);
  auto equals = [&](int64_t value) -> Value {
    return arith::CmpIOp::create(*this, arith::CmpIPredicate::eq, byte,
                                 i32(value));
  };
  Value bits = arith::ShLIOp::create(*this, byte, i32(23));
  bits = arith::SelectOp::create(*this, equals(0), i32(0x00400000), bits);
  bits = arith::SelectOp::create(*this, equals(255), i32(0x7FC00000), bits);
  return arith::BitcastOp::create(*this, getF32Type(), bits);
}

/// 2^23 + a zero point of a stream of bits, moved as codes are.
Value ScaledCodesLane::loadCodeZero(Value group) {
  Value zeros = product.components[2];
  auto getByte = [&](Value byte) -> Value {
    Value loaded =
        memref::LoadOp::create(*this, zeros, ValueRange{groupRow, byte});
    return arith::ExtUIOp::create(*this, getI32Type(), loaded);
  };
  Value bit = arith::MulIOp::create(*this, group, index(codes.bits));
  Value byte = arith::ShRUIOp::create(*this, bit, index(3));
  Value word = getByte(byte);
  if (8 % codes.bits) {
    // The last byte may be followed by nothing.
    int64_t last = cast<MemRefType>(zeros.getType()).getShape().back() - 1;
    Value next = arith::AddIOp::create(*this, byte, index(1));
    next = arith::MinUIOp::create(*this, next, index(last));
    Value high = arith::ShLIOp::create(*this, getByte(next), i32(8));
    word = arith::OrIOp::create(*this, word, high);
  }
  Value shift = arith::AndIOp::create(*this, bit, index(7));
  shift = arith::IndexCastOp::create(*this, getI32Type(), shift);
  word = arith::ShRUIOp::create(*this, word, shift);
  word = arith::AndIOp::create(*this, word, i32((1 << codes.bits) - 1));
  return toFloat(word);
}

PartParameters ScaledCodesLane::loadParameters(Value group) {
  PartParameters parameters;
  for (int64_t term = 0; term < codes.terms; ++term)
    parameters.scales.push_back(loadScale(term, group));
  auto load = [&](Value component) {
    return toF32(
        memref::LoadOp::create(*this, component, ValueRange{groupRow, group}));
  };
  if (units.hasCodeZeros())
    parameters.zero = loadCodeZero(group);
  else if (units.hasFloatZeros())
    parameters.zero = load(product.components[2]);
  if (codes.offsetType)
    parameters.offset = load(product.components.back());
  return parameters;
}

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

SmallVector<Value> ScaledCodesLane::loadWords(int64_t term, Value unit) {
  const int64_t loadBytes = units.loadBytes, unitBytes = kUnit * codes.bits / 8;
  auto bytesType = VectorType::get(loadBytes, getI8Type());
  auto wordsType = VectorType::get(loadBytes / 4, getI32Type());
  Value stored = product.components[0];
  Value first = arith::MulIOp::create(*this, unit, index(unitBytes));
  SmallVector<Value> words;
  for (int64_t offset = 0; offset < unitBytes; offset += loadBytes) {
    Value byte = arith::AddIOp::create(*this, first, index(offset));
    auto load = vector::LoadOp::create(*this, bytesType, stored,
                                       getPlace(stored, term, {row, byte}));
    // Device memory is aligned to 256 bytes, and rows are a multiple of this.
    load->setAttr("alignment", getI64IntegerAttr(loadBytes));
    Value vector = vector::BitCastOp::create(*this, wordsType, load);
    for (int64_t i = 0; i < loadBytes / 4; ++i)
      words.push_back(vector::ExtractOp::create(*this, vector, i));
  }
  return words;
}

Value ScaledCodesLane::extractCode(ArrayRef<Value> words, int64_t position) {
  int64_t bit = position * codes.bits, shift = bit % 32;
  Value code = words[bit / 32];
  if (shift)
    code = arith::ShRUIOp::create(*this, code, i32(shift));
  if (shift + codes.bits > 32) {
    Value high =
        arith::ShLIOp::create(*this, words[bit / 32 + 1], i32(32 - shift));
    code = arith::OrIOp::create(*this, code, high);
  }
  return arith::AndIOp::create(*this, code, i32((1 << codes.bits) - 1));
}

/// 2^23 + code, with signed codes moved to start at 0.
Value ScaledCodesLane::toFloat(Value code) {
  if (codes.isSigned)
    code = arith::XOrIOp::create(*this, code, i32(1 << (codes.bits - 1)));
  code = arith::OrIOp::create(*this, code, i32(kMagicBits));
  return arith::BitcastOp::create(*this, getF32Type(), code);
}

/// `level[code] - zero`.
Value ScaledCodesLane::getLevel(ArrayRef<Value> words, int64_t position,
                                Value zero) {
  Value code = extractCode(words, position);
  Value level;
  if (codes.levels.empty()) {
    level = toFloat(code);
    if (!units.hasCodeZeros()) {
      bool isSigned = codes.isSigned;
      Value origin = f32(kMagic + (isSigned ? 1 << (codes.bits - 1) : 0));
      level = arith::SubFOp::create(*this, level, origin);
    }
  } else {
    code = arith::IndexCastUIOp::create(*this, getIndexType(), code);
    level = memref::LoadOp::create(*this, table, code);
  }
  return zero ? arith::SubFOp::create(*this, level, zero).getResult() : level;
}

/// `scale` with the sign of the bit: 0 stands for -1.
Value ScaledCodesLane::getSigned(ArrayRef<Value> words, int64_t position,
                                 Value scale) {
  Value negated = arith::NegFOp::create(*this, scale);
  negated = arith::BitcastOp::create(*this, getI32Type(), negated);
  Value flip = arith::ShLIOp::create(*this, words[position / 32],
                                     i32(31 - position % 32));
  flip = arith::AndIOp::create(*this, flip,
                               i32(std::numeric_limits<int32_t>::min()));
  flip = arith::XOrIOp::create(*this, negated, flip);
  return arith::BitcastOp::create(*this, getF32Type(), flip);
}

/// The weight at `position` of a unit with these words by term, without its
/// scale if that is for sums.
Value ScaledCodesLane::getWeight(ArrayRef<SmallVector<Value>> words,
                                 int64_t position,
                                 const PartParameters &parameters) {
  Value weight = parameters.offset;
  for (int64_t term = 0; term < codes.terms; ++term) {
    Value scale = units.scalesSums() ? Value() : parameters.scales[term];
    Value value;
    if (codes.areSigns) {
      value = getSigned(words[term], position, scale ? scale : f32(1));
    } else {
      value = getLevel(words[term], position, parameters.zero);
      if (scale)
        value = arith::MulFOp::create(*this, value, scale);
    }
    weight = weight ? arith::AddFOp::create(*this, weight, value).getResult()
                    : value;
  }
  return weight;
}

SmallVector<Value> ScaledCodesLane::addUnit(Value unit, ValueRange sums) {
  SmallVector<SmallVector<Value>> words;
  for (int64_t term = 0; term < codes.terms; ++term)
    words.push_back(loadWords(term, unit));
  SmallVector<Value> results(sums);
  for (int64_t first = 0; first < kUnit; first += units.part) {
    Value position = buildMulAdd(*this, getLoc(), unit, kUnit, index(first));
    PartParameters parameters = loadParameters(
        arith::DivUIOp::create(*this, position, index(units.groupDepth)));
    SmallVector<Value> partial(tokens, f32(0));
    MutableArrayRef<Value> target = units.scalesSums() ? partial : results;
    for (int64_t k = first; k < first + units.part; k += kVector) {
      SmallVector<Value> weights;
      for (int64_t i = 0; i < kVector; ++i)
        weights.push_back(getWeight(words, k + i, parameters));
      addVector(weights, index(k), target);
    }
    if (units.scalesSums())
      for (int64_t token = 0; token < tokens; ++token)
        results[token] =
            mulAdd(parameters.scales.front(), partial[token], results[token]);
  }
  return results;
}

std::optional<WarpRowKind>
lowbit::getScaledCodesKind(const WarpRowProduct &product) {
  std::optional<CodeUnits> units = CodeUnits::get(product);
  if (!units)
    return std::nullopt;
  WarpRowKind kind;
  MLIRContext *context = product.weight.getContext();
  if (!units->codes.levels.empty())
    kind.sharedTypes.push_back(MemRefType::get(
        static_cast<int64_t>(units->codes.levels.size()),
        Float32Type::get(context), MemRefLayoutAttrInterface(),
        gpu::AddressSpaceAttr::get(context, gpu::AddressSpace::Workgroup)));
  kind.makeLane = [&product, units = *units](OpBuilder &builder,
                                             gpu::LaunchOp launch,
                                             int64_t tokens) {
    return std::make_unique<ScaledCodesLane>(builder, launch, product, tokens,
                                             units);
  };
  return kind;
}
