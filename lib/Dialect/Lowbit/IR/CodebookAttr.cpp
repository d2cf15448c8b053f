//===- CodebookAttr.cpp - levels of a table with scales -------------------===//
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

static llvm::Expected<Codebook> findCodebook(StringRef table,
                                             DenseF32ArrayAttr levels) {
  if (levels)
    return Codebook::get(levels.asArrayRef());
  if (std::optional<Codebook> codebook = Codebook::find(table))
    return *codebook;
  return llvm::createStringError("there is no table '" + table +
                                 "'; those with a name are " +
                                 Codebook::getNames());
}

static GroupShape getGroup(CodebookAttr attr) {
  return {attr.getGroupRows(), attr.getGroupCols()};
}

static ScaleParameter getScales(CodebookAttr attr) {
  return {attr.getScale(), attr.getHasOffset()};
}

CodebookFormat::Spec CodebookAttr::getSpec() const {
  // The verifier has found it.
  return {llvm::cantFail(findCodebook(getTable(), getLevels())), getGroupRows(),
          getGroupCols(), getScales(*this).getStorage()};
}

std::shared_ptr<const BlockFormat> CodebookAttr::getBlockFormat() const {
  return std::make_shared<CodebookFormat>(
      llvm::cantFail(CodebookFormat::get(getSpec())));
}

QuantFormatAttrInterface
CodebookAttr::adaptToShape(ArrayRef<int64_t> shape) const {
  GroupShape group = getGroup(*this);
  ScaleParameter scales = getScales(*this).adaptToGrid(group.getGrid(shape));
  return get(getContext(), getTable(), getLevels(), group.rows, group.cols,
             scales.scale, scales.hasOffset, group.needsPadding(shape));
}

LogicalResult
CodebookAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                     StringRef table, DenseF32ArrayAttr levels,
                     int64_t groupRows, int64_t groupCols, Attribute scale,
                     bool hasOffset, bool padded) {
  llvm::Expected<Codebook> codebook = findCodebook(table, levels);
  if (!codebook)
    return emitError() << llvm::toString(codebook.takeError());
  ScaleParameter scales{scale, hasOffset};
  if (failed(scales.verify(emitError)))
    return failure();
  llvm::Expected<CodebookFormat> format = CodebookFormat::get(
      {*codebook, groupRows, groupCols, scales.getStorage()});
  if (!format)
    return emitError() << llvm::toString(format.takeError());
  return success();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

int64_t CodebookAttr::getGroupCols(ArrayRef<int64_t> shape) const {
  return getGroup(*this).getCols(shape);
}

LogicalResult CodebookAttr::verifyShape(
    ArrayRef<int64_t> shape,
    llvm::function_ref<InFlightDiagnostic()> emitError) const {
  GroupShape group = getGroup(*this);
  if (failed(group.verify(shape, getPadded(), "a codebook format", emitError)))
    return failure();
  return getScales(*this).verifyGrid(group.getGrid(shape), emitError);
}

SmallVector<FormatComponent>
CodebookAttr::getComponents(ArrayRef<int64_t> shape) const {
  SmallVector<int64_t> packed(shape);
  packed.back() = getPackedBytes(shape.back(), getSpec().codebook.getBits());
  SmallVector<FormatComponent> components;
  components.push_back(
      {"codes",
       RankedTensorType::get(packed, IntegerType::get(getContext(), 8))});
  getScales(*this).appendComponents(getGroup(*this).getGrid(shape), components);
  return components;
}

/// The level of each code. Codes without one decode to 0.
static SmallVector<float, 16> getLevelOfCodes(const Codebook &codebook) {
  SmallVector<float, 16> levels(codebook.getLevels());
  levels.resize(1 << codebook.getBits());
  return levels;
}

std::optional<ScaledCodes> CodebookAttr::getScaledCodes() const {
  Codebook codebook = getSpec().codebook;
  ScaledCodes codes;
  codes.bits = codebook.getBits();
  codes.levels = getLevelOfCodes(codebook);
  codes.groupRows = getGroupRows();
  codes.groupCols = getGroupCols();
  getScales(*this).describe(codes);
  // Bit patterns of minifloats that have a type.
  if (codebook.getName() == "e4m3")
    codes.codeType = Float8E4M3FNType::get(getContext());
  else if (codebook.getName() == "e5m2")
    codes.codeType = Float8E5M2Type::get(getContext());
  return codes;
}

SmallVector<std::vector<char>>
CodebookAttr::unpackScaledCodes(ArrayRef<int64_t> shape,
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

Value CodebookAttr::buildDecode(OpBuilder &builder, Location loc,
                                RankedTensorType expressed,
                                ValueRange components,
                                ValueRange indices) const {
  FormatEmitter b(loc, builder);
  GroupShape group = getGroup(*this);
  SmallVector<Value> element(indices);
  Value code = b.unpack(getSpec().codebook.getBits(), /*isSigned=*/false,
                        components.front(), element);
  Value level = b.lookUp(getLevelOfCodes(getSpec().codebook), code);
  Value scale = getScales(*this).buildDecode(
      b, group.getGrid(expressed.getShape()), components.drop_front(),
      b.groupIndices(group, element));
  Value value = arith::MulFOp::create(b, scale, level);
  return b.convert(value, expressed.getElementType());
}

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

static ParseResult parseTable(AsmParser &parser, StringRef &table,
                              DenseF32ArrayAttr &levels) {
  if (failed(parser.parseOptionalLSquare()))
    return parser.parseKeyword(&table);
  SmallVector<float> values;
  auto parseLevel = [&]() -> ParseResult {
    llvm::APFloat value(0.0f);
    if (parser.parseFloat(llvm::APFloat::IEEEsingle(), value))
      return failure();
    values.push_back(value.convertToFloat());
    return success();
  };
  if (parser.parseCommaSeparatedList(parseLevel) || parser.parseRSquare())
    return failure();
  levels = DenseF32ArrayAttr::get(parser.getContext(), values);
  return success();
}

Attribute CodebookAttr::parse(AsmParser &parser, Type) {
  StringRef table;
  DenseF32ArrayAttr levels;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parseTable(parser, table, levels) ||
      parser.parseComma())
    return {};
  FailureOr<GroupShape> group = GroupShape::parse(parser);
  if (failed(group) || parser.parseComma())
    return {};
  FailureOr<Attribute> scale = ScaleParameter::parse(parser);
  if (failed(scale))
    return {};
  bool hasOffset = false, padded = false;
  if (parseFlags(parser, {{"offset", "f32", hasOffset}, {"pad", "", padded}}) ||
      parser.parseGreater())
    return {};
  return parser.getChecked<CodebookAttr>(loc, parser.getContext(), table,
                                         levels, group->rows, group->cols,
                                         *scale, hasOffset, padded);
}

void CodebookAttr::print(AsmPrinter &printer) const {
  printer << '<';
  if (DenseF32ArrayAttr levels = getLevels()) {
    printer << '[';
    llvm::interleaveComma(levels.asArrayRef(), printer, [&](float level) {
      printer.printFloat(llvm::APFloat(level));
    });
    printer << ']';
  } else {
    printer << getTable();
  }
  printer << ", ";
  getGroup(*this).print(printer);
  printer << ", ";
  getScales(*this).print(printer);
  if (getPadded())
    printer << ", pad";
  printer << '>';
}
