//===- UniformAttr.cpp - integers with a scale per group ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

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

static bool needsPadding(int64_t group, int64_t size) {
  return group != 0 && size % group != 0;
}

UniformAttr UniformAttr::get(MLIRContext *context,
                             const UniformFormat::Spec &spec, bool padded) {
  return get(context, spec.bits, spec.isSigned, spec.groupRows, spec.groupCols,
             lowbit::getFloatType(context, spec.scaleType), spec.zero,
             spec.narrowRange, padded);
}

QuantFormatAttrInterface
UniformAttr::adaptToShape(ArrayRef<int64_t> shape) const {
  bool padded = needsPadding(getGroupCols(), shape.back()) ||
                (shape.size() == 2 && getGroupRows() > 1 &&
                 needsPadding(getGroupRows(), shape.front()));
  return get(getContext(), getSpec(), padded);
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
  return getGroupCols() == 0 ? shape.back() : getGroupCols();
}

LogicalResult UniformAttr::verifyShape(
    ArrayRef<int64_t> shape,
    llvm::function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.empty())
    return emitError() << "a uniform format stores tensors of at least one "
                          "dimension, got a scalar";
  if (ShapedType::isDynamic(shape.back()))
    return emitError() << "the last dimension must be static, because codes "
                          "are packed along it";
  if (shape.back() == 0)
    return emitError() << "the last dimension must not be empty";
  auto needsPad = [&](int64_t group, StringRef what, int64_t size) {
    return emitError() << "groups of " << group << " " << what
                       << " do not divide the " << size
                       << "; state the padding with 'pad'";
  };
  if (!getPadded() && needsPadding(getGroupCols(), shape.back()))
    return needsPad(getGroupCols(), "columns", shape.back());
  if (getGroupRows() <= 1)
    return success();
  if (shape.size() != 2)
    return emitError() << "groups of " << getGroupRows()
                       << " rows need a matrix, got " << shape.size()
                       << " dimensions";
  if (ShapedType::isDynamic(shape.front()))
    return emitError() << "groups of " << getGroupRows()
                       << " rows need a static number of rows";
  if (!getPadded() && needsPadding(getGroupRows(), shape.front()))
    return needsPad(getGroupRows(), "rows", shape.front());
  return success();
}

SmallVector<FormatComponent>
UniformAttr::getComponents(ArrayRef<int64_t> shape) const {
  auto getPacked = [&](SmallVector<int64_t> unpacked) {
    unpacked.back() = getPackedBytes(unpacked.back(), getBits());
    return RankedTensorType::get(unpacked, IntegerType::get(getContext(), 8));
  };
  SmallVector<int64_t> groups(shape);
  groups.back() = llvm::divideCeil(shape.back(), getGroupCols(shape));
  if (getGroupRows() != 1)
    for (int64_t &rows : llvm::MutableArrayRef(groups).drop_back())
      rows = getGroupRows() == 0 ? 1 : llvm::divideCeil(rows, getGroupRows());

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
  if (!isInteger())
    return std::nullopt;
  return ScaledCodes{getBits(),        getIsSigned(),  getHasZeroPoint(),
                     /*levels=*/{},    getGroupRows(), getGroupCols(),
                     getScaleType()};
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

static ParseResult parseGroupSize(AsmParser &parser, int64_t &size) {
  if (succeeded(parser.parseOptionalStar())) {
    size = 0;
    return success();
  }
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseInteger(size))
    return failure();
  if (size < 1)
    return parser.emitError(loc)
           << "a group size is positive, or * for the whole dimension, got "
           << size;
  return success();
}

Attribute UniformAttr::parse(AsmParser &parser, Type) {
  StringRef codeKeyword, zeroKeyword;
  int64_t groupRows, groupCols;
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
  if (parser.parseComma() || parser.parseKeyword("group") ||
      parser.parseEqual() || parser.parseLSquare() ||
      parseGroupSize(parser, groupRows) || parser.parseComma() ||
      parseGroupSize(parser, groupCols) || parser.parseRSquare() ||
      parser.parseComma() || parser.parseKeyword("scale") ||
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
  while (succeeded(parser.parseOptionalComma())) {
    SMLoc flagLoc = parser.getCurrentLocation();
    StringRef flag;
    if (parser.parseKeyword(&flag))
      return {};
    bool *value = llvm::StringSwitch<bool *>(flag)
                      .Case("narrow", &narrowRange)
                      .Case("pad", &padded)
                      .Default(nullptr);
    if (!value || *value) {
      parser.emitError(flagLoc) << "expected 'narrow' or 'pad', each at most "
                                   "once, got '"
                                << flag << "'";
      return {};
    }
    *value = true;
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<UniformAttr>(loc, parser.getContext(), code->bits,
                                        code->isSigned, groupRows, groupCols,
                                        scaleType, *zero, narrowRange, padded);
}

void UniformAttr::print(AsmPrinter &printer) const {
  auto printCodeType = [&] {
    printer << (getIsSigned() ? 's' : 'u') << getBits();
  };
  auto printGroupSize = [&](int64_t size) {
    if (size == 0)
      printer << '*';
    else
      printer << size;
  };
  printer << '<';
  printCodeType();
  printer << ", group = [";
  printGroupSize(getGroupRows());
  printer << ", ";
  printGroupSize(getGroupCols());
  printer << "], scale = " << getScaleType() << ", zero = ";
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
