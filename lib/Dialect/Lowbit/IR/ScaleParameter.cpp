//===- ScaleParameter.cpp - the scales of a format, in IR -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScaleParameter.h"
#include "lowbit/Quantize/Codebook.h"

using namespace mlir;
using namespace lowbit;

static std::optional<ScaleType> getScaleType(Attribute scale) {
  auto attr = dyn_cast_or_null<TypeAttr>(scale);
  if (!attr)
    return std::nullopt;
  Type type = attr.getValue();
  if (isa<Float8E8M0FNUType>(type))
    return ScaleType::F8E8M0FNU;
  if (isa<Float8E4M3FNType>(type))
    return ScaleType::F8E4M3FN;
  if (type.isF32())
    return ScaleType::F32;
  if (type.isF16())
    return ScaleType::F16;
  if (type.isBF16())
    return ScaleType::BF16;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

Attribute ScaleParameter::get(MLIRContext *context, ScaleType type) {
  switch (type) {
  case ScaleType::F32:
    return TypeAttr::get(Float32Type::get(context));
  case ScaleType::F16:
    return TypeAttr::get(Float16Type::get(context));
  case ScaleType::BF16:
    return TypeAttr::get(BFloat16Type::get(context));
  case ScaleType::F8E8M0FNU:
    return TypeAttr::get(Float8E8M0FNUType::get(context));
  case ScaleType::F8E4M3FN:
    return TypeAttr::get(Float8E4M3FNType::get(context));
  }
  llvm_unreachable("no such type");
}

FailureOr<Attribute> ScaleParameter::parse(AsmParser &parser) {
  if (parser.parseKeyword("scale") || parser.parseEqual())
    return failure();
  Type type;
  OptionalParseResult result = parser.parseOptionalType(type);
  if (result.has_value()) {
    if (failed(*result))
      return failure();
    return FailureOr<Attribute>(TypeAttr::get(type));
  }
  Attribute format;
  if (parser.parseAttribute(format))
    return failure();
  return format;
}

void ScaleParameter::print(AsmPrinter &printer) const {
  printer << "scale = " << scale;
  if (hasOffset)
    printer << ", offset = f32";
}

LogicalResult ScaleParameter::verify(
    llvm::function_ref<InFlightDiagnostic()> emitError) const {
  if (!getFormat() && !getScaleType(scale))
    return emitError() << "scale must be f32, f16, bf16, f8E8M0FNU, f8E4M3FN "
                          "or a number format, got "
                       << scale;
  if (hasOffset && !getFormat())
    return emitError() << "an offset is only for scales that a format stores";
  if (llvm::Error error = getStorage().check())
    return emitError() << llvm::toString(std::move(error));
  return success();
}

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

LogicalResult ScaleParameter::verifyGrid(
    ArrayRef<int64_t> grid,
    llvm::function_ref<InFlightDiagnostic()> emitError) const {
  QuantFormatAttrInterface format = getFormat();
  if (!format)
    return success();
  return format.verifyShape(grid, [&]() -> InFlightDiagnostic {
    return emitError() << "of the " << name << ", ";
  });
}

ScaleParameter ScaleParameter::adaptToGrid(ArrayRef<int64_t> grid) const {
  QuantFormatAttrInterface format = getFormat();
  return {format ? format.adaptToShape(grid) : scale, hasOffset, name};
}

ScaleStorage ScaleParameter::getStorage() const {
  if (QuantFormatAttrInterface format = getFormat())
    return ScaleStorage(format.getBlockFormat(), hasOffset, name.str());
  return *getScaleType(scale);
}

void ScaleParameter::appendComponents(
    ArrayRef<int64_t> grid, SmallVectorImpl<FormatComponent> &to) const {
  MLIRContext *context = scale.getContext();
  QuantFormatAttrInterface format = getFormat();
  if (!format) {
    Type type = cast<TypeAttr>(scale).getValue();
    if (type.getIntOrFloatBitWidth() == 8)
      type = IntegerType::get(context, 8);
    to.push_back({name, RankedTensorType::get(grid, type)});
    return;
  }
  auto getName = [&](StringRef part) {
    return StringAttr::get(context, name + "_" + part).getValue();
  };
  for (FormatComponent component : format.getComponents(grid))
    to.push_back({getName(component.name), component.type});
  if (hasOffset)
    to.push_back({getName("offset"),
                  RankedTensorType::get({1}, Float32Type::get(context))});
}

//===----------------------------------------------------------------------===//
// Meaning
//===----------------------------------------------------------------------===//

/// `decodeE8M0`, of a byte.
static Value buildDecodeE8M0(FormatEmitter &b, Value stored) {
  Value byte = arith::ExtUIOp::create(b, b.getI32Type(), stored);
  auto equals = [&](int64_t value) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, byte,
                                 b.i32(value));
  };
  Value bits = arith::ShLIOp::create(b, byte, b.i32(23));
  // 2^-127 is subnormal.
  bits = arith::SelectOp::create(b, equals(0), b.i32(0x00400000), bits);
  bits = arith::SelectOp::create(b, equals(255), b.i32(0x7FC00000), bits);
  return arith::BitcastOp::create(b, b.getF32Type(), bits);
}

Value ScaleParameter::buildDecode(FormatEmitter &b, ArrayRef<int64_t> grid,
                                  ValueRange components,
                                  ValueRange indices) const {
  if (QuantFormatAttrInterface format = getFormat()) {
    Value value = format.buildDecode(
        b, b.getLoc(), RankedTensorType::get(grid, b.getF32Type()),
        hasOffset ? components.drop_back() : components, indices);
    if (!hasOffset)
      return value;
    Value offset = tensor::ExtractOp::create(b, components.back(), b.index(0));
    return arith::AddFOp::create(b, value, offset);
  }
  Value stored = tensor::ExtractOp::create(b, components.front(), indices);
  switch (*getScaleType(scale)) {
  case ScaleType::F8E8M0FNU:
    return buildDecodeE8M0(b, stored);
  case ScaleType::F8E4M3FN:
    return b.lookUp(Codebook::find("e4m3")->getLevels(),
                    arith::ExtUIOp::create(b, b.getI32Type(), stored));
  default:
    return b.convert(stored, b.getF32Type());
  }
}
