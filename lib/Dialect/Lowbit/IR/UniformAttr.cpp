//===- UniformAttr.cpp - integers with a scale per group ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatFlags.h"
#include "GroupShape.h"
#include "ScaleParameter.h"
#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Quantize/BitPacking.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lowbit;

//===----------------------------------------------------------------------===//
// The plain C++ format
//===----------------------------------------------------------------------===//

static ScaleParameter getScales(UniformAttr attr) {
  return {attr.getScale(), attr.getHasOffset()};
}

/// Of zero points that have a format.
static ScaleParameter getZeros(UniformAttr attr) {
  return {attr.getZeroFormat(), /*hasOffset=*/false, "zeros"};
}

UniformFormat::Spec UniformAttr::getSpec() const {
  UniformFormat::Spec spec;
  spec.bits = getBits();
  spec.isSigned = getIsSigned();
  spec.zero = getZero();
  spec.narrowRange = getNarrowRange();
  spec.groupRows = getGroupRows();
  spec.groupCols = getGroupCols();
  spec.scales = getScales(*this).getStorage();
  if (getZeroFormat())
    spec.zeroFormat = getZeroFormat().getBlockFormat();
  return spec;
}

Type UniformAttr::getScaleType() const {
  auto type = dyn_cast<TypeAttr>(getScale());
  return type ? type.getValue() : Type();
}

bool UniformAttr::isInteger() const {
  return (getZero() == ZeroKind::None || getZero() == ZeroKind::Integer) &&
         getScaleType() && getStoredFloatType(getScaleType());
}

std::shared_ptr<const BlockFormat> UniformAttr::getBlockFormat() const {
  // The attribute's verifier has accepted the same values.
  return std::make_shared<UniformFormat>(
      llvm::cantFail(UniformFormat::get(getSpec())));
}

static GroupShape getGroup(UniformAttr attr) {
  return {attr.getGroupRows(), attr.getGroupCols()};
}

UniformAttr UniformAttr::get(MLIRContext *context,
                             const UniformFormat::Spec &spec, bool padded) {
  return get(context, spec.bits, spec.isSigned, spec.groupRows, spec.groupCols,
             ScaleParameter::get(context, spec.scales.getType()),
             /*hasOffset=*/false, spec.zero, /*zeroFormat=*/nullptr,
             spec.narrowRange, padded);
}

QuantFormatAttrInterface
UniformAttr::adaptToShape(ArrayRef<int64_t> shape) const {
  GroupShape group = getGroup(*this);
  const SmallVector<int64_t> grid = group.getGrid(shape);
  ScaleParameter scales = getScales(*this).adaptToGrid(grid);
  QuantFormatAttrInterface zeros = getZeroFormat();
  return get(getContext(), getBits(), getIsSigned(), group.rows, group.cols,
             scales.scale, scales.hasOffset, getZero(),
             zeros ? zeros.adaptToShape(grid) : zeros, getNarrowRange(),
             group.needsPadding(shape));
}

