//===- TensorImporter.cpp - from TensorProto to attributes ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorImporter.h"
#include "WireFormat.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.h"
#include "lowbit/Dialect/Onnx/IR/OnnxSchema.h"
#include "lowbit/Dialect/Onnx/IR/OnnxTypes.h"
#include "lowbit/Support/OutputFile.h"
#include "lowbit/Target/Onnx/ImportOnnx.h"
#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace lowbit;
using namespace lowbit::onnx;
using ::onnx::SparseTensorProto;
using ::onnx::TensorProto;

/// The size of an element as ONNX stores it; types of 4 bits share bytes.
static unsigned getBitWidth(Type elementType) {
  if (auto complex = dyn_cast<ComplexType>(elementType))
    return 2 * complex.getElementType().getIntOrFloatBitWidth();
  unsigned width = elementType.getIntOrFloatBitWidth();
  return width == 1 ? 8 : width;
}

static uint64_t getPackedSize(RankedTensorType type) {
  return llvm::divideCeil(static_cast<uint64_t>(type.getNumElements()) *
                              getBitWidth(type.getElementType()),
                          8);
}

/// One byte for each element of a type of 4 bits, the low half first.
static std::vector<char> unpackNibbles(ArrayRef<char> packed, Type elementType,
                                       int64_t numElements) {
  std::vector<char> unpacked(numElements);
  bool isSigned = elementType.isSignlessInteger();
  for (int64_t i = 0; i < numElements; ++i) {
    unsigned code = static_cast<uint8_t>(packed[i / 2]) >> (i % 2 * 4) & 0xf;
    unpacked[i] = isSigned && code >= 8 ? static_cast<int>(code) - 16 : code;
  }
  return unpacked;
}

llvm::Expected<RankedTensorType>
TensorImporter::importType(const TensorProto &tensor) {
  Type elementType = getElementType(context, tensor.data_type());
  if (!elementType)
    return makeError("tensor '" + tensor.name() +
                     "' has the unknown data type " +
                     Twine(tensor.data_type()));
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  // An upper bound of the bits that keeps every later product in range.
  int64_t bits = 128;
  for (int64_t dim : shape)
    if (dim < 0 || llvm::MulOverflow(bits, std::max<int64_t>(dim, 1), bits))
      return makeError("tensor '" + tensor.name() +
                       "' has an impossible shape: dimension " + Twine(dim));
  return RankedTensorType::get(shape, elementType);
}

//===----------------------------------------------------------------------===//
// Data in lists of numbers
//===----------------------------------------------------------------------===//

template <typename To, typename List>
static std::vector<char> packAs(const List &list) {
  std::vector<char> bytes(list.size() * sizeof(To));
  char *out = bytes.data();
  for (auto number : list) {
    To element = static_cast<To>(number);
    std::memcpy(out, &element, sizeof(To));
    out += sizeof(To);
  }
  return bytes;
}

/// The elements that stand in the list that ONNX has for the data type, in the
/// form of `raw_data`.
static std::vector<char> packLists(const TensorProto &tensor,
                                   Type elementType) {
  if (isa<Float32Type>(elementType))
    return packAs<float>(tensor.float_data());
  if (isa<Float64Type>(elementType))
    return packAs<double>(tensor.double_data());
  if (auto complex = dyn_cast<ComplexType>(elementType))
    return complex.getElementType().isF32()
               ? packAs<float>(tensor.float_data())
               : packAs<double>(tensor.double_data());
  if (elementType.isSignlessInteger(64))
    return packAs<int64_t>(tensor.int64_data());
  if (elementType.isUnsignedInteger(64))
    return packAs<uint64_t>(tensor.uint64_data());
  if (elementType.isUnsignedInteger(32))
    return packAs<uint32_t>(tensor.uint64_data());
  if (elementType.isSignlessInteger(32))
    return packAs<int32_t>(tensor.int32_data());
  return getBitWidth(elementType) == 16 ? packAs<int16_t>(tensor.int32_data())
                                        : packAs<int8_t>(tensor.int32_data());
}

