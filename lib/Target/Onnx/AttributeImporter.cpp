//===- AttributeImporter.cpp - from AttributeProto to attributes ----------===//
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
using ::onnx::AttributeProto;

/// The kind of an attribute. Before IR version 2 the kind was not written, and
/// some exporters still leave it out.
static AttributeProto::AttributeType getKind(const AttributeProto &proto) {
  if (proto.type() != AttributeProto::UNDEFINED)
    return proto.type();
  if (proto.has_f())
    return AttributeProto::FLOAT;
  if (proto.has_i())
    return AttributeProto::INT;
  if (proto.has_s())
    return AttributeProto::STRING;
  if (proto.has_t())
    return AttributeProto::TENSOR;
  if (proto.has_g())
    return AttributeProto::GRAPH;
  if (proto.floats_size())
    return AttributeProto::FLOATS;
  if (proto.ints_size())
    return AttributeProto::INTS;
  if (proto.strings_size())
    return AttributeProto::STRINGS;
  return AttributeProto::UNDEFINED;
}

/// A list of attributes, from a list of messages and a function that imports
/// one of them.
template <typename List, typename Import>
static llvm::Expected<Attribute> importList(Builder &builder, const List &list,
                                            Import import) {
  SmallVector<Attribute> attributes;
  for (const auto &proto : list) {
    llvm::Expected<Attribute> attribute = import(proto);
    if (!attribute)
      return attribute.takeError();
    attributes.push_back(*attribute);
  }
  return builder.getArrayAttr(attributes);
}

llvm::Expected<Attribute>
ModelImporter::importAttribute(const AttributeProto &proto) {
  auto importTensor = [&](const auto &tensor) -> llvm::Expected<Attribute> {
    llvm::Expected<TypedAttr> value = tensors.import(tensor);
    if (!value)
      return value.takeError();
    return Attribute(*value);
  };
  auto importTypeAttr =
      [&](const ::onnx::TypeProto &tp) -> llvm::Expected<Attribute> {
    llvm::Expected<Type> type = importType(tp, context);
    if (!type)
      return type.takeError();
    return TypeAttr::get(*type ? *type : UnknownType::get(context));
  };
  switch (getKind(proto)) {
  case AttributeProto::FLOAT:
    return builder.getF32FloatAttr(proto.f());
  case AttributeProto::INT:
    return builder.getI64IntegerAttr(proto.i());
  case AttributeProto::STRING:
    return builder.getStringAttr(proto.s());
  case AttributeProto::TENSOR:
    return importTensor(proto.t());
  case AttributeProto::SPARSE_TENSOR:
    return importTensor(proto.sparse_tensor());
  case AttributeProto::TYPE_PROTO:
    return importTypeAttr(proto.tp());
  case AttributeProto::FLOATS:
    return builder.getDenseF32ArrayAttr(
        SmallVector<float>(proto.floats().begin(), proto.floats().end()));
  case AttributeProto::INTS:
    return builder.getDenseI64ArrayAttr(
        SmallVector<int64_t>(proto.ints().begin(), proto.ints().end()));
  case AttributeProto::STRINGS:
    return builder.getStrArrayAttr(
        SmallVector<StringRef>(proto.strings().begin(), proto.strings().end()));
  case AttributeProto::TENSORS:
    return importList(builder, proto.tensors(), importTensor);
  case AttributeProto::SPARSE_TENSORS:
    return importList(builder, proto.sparse_tensors(), importTensor);
  case AttributeProto::TYPE_PROTOS:
    return importList(builder, proto.type_protos(), importTypeAttr);
  default:
    return makeError("has no value");
  }
}
