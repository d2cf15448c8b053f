//===- NOfMAttr.cpp - some elements of every block ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatEmitter.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Quantize/BitPacking.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lowbit;

NOfMFormat::Spec NOfMAttr::getSpec() const {
  return {{getKept(), getBlock()}, getValues().getBlockFormat()};
}

static constexpr llvm::StringLiteral indicesName = "indices";

static NOfMFormat getFormat(NOfMAttr attr) {
  // The attribute's verifier has accepted the same values.
  return llvm::cantFail(NOfMFormat::get(attr.getSpec()));
}

std::shared_ptr<const BlockFormat> NOfMAttr::getBlockFormat() const {
  return std::make_shared<NOfMFormat>(getFormat(*this));
}

LogicalResult
NOfMAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                 int64_t kept, int64_t block, QuantFormatAttrInterface values) {
  llvm::Expected<NOfMFormat> format =
      NOfMFormat::get({{kept, block}, values.getBlockFormat()});
  if (!format)
    return emitError() << llvm::toString(format.takeError());
  return success();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// The shape of the values of a tensor.
static SmallVector<int64_t> getStoredShape(NOfMAttr attr,
                                           ArrayRef<int64_t> shape) {
  SmallVector<int64_t> stored(shape);
  stored.back() =
      llvm::divideCeil(shape.back(), attr.getBlock()) * attr.getKept();
  return stored;
}

LogicalResult NOfMAttr::verifyShape(
    ArrayRef<int64_t> shape,
    llvm::function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.empty())
    return emitError() << "an N:M format stores tensors of at least one "
                          "dimension, got a scalar";
  if (ShapedType::isDynamic(shape.back()))
    return emitError() << "the last dimension must be static, because it is "
                          "cut into blocks";
  if (shape.back() == 0)
    return emitError() << "the last dimension must not be empty";
  const SmallVector<int64_t> stored = getStoredShape(*this, shape);
  if (failed(getValues().verifyShape(stored, [&]() -> InFlightDiagnostic {
        return emitError() << "of the values, ";
      })))
    return failure();
  for (const FormatComponent &component : getValues().getComponents(stored))
    if (component.name == indicesName)
      return emitError() << "the values must not be N:M themselves, got "
                         << getValues();
  const int64_t group = getValues().getGroupCols(stored);
  if (group < stored.back() && group % getKept() != 0)
    return emitError() << "groups of " << group
                       << " values do not hold whole blocks of " << getKept();
  return success();
}

QuantFormatAttrInterface NOfMAttr::adaptToShape(ArrayRef<int64_t> shape) const {
  return get(getContext(), getKept(), getBlock(),
             getValues().adaptToShape(getStoredShape(*this, shape)));
}

int64_t NOfMAttr::getGroupCols(ArrayRef<int64_t> shape) const {
  const int64_t group = getValues().getGroupCols(getStoredShape(*this, shape));
  return std::min(group / getKept() * getBlock(), shape.back());
}

SmallVector<FormatComponent>
NOfMAttr::getComponents(ArrayRef<int64_t> shape) const {
  SmallVector<int64_t> stored = getStoredShape(*this, shape);
  SmallVector<FormatComponent> components = getValues().getComponents(stored);
  stored.back() =
      getPackedBytes(stored.back(), getFormat(*this).getIndexBits());
  components.push_back(
      {indicesName,
       RankedTensorType::get(stored, IntegerType::get(getContext(), 8))});
  return components;
}

//===----------------------------------------------------------------------===//
// Meaning
//===----------------------------------------------------------------------===//

Value NOfMAttr::buildDecode(OpBuilder &builder, Location loc,
                            RankedTensorType expressed, ValueRange components,
                            ValueRange indices) const {
  FormatEmitter b(loc, builder);
  const unsigned bits = getFormat(*this).getIndexBits();
  Value size = b.index(getBlock());
  Value block = arith::DivUIOp::create(b, indices.back(), size);
  Value place = arith::IndexCastUIOp::create(
      b, b.getI32Type(), arith::RemUIOp::create(b, indices.back(), size));
  Value first = arith::MulIOp::create(b, block, b.index(getKept()));
  SmallVector<Value> stored(indices);
  // At most one of the values is at this place.
  Value column = first;
  Value isStored;
  for (int64_t i = 0; i < getKept(); ++i) {
    Value candidate = arith::AddIOp::create(b, first, b.index(i));
    stored.back() = candidate;
    Value index = b.unpack(bits, /*isSigned=*/false, components.back(), stored);
    Value isHere =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, index, place);
    column = arith::SelectOp::create(b, isHere, candidate, column);
    isStored = isStored ? arith::OrIOp::create(b, isStored, isHere) : isHere;
  }
  stored.back() = column;
  Value value = getValues().buildDecode(
      b, loc, expressed.clone(getStoredShape(*this, expressed.getShape())),
      components.drop_back(), stored);
  Value zero =
      arith::ConstantOp::create(b, b.getZeroAttr(expressed.getElementType()));
  return arith::SelectOp::create(b, isStored, value, zero);
}

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

Attribute NOfMAttr::parse(AsmParser &parser, Type) {
  int64_t kept, block;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseInteger(kept) || parser.parseColon() ||
      parser.parseInteger(block) || parser.parseComma() ||
      parser.parseKeyword("values") || parser.parseEqual())
    return {};
  SMLoc valuesLoc = parser.getCurrentLocation();
  Attribute attr;
  if (parser.parseAttribute(attr) || parser.parseGreater())
    return {};
  auto values = dyn_cast<QuantFormatAttrInterface>(attr);
  if (!values) {
    parser.emitError(valuesLoc) << "expected a number format, got " << attr;
    return {};
  }
  return parser.getChecked<NOfMAttr>(loc, parser.getContext(), kept, block,
                                     values);
}

void NOfMAttr::print(AsmPrinter &printer) const {
  printer << '<' << getKept() << ':' << getBlock()
          << ", values = " << Attribute(getValues()) << '>';
}