llvm::Expected<TypedAttr>
TensorImporter::importStrings(const TensorProto &tensor,
                              RankedTensorType type) {
  if (tensor.string_data_size() != type.getNumElements())
    return makeError("tensor '" + tensor.name() + "' has " +
                     Twine(tensor.string_data_size()) +
                     " strings, but its shape holds " +
                     Twine(type.getNumElements()));
  SmallVector<StringRef> strings(tensor.string_data().begin(),
                                 tensor.string_data().end());
  return cast<TypedAttr>(
      static_cast<Attribute>(DenseStringElementsAttr::get(type, strings)));
}

//===----------------------------------------------------------------------===//
// Data in files
//===----------------------------------------------------------------------===//

static llvm::Error checkLocation(StringRef location) {
  namespace path = llvm::sys::path;
  if (location.empty())
    return makeError("external data names no file");
  bool leaves = path::is_absolute(location);
  for (StringRef part :
       llvm::make_range(path::begin(location), path::end(location)))
    leaves |= part == "..";
  if (leaves || location.contains('\0'))
    return makeError("external data '" + location +
                     "' does not lie in the model's folder");
  return llvm::Error::success();
}

/// Reads the `external_data` entries; `length` is what the shape asks for.
llvm::Expected<TensorImporter::Slice>
TensorImporter::locate(const TensorProto &tensor, uint64_t length) {
  Slice slice = {"", 0, length};
  bool isDetached = false;
  for (const auto &entry : tensor.external_data()) {
    StringRef key = entry.key(), value = entry.value();
    if (key == "location") {
      slice.file = value.str();
      continue;
    }
    bool isOffset = key == "offset" || key == kDetachedOffset;
    bool isLength = key == "length" || key == kDetachedLength;
    isDetached |= key == kDetachedOffset;
    if ((isOffset || isLength) &&
        value.getAsInteger(10, isOffset ? slice.offset : slice.length))
      return makeError("external data: " + key + " '" + value +
                       "' is not a number");
  }
  if (isDetached)
    slice.file = file;
  else if (llvm::Error error = checkLocation(slice.file))
    return error;
  if (slice.length != length)
    return makeError("has " + Twine(slice.length) +
                     " bytes of data, but its shape takes " + Twine(length));
  if (isDetached && (slice.offset > size || length > size - slice.offset))
    return makeError("lies beyond the end of the file");
  return slice;
}

