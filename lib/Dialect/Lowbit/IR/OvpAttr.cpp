//===- OvpAttr.cpp - outlier-victim pairs ---------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatFlags.h"
#include "GroupShape.h"
#include "ScaleParameter.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Quantize/BitPacking.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace lowbit;

//===----------------------------------------------------------------------===//
// The plain C++ format
//===----------------------------------------------------------------------===//

static GroupShape getGroup(OvpAttr attr) {
  return {attr.getGroupRows(), attr.getGroupCols()};
}

static ScaleParameter getScales(OvpAttr attr) {
  return {attr.getScale(), attr.getHasOffset()};
}

OvpFormat::Spec OvpAttr::getSpec() const {
  return {getNormals(),   getOutliers(),  getKeepsLeft(),
          getGroupRows(), getGroupCols(), getScales(*this).getStorage()};
}

std::shared_ptr<const BlockFormat> OvpAttr::getBlockFormat() const {
  // The attribute's verifier has accepted the same values.
  return std::make_shared<OvpFormat>(llvm::cantFail(OvpFormat::get(getSpec())));
}

LogicalResult
OvpAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                OvpNormals normals, OvpOutliers outliers, int64_t groupRows,
                int64_t groupCols, Attribute scale, bool hasOffset,
                bool keepsLeft, bool) {
  ScaleParameter scales{scale, hasOffset};
  if (failed(scales.verify(emitError)))
    return failure();
  llvm::Expected<OvpFormat> format =
      OvpFormat::get({normals, outliers, keepsLeft, groupRows, groupCols,
                      scales.getStorage()});
  if (!format)
    return emitError() << llvm::toString(format.takeError());
  return success();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

QuantFormatAttrInterface OvpAttr::adaptToShape(ArrayRef<int64_t> shape) const {
  GroupShape group = getGroup(*this);
  ScaleParameter scales = getScales(*this).adaptToGrid(group.getGrid(shape));
  return get(getContext(), getNormals(), getOutliers(), group.rows, group.cols,
             scales.scale, scales.hasOffset, getKeepsLeft(),
             group.needsPadding(shape) || shape.back() % 2 != 0);
}

int64_t OvpAttr::getGroupCols(ArrayRef<int64_t> shape) const {
  return getGroup(*this).getCols(shape);
}

LogicalResult
OvpAttr::verifyShape(ArrayRef<int64_t> shape,
                     llvm::function_ref<InFlightDiagnostic()> emitError) const {
  GroupShape group = getGroup(*this);
  if (failed(group.verify(shape, getPadded(), "a format of pairs", emitError)))
    return failure();
  if (!getPadded() && shape.back() % 2 != 0)
    return emitError() << "pairs do not divide the " << shape.back()
                       << " columns; state the padding with 'pad'";
  return getScales(*this).verifyGrid(group.getGrid(shape), emitError);
}

SmallVector<FormatComponent>
OvpAttr::getComponents(ArrayRef<int64_t> shape) const {
  const OvpGrid grid(getNormals(), getOutliers());
  SmallVector<int64_t> packed(shape);
  packed.back() =
      getPackedBytes(OvpFormat::getPaddedCols(shape.back()), grid.getBits());
  SmallVector<FormatComponent> components;
  components.push_back(
      {"codes",
       RankedTensorType::get(packed, IntegerType::get(getContext(), 8))});
  getScales(*this).appendComponents(getGroup(*this).getGrid(shape), components);
  return components;
}

std::optional<ScaledCodes> OvpAttr::getScaledCodes() const {
  const OvpGrid grid(getNormals(), getOutliers());
  ScaledCodes codes;
  codes.bits = grid.getBits();
  codes.groupRows = getGroupRows();
  codes.groupCols = getGroupCols();
  getScales(*this).describe(codes);
  PairedCodes pairs{grid.getIdentifier(), {}, /*isSwapped=*/codes.bits == 4};
  for (unsigned code = 0; code < 1u << codes.bits; ++code) {
    codes.levels.push_back(grid.decode(code, /*neighbour=*/0));
    pairs.levels.push_back(grid.decode(code, grid.getIdentifier()));
  }
  codes.pairs = std::move(pairs);
  return codes;
}

SmallVector<std::vector<char>>
OvpAttr::unpackScaledCodes(ArrayRef<int64_t> shape,
                           ArrayRef<ArrayRef<char>> components) const {
  SmallVector<std::vector<char>> unpacked = getScales(*this).unpack(
      getGroup(*this).getGrid(shape), components.drop_front());
  unpacked.insert(unpacked.begin(),
                  {components[0].begin(), components[0].end()});
  return unpacked;
}

//===----------------------------------------------------------------------===//
// Meaning
//===----------------------------------------------------------------------===//

namespace {
/// Builds the level of one element. Codes are unsigned i32.
struct LevelEmitter : FormatEmitter {
  LevelEmitter(Location loc, OpBuilder &builder, const OvpGrid &grid)
      : FormatEmitter(loc, builder), grid(grid) {}

  /// The code at `indices` of the codes, and that of its neighbour.
  std::pair<Value, Value> readPair(Value codes, ArrayRef<Value> indices);
  Value buildNormal(Value code);
  Value buildOutlier(Value code);
  Value isIdentifier(Value code) {
    return arith::CmpIOp::create(*this, arith::CmpIPredicate::eq, code,
                                 i32(grid.getIdentifier()));
  }

private:
  Value mask(Value value, unsigned bits) {
    return arith::AndIOp::create(*this, value, i32((1 << bits) - 1));
  }
  /// `magnitude` with the sign of the code.
  Value applySign(Value magnitude, Value code) {
    Value bit = arith::AndIOp::create(*this, code, i32(grid.getIdentifier()));
    Value isPositive =
        arith::CmpIOp::create(*this, arith::CmpIPredicate::eq, bit, i32(0));
    Value negative = arith::SubIOp::create(*this, i32(0), magnitude);
    return arith::SelectOp::create(*this, isPositive, magnitude, negative);
  }

  const OvpGrid &grid;
};
} // namespace

std::pair<Value, Value> LevelEmitter::readPair(Value codes,
                                               ArrayRef<Value> indices) {
  Value col = indices.back();
  Value other = arith::XOrIOp::create(*this, col, index(1));
  SmallVector<Value> place(indices);
  auto read = [&](Value at) {
    place.back() = at;
    return unpack(grid.getBits(), /*isSigned=*/false, codes, place);
  };
  // As `OvpFormat::getPlace` has it.
  if (grid.getBits() == 4)
    std::swap(col, other);
  Value code = read(col);
  return {code, read(other)};
}

Value LevelEmitter::buildNormal(Value code) {
  if (!grid.isFlint()) {
    const int64_t unused = 32 - grid.getBits();
    code = arith::ShLIOp::create(*this, code, i32(unused));
    return arith::ShRSIOp::create(*this, code, i32(unused));
  }
  // The magnitudes, of five bits each, are two integers: they need no memory.
  constexpr unsigned width = 5;
  auto getHalf = [&](unsigned first) -> Value {
    int64_t magnitudes = 0;
    for (unsigned i = 0; i < 4; ++i)
      magnitudes |= static_cast<int64_t>(OvpGrid::flintMagnitudes[first + i])
                    << (i * width);
    return i32(magnitudes);
  };
  Value isHigh =
      arith::CmpIOp::create(*this, arith::CmpIPredicate::ne,
                            arith::AndIOp::create(*this, code, i32(4)), i32(0));
  Value half = arith::SelectOp::create(*this, isHigh, getHalf(4), getHalf(0));
  Value shift = arith::MulIOp::create(*this, mask(code, 2), i32(width));
  half = arith::ShRUIOp::create(*this, half, shift);
  return applySign(mask(half, width), code);
}

Value LevelEmitter::buildOutlier(Value code) {
  const unsigned mantissaBits = grid.getMantissaBits();
  Value mantissa = arith::OrIOp::create(*this, mask(code, mantissaBits),
                                        i32(1 << mantissaBits));
  Value exponent = arith::ShRUIOp::create(*this, code, i32(mantissaBits));
  exponent = mask(exponent, grid.getExponentBits());
  exponent = arith::AddIOp::create(*this, exponent, i32(grid.getBias()));
  return applySign(arith::ShLIOp::create(*this, mantissa, exponent), code);
}

Value OvpAttr::buildDecode(OpBuilder &builder, Location loc,
                           RankedTensorType expressed, ValueRange components,
                           ValueRange indices) const {
  const OvpGrid grid(getNormals(), getOutliers());
  LevelEmitter b(loc, builder, grid);
  GroupShape group = getGroup(*this);
  SmallVector<Value> element(indices);
  auto [code, neighbour] = b.readPair(components.front(), element);
  Value level = arith::SelectOp::create(
      b, b.isIdentifier(neighbour), b.buildOutlier(code), b.buildNormal(code));
  level = arith::SelectOp::create(b, b.isIdentifier(code), b.i32(0), level);
  Value scale = getScales(*this).buildDecode(
      b, group.getGrid(expressed.getShape()), components.drop_front(),
      b.groupIndices(group, element));
  Value value = arith::MulFOp::create(
      b, scale, arith::SIToFPOp::create(b, b.getF32Type(), level));
  return b.convert(value, expressed.getElementType());
}

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

/// One of the names that `find` knows.
template <typename Find, typename Kind>
static ParseResult parseName(AsmParser &parser, Find find, StringRef expected,
                             Kind &kind) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef name;
  if (parser.parseKeyword(&name))
    return failure();
  std::optional<Kind> found = find(name);
  if (!found)
    return parser.emitError(loc) << expected << ", got '" << name << "'";
  kind = *found;
  return success();
}

