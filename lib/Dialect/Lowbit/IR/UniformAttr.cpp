//===- UniformAttr.cpp - integers with a scale per group ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatFlags.h"
#include "GroupShape.h"
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

UniformFormat::Spec UniformAttr::getSpec() const {
  UniformFormat::Spec spec;
  spec.bits = getBits();
  spec.isSigned = getIsSigned();
  spec.zero = getZero();
  spec.narrowRange = getNarrowRange();
  spec.groupRows = getGroupRows();
  spec.groupCols = getGroupCols();
  spec.scaleType = *getStoredFloatType(getScaleType());
  return spec;
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
             lowbit::getFloatType(context, spec.scaleType), spec.zero,
             spec.narrowRange, padded);
}

QuantFormatAttrInterface
UniformAttr::adaptToShape(ArrayRef<int64_t> shape) const {
  return get(getContext(), getSpec(), getGroup(*this).needsPadding(shape));
}

LogicalResult
UniformAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                    unsigned bits, bool isSigned, int64_t groupRows,
                    int64_t groupCols, Type scaleType, ZeroKind zero,
                    bool narrowRange, bool padded) {
  std::optional<ElementType> scale = getStoredFloatType(scaleType);
  if (!scale)
    return emitError() << "scale must be f16, bf16 or f32, got " << scaleType;
  UniformFormat::Spec spec;
  spec.bits = bits;
  spec.isSigned = isSigned;
  spec.zero = zero;
  spec.narrowRange = narrowRange;
  spec.groupRows = groupRows;
  spec.groupCols = groupCols;
  spec.scaleType = *scale;
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
  return getGroup(*this).verify(shape, getPadded(), "a uniform format",
                                emitError);
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
  components.push_back(
      {"scales", RankedTensorType::get(groups, getScaleType())});
  if (std::optional<ElementType> zeroType = getFloatType(getZero()))
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
  codes.scaleType = getScaleType();
  return codes;
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

Attribute UniformAttr::parse(AsmParser &parser, Type) {
  StringRef codeKeyword, zeroKeyword;
  Type scaleType;
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
  if (failed(group) || parser.parseComma() || parser.parseKeyword("scale") ||
      parser.parseEqual() || parser.parseType(scaleType) ||
      parser.parseComma() || parser.parseKeyword("zero") || parser.parseEqual())
    return {};
  SMLoc zeroLoc = parser.getCurrentLocation();
  if (parser.parseKeyword(&zeroKeyword))
    return {};
  std::optional<ZeroKind> zero = parseZeroKind(zeroKeyword, codeKeyword);
  if (!zero) {
    parser.emitError(zeroLoc)
        << "zero must be " << codeKeyword
        << ", the type of the codes, f16, bf16, f32 or none, got '"
        << zeroKeyword << "'";
    return {};
  }
  bool narrowRange = false, padded = false;
  if (parseFlags(parser, {{"narrow", "", narrowRange}, {"pad", "", padded}}) ||
      parser.parseGreater())
    return {};
  return parser.getChecked<UniformAttr>(
      loc, parser.getContext(), code->bits, code->isSigned, group->rows,
      group->cols, scaleType, *zero, narrowRange, padded);
}

void UniformAttr::print(AsmPrinter &printer) const {
  auto printCodeType = [&] {
    printer << (getIsSigned() ? 's' : 'u') << getBits();
  };
  printer << '<';
  printCodeType();
  printer << ", ";
  getGroup(*this).print(printer);
  printer << ", scale = " << getScaleType() << ", zero = ";
  if (std::optional<ElementType> zeroType = getFloatType(getZero()))
    printer << lowbit::getFloatType(getContext(), *zeroType);
  else if (getHasZeroPoint())
    printCodeType();
  else
    printer << "none";
  if (getNarrowRange())
    printer << ", narrow";
  if (getPadded())
    printer << ", pad";
  printer << '>';
}
