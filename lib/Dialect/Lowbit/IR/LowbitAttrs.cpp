//===- LowbitAttrs.cpp - lowbit attributes --------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace lowbit;

#define GET_ATTRDEF_CLASSES
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.cpp.inc"

void LowbitDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.cpp.inc"
      >();
}

uint64_t ExternalAttr::getByteSize(RankedTensorType type) {
  return type.getNumElements() *
         llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

llvm::Expected<ArrayRef<char>> ExternalAttr::getBytes() const {
  auto *dialect = getContext()->getLoadedDialect<LowbitDialect>();
  WeightStore &store = dialect->getWeightStore();
  RankedTensorType type = getType();
  if (getKey().empty())
    return store.get(getFile(), getOffset(), getLength(),
                     llvm::divideCeil(type.getElementTypeBitWidth(), 8));
  llvm::Expected<ArrayRef<char>> bytes = store.get(getFile(), getKey());
  if (bytes && bytes->size() != getByteSize(type))
    return makeError("tensor '" + getKey() + "' of weight file '" + getFile() +
                     "' has " + Twine(bytes->size()) + " bytes, but its type " +
                     "takes " + Twine(getByteSize(type)));
  return bytes;
}

void ExternalAttr::release() const {
  WeightStore &store =
      getContext()->getLoadedDialect<LowbitDialect>()->getWeightStore();
  if (llvm::Expected<ArrayRef<char>> bytes = getBytes())
    store.release(*bytes);
  else
    llvm::consumeError(bytes.takeError());
}

LogicalResult
ExternalAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                     RankedTensorType type, StringRef file, StringRef key,
                     uint64_t offset, uint64_t length) {
  if (!type || !type.hasStaticShape() || !type.getElementType().isIntOrFloat())
    return emitError() << "external weight must have a tensor type of static "
                          "shape with integer or float elements, got "
                       << type;
  if (file.empty())
    return emitError() << "external weight names no file";
  if (key.empty() && length != getByteSize(type))
    return emitError() << "external weight of type " << type << " takes "
                       << getByteSize(type) << " bytes, but its length is "
                       << length;
  return success();
}

Attribute ExternalAttr::parse(AsmParser &parser, Type type) {
  std::string file, key;
  uint64_t offset = 0, length = 0;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseString(&file) || parser.parseComma())
    return {};
  if (failed(parser.parseOptionalString(&key)) &&
      (parser.parseKeyword("offset") || parser.parseEqual() ||
       parser.parseInteger(offset) || parser.parseComma() ||
       parser.parseKeyword("length") || parser.parseEqual() ||
       parser.parseInteger(length)))
    return {};
  if (parser.parseGreater())
    return {};
  // The type follows the attribute unless the context has given it.
  if (!type && parser.parseColonType(type))
    return {};
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor) {
    parser.emitError(loc) << "external weight must have a ranked tensor type, "
                             "got "
                          << type;
    return {};
  }
  return parser.getChecked<ExternalAttr>(loc, parser.getContext(), tensor, file,
                                         key, offset, length);
}

void ExternalAttr::print(AsmPrinter &printer) const {
  printer << '<';
  printer.printString(getFile());
  printer << ", ";
  if (!getKey().empty())
    printer.printString(getKey());
  else
    printer << "offset = " << getOffset() << ", length = " << getLength();
  printer << '>';
}

llvm::Expected<ArrayRef<char>> lowbit::getConstantBytes(Attribute value) {
  if (auto external = dyn_cast<ExternalAttr>(value))
    return external.getBytes();
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense || dense.getElementType().isInteger(1) ||
      (dense.isSplat() && dense.getNumElements() != 1))
    return makeError("the constant has no dense bytes");
  return dense.getRawData();
}

llvm::Expected<ArrayRef<char>>
lowbit::getConstantBytes(Attribute value, SmallVectorImpl<char> &storage) {
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (dense && dense.getElementType().isInteger(1)) {
    // MLIR packs truth values to bits; memory has bytes.
    for (bool element : dense.getValues<bool>())
      storage.push_back(element);
    return ArrayRef<char>(storage);
  }
  if (!dense || !dense.isSplat())
    return getConstantBytes(value);
  ArrayRef<char> element = dense.getRawData();
  for (int64_t i = 0, e = dense.getNumElements(); i < e; ++i)
    storage.append(element.begin(), element.end());
  return ArrayRef<char>(storage);
}

llvm::Expected<TypedAttr> lowbit::storeConstant(StringRef name,
                                                RankedTensorType type,
                                                ArrayRef<char> bytes) {
  if (bytes.size() < LowbitDialect::inlineLimit)
    return TypedAttr(DenseElementsAttr::getFromRawBuffer(type, bytes));
  auto *dialect = type.getContext()->getLoadedDialect<LowbitDialect>();
  llvm::Expected<std::string> file = dialect->getWeightStore().write(
      name, getSafeTensorsType(type.getElementType()), type.getShape(), bytes);
  if (!file)
    return file.takeError();
  return TypedAttr(ExternalAttr::get(type, *file, name));
}