static OvpOutliers getUsualOutliers(OvpNormals normals) {
  return normals == OvpNormals::Int8 ? OvpOutliers::E4M3 : OvpOutliers::E2M1;
}

Attribute OvpAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  OvpNormals normals;
  if (parser.parseLess() ||
      parseName(parser, getOvpNormals, "normal levels are int4, flint4 or int8",
                normals) ||
      parser.parseComma())
    return {};
  OvpOutliers outliers = getUsualOutliers(normals);
  if (succeeded(parser.parseOptionalKeyword("outliers")) &&
      (parser.parseEqual() ||
       parseName(parser, getOvpOutliers, "outliers are e2m1, e4m3 or e2m5",
                 outliers) ||
       parser.parseComma()))
    return {};
  FailureOr<GroupShape> group = GroupShape::parse(parser);
  if (failed(group) || parser.parseComma())
    return {};
  FailureOr<Attribute> scale = ScaleParameter::parse(parser);
  if (failed(scale))
    return {};
  bool hasOffset = false, keepsLeft = false, padded = false;
  if (parseFlags(parser, {{"offset", "f32", hasOffset},
                          {"keep", "left", keepsLeft},
                          {"pad", "", padded}}) ||
      parser.parseGreater())
    return {};
  return parser.getChecked<OvpAttr>(loc, parser.getContext(), normals, outliers,
                                    group->rows, group->cols, *scale, hasOffset,
                                    keepsLeft, padded);
}

void OvpAttr::print(AsmPrinter &printer) const {
  printer << '<' << getName(getNormals());
  if (getOutliers() != getUsualOutliers(getNormals()))
    printer << ", outliers = " << getName(getOutliers());
  printer << ", ";
  getGroup(*this).print(printer);
  printer << ", ";
  getScales(*this).print(printer);
  if (getKeepsLeft())
    printer << ", keep = left";
  if (getPadded())
    printer << ", pad";
  printer << '>';
}