llvm::Expected<TypedAttr> TensorImporter::importSlice(const TensorProto &tensor,
                                                      RankedTensorType type,
                                                      uint64_t length) {
  llvm::Expected<Slice> slice = locate(tensor, length);
  if (!slice)
    return slice.takeError();
  // Even where the bytes are not needed, this finds a missing or short file.
  // The model itself was checked, and need not be a file.
  bool inPlace = length >= kInlineLimit &&
                 type.getElementType().isIntOrFloat() &&
                 getBitWidth(type.getElementType()) >= 8;
  ArrayRef<char> bytes;
  if (!inPlace || slice->file != file) {
    llvm::Expected<ArrayRef<char>> found =
        store->get(slice->file, slice->offset, length);
    if (!found)
      return found.takeError();
    bytes = *found;
  }
  if (inPlace)
    return cast<TypedAttr>(
        ExternalAttr::get(type, slice->file, slice->offset, length));
  return makeConstant(type, bytes, tensor.name());
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

/// The name under which safetensors holds elements of a type. It has none for
/// 4-bit integers, which take a byte each, and for floats of a byte.
static StringRef getStorageType(Type elementType) {
  StringRef type = getSafeTensorsType(elementType);
  if (!type.empty())
    return type;
  if (elementType.isInteger(1))
    return "BOOL";
  return elementType.isSignlessInteger() ? "I8" : "U8";
}

llvm::Expected<TypedAttr> TensorImporter::makeConstant(RankedTensorType type,
                                                       ArrayRef<char> packed,
                                                       StringRef name) {
  Type elementType = type.getElementType();
  std::vector<char> unpacked;
  if (getBitWidth(elementType) == 4) {
    unpacked = unpackNibbles(packed, elementType, type.getNumElements());
    packed = unpacked;
  }
  if (packed.size() >= kInlineLimit && elementType.isIntOrFloat()) {
    std::string key = name.empty() ? "tensor" : name.str();
    for (unsigned i = 1; !writtenNames.insert(key).second; ++i)
      key = (name + "." + Twine(i)).str();
    llvm::Expected<std::string> path =
        store->write(key, getStorageType(elementType), type.getShape(), packed);
    if (!path)
      return path.takeError();
    return cast<TypedAttr>(ExternalAttr::get(type, *path, key));
  }
  if (type.getNumElements() == 0)
    return cast<TypedAttr>(static_cast<Attribute>(
        DenseElementsAttr::get(type, ArrayRef<Attribute>())));
  if (elementType.isInteger(1)) {
    SmallVector<bool> bools;
    for (char byte : packed)
      bools.push_back(byte != 0);
    return cast<TypedAttr>(
        static_cast<Attribute>(DenseElementsAttr::get(type, bools)));
  }
  return cast<TypedAttr>(static_cast<Attribute>(
      DenseElementsAttr::getFromRawBuffer(type, packed)));
}

llvm::Expected<TypedAttr> TensorImporter::import(const TensorProto &tensor) {
  llvm::Expected<RankedTensorType> type = importType(tensor);
  if (!type)
    return type.takeError();
  if (tensor.has_segment())
    return makeError("tensor '" + tensor.name() +
                     "' is stored in segments, which are not supported");
  if (isa<StringType>(type->getElementType()))
    return importStrings(tensor, *type);

  uint64_t length = getPackedSize(*type);
  if (tensor.data_location() == TensorProto::EXTERNAL) {
    llvm::Expected<TypedAttr> value = importSlice(tensor, *type, length);
    if (value)
      return value;
    return makeError("tensor '" + tensor.name() +
                     "': " + llvm::toString(value.takeError()));
  }
  std::vector<char> lists;
  ArrayRef<char> bytes;
  if (tensor.has_raw_data()) {
    bytes = ArrayRef<char>(tensor.raw_data().data(), tensor.raw_data().size());
  } else {
    lists = packLists(tensor, type->getElementType());
    // In a list, each byte that two elements of 4 bits share is a number.
    bytes = lists;
  }
  if (bytes.size() != length)
    return makeError("tensor '" + tensor.name() + "' has " +
                     Twine(bytes.size()) +
                     " bytes of data, but its shape takes " + Twine(length));
  return makeConstant(*type, bytes, tensor.name());
}

llvm::Expected<TypedAttr>
TensorImporter::import(const SparseTensorProto &tensor) {
  // Dense, a small file could fill any memory.
  constexpr uint64_t maxDenseSize = uint64_t(256) << 20;
  auto fail = [&](const Twine &what) {
    return makeError("sparse tensor '" + tensor.values().name() + "' " + what);
  };
  llvm::Expected<TypedAttr> values = import(tensor.values());
  if (!values)
    return values;
  llvm::Expected<TypedAttr> indices = import(tensor.indices());
  if (!indices)
    return indices;
  TensorProto shape;
  *shape.mutable_dims() = tensor.dims();
  shape.set_data_type(tensor.values().data_type());
  llvm::Expected<RankedTensorType> type = importType(shape);
  if (!type)
    return type.takeError();
  auto denseValues = dyn_cast<DenseIntOrFPElementsAttr>(*values);
  auto denseIndices = dyn_cast<DenseIntElementsAttr>(*indices);
  if (!denseValues || !denseIndices ||
      !denseIndices.getElementType().isSignlessInteger(64))
    return fail("must have numbers as values and 64-bit integers as indices, "
                "both small");
  int64_t count = denseValues.getNumElements(), rank = type->getRank();
  bool isLinear = denseIndices.getNumElements() == count && rank != 1;
  if (!isLinear && denseIndices.getNumElements() != count * rank)
    return fail("needs one index for each value");
  if (getPackedSize(*type) > maxDenseSize)
    return fail("is too large to be made dense");

  SmallVector<Attribute> elements(
      type->getNumElements(),
      Builder(context).getZeroAttr(type->getElementType()));
  auto index = denseIndices.value_begin<int64_t>();
  for (Attribute value : denseValues.getValues<Attribute>()) {
    int64_t position = 0;
    if (isLinear)
      position = *index++;
    else
      for (int64_t dim : type->getShape()) {
        if (*index < 0 || *index >= dim)
          return fail("has an index out of range");
        position = position * dim + *index++;
      }
    if (position < 0 || position >= type->getNumElements())
      return fail("has an index out of range");
    elements[position] = value;
  }
  return cast<TypedAttr>(
      static_cast<Attribute>(DenseElementsAttr::get(*type, elements)));
}
