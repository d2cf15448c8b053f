//===- Functions.cpp - functions that a model brings along ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A model may define operators of its own as functions of others. A call is
// imported as the nodes of the function's body, so that the rest of the
// compiler sees operators only.
//
//===----------------------------------------------------------------------===//

#include "ModelImporter.h"
#include "lowbit/Support/OutputFile.h"
#include <google/protobuf/unknown_field_set.h>

using namespace mlir;
using namespace lowbit;
using namespace lowbit::onnx;
using ::onnx::AttributeProto;
using ::onnx::FunctionProto;
using ::onnx::NodeProto;

/// Fields that came after the onnx.proto of Debian 12.
static constexpr int nodeOverload = 8, functionOverload = 13,
                     functionAttributeProto = 11;

/// Calls `callback` with each string or message of an unknown field.
static void
forEachUnknown(const google::protobuf::Message &message, int number,
               llvm::function_ref<void(const std::string &)> callback) {
  const google::protobuf::UnknownFieldSet &fields =
      message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < fields.field_count(); ++i) {
    const google::protobuf::UnknownField &field = fields.field(i);
    if (field.number() == number &&
        field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      callback(field.length_delimited());
  }
}

static std::string getOverload(const google::protobuf::Message &message,
                               int field) {
  std::string overload;
  forEachUnknown(message, field,
                 [&](const std::string &value) { overload = value; });
  return overload;
}

static std::string getKey(StringRef domain, StringRef name,
                          StringRef overload) {
  if (domain == "ai.onnx")
    domain = "";
  return (domain + Twine('\0') + name + Twine('\0') + overload).str();
}

llvm::Error ModelImporter::readFunctions(const ::onnx::ModelProto &model) {
  for (const FunctionProto &proto : model.functions()) {
    Function function = {&proto, {}, {}};
    if (llvm::Error error = readOpsets(proto.opset_import(), function.opsets))
      return addContext("function '" + proto.name() + "'", std::move(error));
    // What a function does not import itself, it has from the model.
    for (const auto &entry : opsets)
      function.opsets.try_emplace(entry.getKey(), entry.getValue());
    bool parsed = true;
    forEachUnknown(
        proto, functionAttributeProto, [&](const std::string &value) {
          parsed &= function.defaults.emplace_back().ParseFromString(value);
        });
    if (!parsed)
      return makeError("function '" + proto.name() +
                       "' has a malformed attribute");
    std::string key = getKey(proto.domain(), proto.name(),
                             getOverload(proto, functionOverload));
    if (!functions.try_emplace(key, std::move(function)).second)
      return makeError("function '" + proto.name() + "' is defined twice");
  }
  return llvm::Error::success();
}

const FunctionProto *ModelImporter::lookupFunction(const NodeProto &proto) {
  if (functions.empty())
    return nullptr;
  auto found = functions.find(getKey(proto.domain(), proto.op_type(),
                                     getOverload(proto, nodeOverload)));
  return found == functions.end() ? nullptr : found->second.proto;
}

llvm::Error ModelImporter::importCall(const NodeProto &proto, StringRef name,
                                      const FunctionProto &function,
                                      Scope &scope) {
  constexpr unsigned maxDepth = 64;
  if (scope.callDepth == maxDepth)
    return makeError("functions call each other more than " + Twine(maxDepth) +
                     " deep");
  const Function &entry = functions
                              .find(getKey(proto.domain(), proto.op_type(),
                                           getOverload(proto, nodeOverload)))
                              ->second;
  if (proto.input_size() > function.input_size() ||
      proto.output_size() > function.output_size())
    return makeError("the call has more inputs or outputs than the function");

  llvm::StringMap<const AttributeProto *> arguments;
  for (const AttributeProto &attribute : entry.defaults)
    arguments[attribute.name()] = &attribute;
  for (const AttributeProto &attribute : proto.attribute()) {
    const AttributeProto *value = &attribute;
    if (attribute.has_ref_attr_name())
      value = scope.arguments
                  ? scope.arguments->lookup(attribute.ref_attr_name())
                  : nullptr;
    if (value)
      arguments[attribute.name()] = value;
  }

  Scope body;
  body.opsets = &entry.opsets;
  body.arguments = &arguments;
  body.namePrefix = (name + "/").str();
  body.callDepth = scope.callDepth + 1;
  for (int i = 0; i < function.input_size(); ++i) {
    // A missing input is one that the nodes of the body miss too.
    bool isMissing = i >= proto.input_size() || proto.input(i).empty();
    Value value =
        isMissing ? NoValueOp::create(builder,
                                      NameLoc::get(builder.getStringAttr(name)))
                        .getResult()
                  : scope.lookup(proto.input(i));
    if (!value)
      return makeError("input '" + proto.input(i) +
                       "' is not an input, an initializer or a node's output");
    if (llvm::Error error = body.define(function.input(i), value))
      return error;
  }
  if (llvm::Error error = importNodes(function.node(), body))
    return error;
  for (int i = 0; i < proto.output_size(); ++i) {
    if (proto.output(i).empty())
      continue;
    Value value = body.lookup(function.output(i));
    if (!value)
      return makeError("the function defines no '" + function.output(i) + "'");
    if (llvm::Error error = scope.define(proto.output(i), value))
      return error;
  }
  return llvm::Error::success();
}
