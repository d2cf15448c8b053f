//===- TypeImporter.cpp - from TypeProto to types -------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelImporter.h"
#include "lowbit/Support/OutputFile.h"

using namespace mlir;
using namespace lowbit;
using namespace lowbit::onnx;
using ::onnx::TypeProto;

static llvm::Expected<Type>
importTensorType(int dataType, const ::onnx::TensorShapeProto *shape,
                 MLIRContext *context) {
  // Some exporters write a type without saying which.
  if (dataType == 0)
    return Type();
  Type elementType = getElementType(context, dataType);
  if (!elementType)
    return makeError("unknown data type " + Twine(dataType));
  if (!shape)
    return UnrankedTensorType::get(elementType);
  SmallVector<int64_t> dims;
  int64_t bits = 128;
  for (const auto &dim : shape->dim()) {
    // -1 is not in the specification, but it is what several exporters write.
    if (!dim.has_dim_value() || dim.dim_value() == -1) {
      dims.push_back(ShapedType::kDynamic);
      continue;
    }
    if (dim.dim_value() < 0 ||
        llvm::MulOverflow(bits, std::max<int64_t>(dim.dim_value(), 1), bits))
      return makeError("impossible dimension " + Twine(dim.dim_value()));
    dims.push_back(dim.dim_value());
  }
  return RankedTensorType::get(dims, elementType);
}

llvm::Expected<Type> lowbit::onnx::importType(const TypeProto &proto,
                                              MLIRContext *context) {
  switch (proto.value_case()) {
  case TypeProto::kTensorType: {
    const TypeProto::Tensor &tensor = proto.tensor_type();
    return importTensorType(tensor.elem_type(),
                            tensor.has_shape() ? &tensor.shape() : nullptr,
                            context);
  }
  case TypeProto::kSparseTensorType: {
    const TypeProto::SparseTensor &tensor = proto.sparse_tensor_type();
    llvm::Expected<Type> dense = importTensorType(
        tensor.elem_type(), tensor.has_shape() ? &tensor.shape() : nullptr,
        context);
    if (!dense || !*dense)
      return dense;
    return SparseTensorType::get(context, cast<TensorType>(*dense));
  }
  case TypeProto::kSequenceType: {
    llvm::Expected<Type> element =
        importType(proto.sequence_type().elem_type(), context);
    if (!element || !*element)
      return element;
    return SequenceType::get(context, *element);
  }
  case TypeProto::kOptionalType: {
    llvm::Expected<Type> element =
        importType(proto.optional_type().elem_type(), context);
    if (!element || !*element)
      return element;
    return OptionalType::get(context, *element);
  }
  case TypeProto::kMapType: {
    Type key = getElementType(context, proto.map_type().key_type());
    if (!key)
      return makeError("unknown data type " +
                       Twine(proto.map_type().key_type()));
    llvm::Expected<Type> value =
        importType(proto.map_type().value_type(), context);
    if (!value || !*value)
      return value;
    return MapType::get(context, key, *value);
  }
  default:
    return Type();
  }
}

Type lowbit::onnx::mergeTypes(Type a, Type b) {
  if (!a || !b)
    return a ? a : b;
  auto tensorA = dyn_cast<TensorType>(a), tensorB = dyn_cast<TensorType>(b);
  if (!tensorA || !tensorB)
    return a == b ? a : Type();
  if (tensorA.getElementType() != tensorB.getElementType())
    return {};
  if (!tensorA.hasRank() || !tensorB.hasRank())
    return tensorA.hasRank() ? a : b;
  if (tensorA.getRank() != tensorB.getRank())
    return {};
  SmallVector<int64_t> dims(tensorA.getShape());
  for (auto [dim, other] : llvm::zip_equal(dims, tensorB.getShape())) {
    if (ShapedType::isDynamic(dim))
      dim = other;
    else if (!ShapedType::isDynamic(other) && dim != other)
      return {};
  }
  return RankedTensorType::get(dims, tensorA.getElementType());
}
