//===- BcqAttr.cpp - sums of scaled signs ---------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatEmitter.h"
#include "GroupShape.h"
#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Quantize/BitPacking.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace lowbit;

static GroupShape getGroup(BcqAttr attr) {
  return {attr.getGroupRows(), attr.getGroupCols()};
}

BcqFormat::Spec BcqAttr::getSpec() const {
  BcqFormat::Spec spec;
  spec.bits = getBits();
  spec.groupRows = getGroupRows();
  spec.groupCols = getGroupCols();
  spec.scaleType = *getStoredFloatType(getScaleType());
  spec.hasOffset = getHasOffset();
  return spec;
}

std::shared_ptr<const BlockFormat> BcqAttr::getBlockFormat() const {
  // The attribute's verifier has accepted the same values.
  return std::make_shared<BcqFormat>(llvm::cantFail(BcqFormat::get(getSpec())));
}

QuantFormatAttrInterface BcqAttr::adaptToShape(ArrayRef<int64_t> shape) const {
  return get(getContext(), getBits(), getGroupRows(), getGroupCols(),
             getScaleType(), getHasOffset(),
             getGroup(*this).needsPadding(shape));
}

LogicalResult
BcqAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                unsigned bits, int64_t groupRows, int64_t groupCols,
                Type scaleType, bool hasOffset, bool padded) {
  std::optional<ElementType> scale = getStoredFloatType(scaleType);
  if (!scale)
    return emitError() << "scale must be f16, bf16 or f32, got " << scaleType;
  BcqFormat::Spec spec;
  spec.bits = bits;
  spec.groupRows = groupRows;
  spec.groupCols = groupCols;
  spec.scaleType = *scale;
  llvm::Expected<BcqFormat> format = BcqFormat::get(spec);
  if (!format)
    return emitError() << llvm::toString(format.takeError());
  return success();
}

int64_t BcqAttr::getGroupCols(ArrayRef<int64_t> shape) const {
  return getGroup(*this).getCols(shape);
}

LogicalResult
BcqAttr::verifyShape(ArrayRef<int64_t> shape,
                     llvm::function_ref<InFlightDiagnostic()> emitError) const {
  return getGroup(*this).verify(shape, getPadded(), "a binary-coding format",
                                emitError);
}

SmallVector<FormatComponent>
BcqAttr::getComponents(ArrayRef<int64_t> shape) const {
  auto getPerBit = [&](ArrayRef<int64_t> dims) {
    SmallVector<int64_t> result = {getBits()};
    result.append(dims.begin(), dims.end());
    return result;
  };
  SmallVector<int64_t> planes = getPerBit(shape);
  planes.back() = getPackedBytes(shape.back(), 1);
  SmallVector<int64_t> groups = getGroup(*this).getGrid(shape);
  Type byte = IntegerType::get(getContext(), 8);
  SmallVector<FormatComponent> components = {
      {"planes", RankedTensorType::get(planes, byte)},
      {"scales", RankedTensorType::get(getPerBit(groups), getScaleType())}};
  if (getHasOffset())
    components.push_back(
        {"offsets", RankedTensorType::get(groups, getScaleType())});
  return components;
}

std::optional<ScaledCodes> BcqAttr::getScaledCodes() const {
  ScaledCodes codes;
  codes.bits = 1;
  codes.areSigns = true;
  codes.terms = getBits();
  codes.groupRows = getGroupRows();
  codes.groupCols = getGroupCols();
  codes.scaleType = getScaleType();
  if (getHasOffset())
    codes.offsetType = getScaleType();
  return codes;
}

Value BcqAttr::buildDecode(OpBuilder &builder, Location loc,
                           RankedTensorType expressed, ValueRange components,
                           ValueRange indices) const {
  FormatEmitter b(loc, builder);
  SmallVector<Value> element(indices);
  SmallVector<Value> group = b.groupIndices(getGroup(*this), element);
  Value value = getHasOffset() ? b.extractF32(components[2], group) : Value();
  for (unsigned bit = 0; bit < getBits(); ++bit) {
    auto getPerBit = [&](ArrayRef<Value> position) {
      SmallVector<Value> result = {b.index(bit)};
      result.append(position.begin(), position.end());
      return result;
    };
    Value sign = b.unpack(/*bits=*/1, /*isSigned=*/false, components[0],
                          getPerBit(element));
    Value isAdded =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ne, sign, b.i32(0));
    Value scale = b.extractF32(components[1], getPerBit(group));
    Value term = arith::SelectOp::create(b, isAdded, scale,
                                         arith::NegFOp::create(b, scale));
    value = value ? Value(arith::AddFOp::create(b, value, term)) : term;
  }
  return b.convert(value, expressed.getElementType());
}

Attribute BcqAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  unsigned bits;
  Type scaleType;
  if (parser.parseLess() || parser.parseKeyword("bits") ||
      parser.parseEqual() || parser.parseInteger(bits) || parser.parseComma())
    return {};
  FailureOr<GroupShape> group = GroupShape::parse(parser);
  if (failed(group) || parser.parseComma() || parser.parseKeyword("scale") ||
      parser.parseEqual() || parser.parseType(scaleType))
    return {};
  bool hasOffset = false, padded = false;
  if (succeeded(parser.parseOptionalComma())) {
    hasOffset = succeeded(parser.parseOptionalKeyword("offset"));
    padded = !hasOffset || succeeded(parser.parseOptionalComma());
    if (padded && parser.parseKeyword("pad"))
      return {};
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<BcqAttr>(loc, parser.getContext(), bits, group->rows,
                                    group->cols, scaleType, hasOffset, padded);
}

void BcqAttr::print(AsmPrinter &printer) const {
  printer << "<bits = " << getBits() << ", ";
  getGroup(*this).print(printer);
  printer << ", scale = " << getScaleType()
          << (getHasOffset() ? ", offset" : "")
          << (getPadded() ? ", pad>" : ">");
}