LogicalResult
UniformAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                    unsigned bits, bool isSigned, int64_t groupRows,
                    int64_t groupCols, Attribute scale, bool hasOffset,
                    ZeroKind zero, QuantFormatAttrInterface zeroFormat,
                    bool narrowRange, bool padded) {
  ScaleParameter scales{scale, hasOffset};
  if (failed(scales.verify(emitError)))
    return failure();
  UniformFormat::Spec spec;
  spec.bits = bits;
  spec.isSigned = isSigned;
  spec.zero = zero;
  spec.narrowRange = narrowRange;
  spec.groupRows = groupRows;
  spec.groupCols = groupCols;
  spec.scales = scales.getStorage();
  if (zeroFormat)
    spec.zeroFormat = zeroFormat.getBlockFormat();
  llvm::Expected<UniformFormat> format = UniformFormat::get(spec);
  if (!format)
    return emitError() << llvm::toString(format.takeError());
  return success();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

int64_t UniformAttr::getGroupCols(ArrayRef<int64_t> shape) const {
  return getGroup(*this).getCols(shape);
}

LogicalResult UniformAttr::verifyShape(
    ArrayRef<int64_t> shape,
    llvm::function_ref<InFlightDiagnostic()> emitError) const {
  GroupShape group = getGroup(*this);
  if (failed(group.verify(shape, getPadded(), "a uniform format", emitError)))
    return failure();
  const SmallVector<int64_t> grid = group.getGrid(shape);
  if (failed(getScales(*this).verifyGrid(grid, emitError)))
    return failure();
  return success(!getZeroFormat() ||
                 succeeded(getZeros(*this).verifyGrid(grid, emitError)));
}

SmallVector<FormatComponent>
UniformAttr::getComponents(ArrayRef<int64_t> shape) const {
  auto getPacked = [&](SmallVector<int64_t> unpacked) {
    unpacked.back() = getPackedBytes(unpacked.back(), getBits());
    return RankedTensorType::get(unpacked, IntegerType::get(getContext(), 8));
  };
  SmallVector<int64_t> groups = getGroup(*this).getGrid(shape);
  SmallVector<FormatComponent> components;
  components.push_back({"codes", getPacked(SmallVector<int64_t>(shape))});
  getScales(*this).appendComponents(groups, components);
  if (getZeroFormat())
    getZeros(*this).appendComponents(groups, components);
  else if (std::optional<ElementType> zeroType = getFloatType(getZero()))
    components.push_back(
        {"zeros", RankedTensorType::get(
                      groups, lowbit::getFloatType(getContext(), *zeroType))});
  else if (getHasZeroPoint())
    components.push_back({"zeros", getPacked(groups)});
  return components;
}

std::optional<ScaledCodes> UniformAttr::getScaledCodes() const {
  ScaledCodes codes;
  codes.bits = getBits();
  codes.isSigned = getIsSigned();
  if (std::optional<ElementType> type = ::lowbit::getFloatType(getZero()))
    codes.zeroType = ::lowbit::getFloatType(getContext(), *type);
  else if (getHasZeroPoint())
    codes.zeroType = IntegerType::get(getContext(), 8);
  codes.groupRows = getGroupRows();
  codes.groupCols = getGroupCols();
  getScales(*this).describe(codes);
  if (getZeroFormat()) {
    codes.zeroType = Float32Type::get(getContext());
    codes.ownStorage = true;
  }
  return codes;
}

SmallVector<std::vector<char>>
UniformAttr::unpackScaledCodes(ArrayRef<int64_t> shape,
                               ArrayRef<ArrayRef<char>> components) const {
  const SmallVector<int64_t> grid = getGroup(*this).getGrid(shape);
  SmallVector<FormatComponent> ofScales;
  getScales(*this).appendComponents(grid, ofScales);
  SmallVector<std::vector<char>> unpacked =
      getScales(*this).unpack(grid, components.slice(1, ofScales.size()));
  unpacked.insert(unpacked.begin(),
                  {components[0].begin(), components[0].end()});
  ArrayRef<ArrayRef<char>> zeros = components.drop_front(1 + ofScales.size());
  if (getZeroFormat())
    unpacked.push_back(getZeros(*this).expand(grid, zeros));
  else if (getHasZeroPoint())
    unpacked.emplace_back(zeros[0].begin(), zeros[0].end());
  return unpacked;
}

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

namespace {
/// What `u4` and `s8` stand for.
struct CodeType {
  unsigned bits;
  bool isSigned;
};
} // namespace

static std::optional<CodeType> getCodeType(StringRef keyword) {
  unsigned bits;
  if (keyword.size() < 2 || (keyword[0] != 'u' && keyword[0] != 's') ||
      keyword.drop_front().getAsInteger(10, bits))
    return std::nullopt;
  return CodeType{bits, keyword[0] == 's'};
}

/// `none`, the keyword of the codes, or a float type.
static std::optional<ZeroKind> parseZeroKind(StringRef keyword,
                                             StringRef codeKeyword) {
  if (keyword == codeKeyword)
    return ZeroKind::Integer;
  return llvm::StringSwitch<std::optional<ZeroKind>>(keyword)
      .Case("none", ZeroKind::None)
      .Case("f16", ZeroKind::F16)
      .Case("bf16", ZeroKind::BF16)
      .Case("f32", ZeroKind::F32)
      .Default(std::nullopt);
}

/// Parses `zero = ...`.
static ParseResult parseZero(AsmParser &parser, StringRef codeKeyword,
                             ZeroKind &zero, QuantFormatAttrInterface &format) {
  if (parser.parseKeyword("zero") || parser.parseEqual())
    return failure();
  SMLoc loc = parser.getCurrentLocation();
  StringRef keyword;
  if (succeeded(parser.parseOptionalKeyword(&keyword))) {
    if (std::optional<ZeroKind> kind = parseZeroKind(keyword, codeKeyword)) {
      zero = *kind;
      return success();
    }
    return parser.emitError(loc)
           << "zero must be " << codeKeyword
           << ", the type of the codes, f16, bf16, f32, a number format or "
              "none, got '"
           << keyword << "'";
  }
  Attribute attr;
  if (parser.parseAttribute(attr))
    return failure();
  format = dyn_cast<QuantFormatAttrInterface>(attr);
  if (!format)
    return parser.emitError(loc)
           << "zero must be a number format, got " << attr;
  zero = ZeroKind::Format;
  return success();
}

Attribute UniformAttr::parse(AsmParser &parser, Type) {
  StringRef codeKeyword;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseKeyword(&codeKeyword))
    return {};
  std::optional<CodeType> code = getCodeType(codeKeyword);
  if (!code) {
    parser.emitError(loc) << "codes must be u1 to u8 or s2 to s8, got '"
                          << codeKeyword << "'";
    return {};
  }
  if (parser.parseComma())
    return {};
  FailureOr<GroupShape> group = GroupShape::parse(parser);
  if (failed(group) || parser.parseComma())
    return {};
  FailureOr<Attribute> scale = ScaleParameter::parse(parser);
  ZeroKind zero;
  QuantFormatAttrInterface zeroFormat;
  if (failed(scale) || parser.parseComma() ||
      parseZero(parser, codeKeyword, zero, zeroFormat))
    return {};
  bool hasOffset = false, narrowRange = false, padded = false;
  if (parseFlags(parser, {{"offset", "f32", hasOffset},
                          {"narrow", "", narrowRange},
                          {"pad", "", padded}}) ||
      parser.parseGreater())
    return {};
  return parser.getChecked<UniformAttr>(
      loc, parser.getContext(), code->bits, code->isSigned, group->rows,
      group->cols, *scale, hasOffset, zero, zeroFormat, narrowRange, padded);
}

void UniformAttr::print(AsmPrinter &printer) const {
  auto printCodeType = [&] {
    printer << (getIsSigned() ? 's' : 'u') << getBits();
  };
  printer << '<';
  printCodeType();
  printer << ", ";
  getGroup(*this).print(printer);
  // The offset is one of the flags.
  printer << ", scale = " << getScale() << ", zero = ";
  if (getZeroFormat())
    printer << getZeroFormat();
  else if (std::optional<ElementType> zeroType = getFloatType(getZero()))
    printer << lowbit::getFloatType(getContext(), *zeroType);
  else if (getHasZeroPoint())
    printCodeType();
  else
    printer << "none";
  if (getHasOffset())
    printer << ", offset = f32";
  if (getNarrowRange())
    printer << ", narrow";
  if (getPadded())
    printer << ", pad";
  printer << '>';
}
