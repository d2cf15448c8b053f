//===- LowbitTypes.cpp - lowbit types -------------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitTypes.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace lowbit;

#define GET_TYPEDEF_CLASSES
#include "lowbit/Dialect/Lowbit/IR/LowbitTypes.cpp.inc"

void LowbitDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "lowbit/Dialect/Lowbit/IR/LowbitTypes.cpp.inc"
      >();
}

ShapedType QuantTensorType::cloneWith(std::optional<ArrayRef<int64_t>> shape,
                                      Type elementType) const {
  return get(shape.value_or(getShape()), elementType, getFormat(), getLayout());
}

SmallVector<FormatComponent> QuantTensorType::getComponents() const {
  if (PackedLayoutAttrInterface layout = getLayout())
    return layout.getPackedComponents(getFormat(), getShape());
  return getFormat().getComponents(getShape());
}

SmallVector<Type> QuantTensorType::getComponentTypes() const {
  return llvm::map_to_vector(
      getComponents(),
      [](const FormatComponent &component) -> Type { return component.type; });
}

LogicalResult
QuantTensorType::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                        ArrayRef<int64_t> shape, Type elementType,
                        QuantFormatAttrInterface format,
                        PackedLayoutAttrInterface layout) {
  if (!isa<FloatType>(elementType))
    return emitError() << "quantized tensor expresses elements of a float "
                          "type, got "
                       << elementType;
  if (failed(format.verifyShape(shape, emitError)))
    return failure();
  return layout ? layout.verifyLayout(format, shape, emitError) : success();
}

/// Parses an attribute that must implement `Interface`.
template <typename Interface>
static FailureOr<Interface> parseInterfaceAttr(AsmParser &parser,
                                               StringRef what) {
  Attribute attr;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseAttribute(attr))
    return failure();
  auto interface = dyn_cast<Interface>(attr);
  if (!interface)
    return parser.emitError(loc) << "expected " << what << ", got " << attr;
  return interface;
}

Type QuantTensorType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type elementType;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape) ||
      parser.parseType(elementType) || parser.parseComma())
    return {};
  FailureOr<QuantFormatAttrInterface> format =
      parseInterfaceAttr<QuantFormatAttrInterface>(parser, "a number format");
  if (failed(format))
    return {};
  PackedLayoutAttrInterface layout;
  if (succeeded(parser.parseOptionalComma())) {
    FailureOr<PackedLayoutAttrInterface> parsed =
        parseInterfaceAttr<PackedLayoutAttrInterface>(parser,
                                                      "a packed layout");
    if (failed(parsed))
      return {};
    layout = *parsed;
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<QuantTensorType>(loc, parser.getContext(), shape,
                                            elementType, *format, layout);
}

void QuantTensorType::print(AsmPrinter &printer) const {
  printer << '<';
  printer.printDimensionList(getShape());
  if (!getShape().empty())
    printer << 'x';
  printer << getElementType() << ", " << Attribute(getFormat());
  if (getLayout())
    printer << ", " << Attribute(getLayout());
  printer << '>';
}
