//===- NodeImporter.cpp - from NodeProto to operations --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelImporter.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace lowbit;
using namespace lowbit::onnx;
using ::onnx::AttributeProto;
using ::onnx::NodeProto;

static std::string toString(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

llvm::Error ModelImporter::readAttributes(const NodeProto &proto, Node &node,
                                          const Scope &scope) {
  for (const AttributeProto &written : proto.attribute()) {
    const std::string &name = written.name();
    if (name.empty())
      return makeError("an attribute has no name");
    const AttributeProto *attribute = &written;
    // In a function body an attribute may be one of the call's.
    if (written.has_ref_attr_name()) {
      if (!scope.arguments)
        return makeError("attribute '" + name + "' refers to '" +
                         written.ref_attr_name() + "' outside of a function");
      attribute = scope.arguments->lookup(written.ref_attr_name());
      if (!attribute)
        continue;
    }
    if (attribute->has_g()) {
      node.graphs.push_back({builder.getStringAttr(name), &attribute->g()});
      continue;
    }
    for (const auto &graph : attribute->graphs())
      node.graphs.push_back({builder.getStringAttr(name), &graph});
    if (attribute->graphs_size() || attribute->type() == AttributeProto::GRAPHS)
      continue;
    llvm::Expected<Attribute> value = importAttribute(*attribute);
    if (!value)
      return addContext("attribute '" + name + "'", value.takeError());
    if (node.attributes.set(name, *value))
      return makeError("attribute '" + name + "' is given twice");
  }
  return llvm::Error::success();
}

llvm::Expected<Node> ModelImporter::readNode(const NodeProto &proto,
                                             StringRef name,
                                             const Scope &scope) {
  std::string domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
  int64_t opset = scope.opsets->lookup(domain);
  if (opset == 0 && domain.empty())
    return makeError("the model imports no opset of the default domain");
  Node node = {proto.op_type(),
               domain,
               std::max<int64_t>(opset, 1),
               NameLoc::get(builder.getStringAttr(name)),
               {},
               {},
               {},
               {}};
  for (const std::string &input : proto.input()) {
    Value value = input.empty() ? Value() : scope.lookup(input);
    if (!value && !input.empty())
      return makeError("input '" + input +
                       "' is not an input, an initializer or a node's output");
    // In a function body, an input that the call leaves out.
    if (value && !isPresent(value))
      value = {};
    node.operands.push_back(value);
  }
  for (const std::string &output : proto.output())
    node.outputTypes.push_back(output.empty()
                                   ? builder.getNoneType()
                                   : scope.declaredTypes.lookup(output));
  if (llvm::Error error = readAttributes(proto, node, scope))
    return error;
  return node;
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

llvm::Expected<SmallVector<Value>> ModelImporter::buildConstant(Node &node) {
  if (node.attributes.getAttrs().size() != 1 || node.outputTypes.size() != 1 ||
      !node.operands.empty() || !node.graphs.empty())
    return makeError("must have one attribute, one output and no input");
  NamedAttribute attribute = *node.attributes.begin();
  StringRef name = attribute.getName();
  Attribute value = attribute.getValue();
  auto tensorOf = [](int64_t size, Type type) {
    return RankedTensorType::get({size}, type);
  };
  Attribute constant;
  if (name == "value" || name == "sparse_value") {
    if (isConstantValue(value))
      constant = value;
  } else if (name == "value_int" || name == "value_float") {
    bool isInt = name == "value_int";
    if (auto typed = dyn_cast<TypedAttr>(value))
      if (isInt ? isa<IntegerAttr>(value) : isa<FloatAttr>(value))
        constant = DenseElementsAttr::get(
            RankedTensorType::get({}, typed.getType()), value);
  } else if (name == "value_ints") {
    if (auto ints = dyn_cast<DenseI64ArrayAttr>(value))
      constant = DenseElementsAttr::get(
          tensorOf(ints.size(), builder.getI64Type()), ints.asArrayRef());
  } else if (name == "value_floats") {
    if (auto floats = dyn_cast<DenseF32ArrayAttr>(value))
      constant = DenseElementsAttr::get(
          tensorOf(floats.size(), builder.getF32Type()), floats.asArrayRef());
  } else if (name == "value_string" || name == "value_strings") {
    SmallVector<StringRef> strings;
    if (auto string = dyn_cast<StringAttr>(value))
      strings.push_back(string.getValue());
    else if (auto list = dyn_cast<ArrayAttr>(value))
      llvm::append_range(strings, list.getAsValueRange<StringAttr>());
    auto type = RankedTensorType::get(
        name == "value_string"
            ? ArrayRef<int64_t>()
            : ArrayRef<int64_t>(static_cast<int64_t>(strings.size())),
        StringType::get(context));
    if (type.getNumElements() == static_cast<int64_t>(strings.size()))
      constant = DenseStringElementsAttr::get(type, strings);
  }
  if (!constant)
    return makeError("attribute '" + name + "' does not hold a constant");
  auto typed = cast<TypedAttr>(constant);
  if (node.outputTypes[0] && !mergeTypes(node.outputTypes[0], typed.getType()))
    return makeError("is declared as " + toString(node.outputTypes[0]) +
                     ", but is " + toString(typed.getType()));
  return SmallVector<Value>{ConstantOp::create(builder, node.loc, typed)};
}

/// Whether a value of an attribute is of the kind that the schema asks for.
static bool isOfKind(Attribute value, AttributeKind kind) {
  switch (kind) {
  case AttributeKind::Int:
  case AttributeKind::ElementType:
    return isa<IntegerAttr>(value);
  case AttributeKind::Float:
    return isa<FloatAttr>(value);
  case AttributeKind::String:
    return isa<StringAttr>(value);
  case AttributeKind::Tensor:
    return isa<DenseElementsAttr>(value);
  case AttributeKind::Ints:
    return isa<DenseI64ArrayAttr>(value);
  case AttributeKind::Floats:
    return isa<DenseF32ArrayAttr>(value);
  case AttributeKind::Strings:
    return isa<ArrayAttr>(value);
  }
  return false;
}

static StringRef getKindName(AttributeKind kind) {
  switch (kind) {
  case AttributeKind::Int:
    return "an integer";
  case AttributeKind::ElementType:
    return "the number of a data type";
  case AttributeKind::Float:
    return "a float";
  case AttributeKind::String:
    return "a string";
  case AttributeKind::Tensor:
    return "a small tensor";
  case AttributeKind::Ints:
    return "a list of integers";
  case AttributeKind::Floats:
    return "a list of floats";
  case AttributeKind::Strings:
    return "a list of strings";
  }
  return "";
}

/// Checks the attributes against the schema and turns numbers of data types
/// into types.
static llvm::Error checkAttributes(Node &node, const OpSchema &schema) {
  MLIRContext *context = node.loc.getContext();
  if (!node.graphs.empty())
    return makeError("has no attribute that is a graph");
  for (NamedAttribute named : node.attributes.getAttrs()) {
    const AttributeSchema *attribute = schema.getAttribute(named.getName());
    if (!attribute)
      return makeError("has no attribute '" + named.getName().getValue() + "'");
    if (!isOfKind(named.getValue(), attribute->kind))
      return makeError("attribute '" + attribute->name + "' must be " +
                       getKindName(attribute->kind));
    if (attribute->kind != AttributeKind::ElementType)
      continue;
    int64_t number = cast<IntegerAttr>(named.getValue()).getInt();
    Type type = number == static_cast<int>(number)
                    ? getElementType(context, static_cast<int>(number))
                    : Type();
    if (!type)
      return makeError("attribute '" + attribute->name +
                       "' is the unknown data type " + Twine(number));
    node.attributes.set(attribute->name, TypeAttr::get(type));
  }
  for (const AttributeSchema &attribute : schema.attributes)
    if (attribute.required && !node.attributes.get(attribute.name))
      return makeError("lacks the attribute '" + attribute.name + "'");
  return llvm::Error::success();
}

llvm::Expected<SmallVector<Value>>
ModelImporter::buildSchemaOp(Node &node, const OpSchema &schema) {
  if (llvm::Error error = checkAttributes(node, schema))
    return error;
  if (node.operands.size() > schema.getMaxOperands())
    return makeError("has " + Twine(node.operands.size()) +
                     " inputs, but takes at most " +
                     Twine(schema.getMaxOperands()));
  if (node.operands.size() < schema.getMinOperands())
    return makeError("has " + Twine(node.operands.size()) +
                     " inputs, but takes at least " +
                     Twine(schema.getMinOperands()));
  while (node.operands.size() < schema.operands.size())
    node.operands.push_back({});
  for (auto [index, operand] : llvm::enumerate(node.operands)) {
    if (operand)
      continue;
    const ValueSchema *value = schema.getOperand(index);
    if (value->arity != ValueArity::Optional)
      return makeError("lacks the input '" + value->name + "'");
    operand = NoValueOp::create(builder, node.loc);
  }

  size_t numResults = node.outputTypes.size();
  if (numResults > schema.results.size() &&
      schema.results.back().arity != ValueArity::Variadic)
    return makeError("has " + Twine(numResults) + " outputs, but at most " +
                     Twine(schema.results.size()) + " are possible");
  DictionaryAttr attributes = node.attributes.getDictionary(context);
  SmallVector<Type> types;
  for (size_t i = 0; i < std::max(numResults, schema.results.size()); ++i) {
    const ValueSchema *result = schema.getResult(i);
    Type declared =
        i < numResults ? node.outputTypes[i] : builder.getNoneType();
    bool isMissing = isa_and_present<NoneType>(declared);
    if (isMissing && result->arity == ValueArity::Optional) {
      types.push_back(declared);
      continue;
    }
    Type elementType = inferResultElementType(
        schema, i, ValueRange(node.operands).getTypes(), attributes);
    Type type = elementType ? UnrankedTensorType::get(elementType) : Type();
    Type merged = isMissing ? type : mergeTypes(type, declared);
    if (!merged)
      return makeError("the type of output '" + result->name + "' " +
                       (type && declared
                            ? "is declared as " + toString(declared) +
                                  ", but has elements of type " +
                                  toString(elementType)
                            : std::string("cannot be known")));
    types.push_back(merged);
  }

  OperationState state(node.loc, ("onnx." + schema.name).str());
  state.addOperands(node.operands);
  state.addTypes(types);
  state.addAttributes(attributes.getValue());
  Operation *op = builder.create(state);
  return SmallVector<Value>(op->getResults());
}

/// The type of an opaque node's output that the model does not declare, as far
/// as ONNX's schemas tell.
static Type inferOpaqueType(const Node &node, unsigned output) {
  MLIRContext *context = node.loc.getContext();
  const OpSchema *schema =
      node.domain.empty() ? lookupOpaqueSchema(node.opType) : nullptr;
  Type elementType =
      schema ? inferResultElementType(*schema, output,
                                      ValueRange(node.operands).getTypes(),
                                      node.attributes.getDictionary(context))
             : Type();
  return elementType ? Type(UnrankedTensorType::get(elementType))
                     : UnknownType::get(context);
}

/// The types of an `If` that the model does not declare are what its branches
/// yield, where both agree.
static void inferFromBranches(CustomOp op) {
  if (op.getOpType() != "If" || op.getBodies().size() != 2)
    return;
  auto first = cast<YieldOp>(op.getBodies()[0].front().getTerminator());
  auto second = cast<YieldOp>(op.getBodies()[1].front().getTerminator());
  for (auto [output, a, b] :
       llvm::zip(op.getOutputs(), first.getValues(), second.getValues())) {
    if (!isa<UnknownType>(output.getType()))
      continue;
    if (a.getType() == b.getType())
      output.setType(a.getType());
    else if (isa<TensorType>(a.getType()) && isa<TensorType>(b.getType()) &&
             getElementTypeOrSelf(a) == getElementTypeOrSelf(b))
      output.setType(UnrankedTensorType::get(getElementTypeOrSelf(a)));
  }
}

llvm::Expected<SmallVector<Value>>
ModelImporter::buildCustom(Node &node, const Scope &scope) {
  for (Value &operand : node.operands)
    if (!operand)
      operand = NoValueOp::create(builder, node.loc);
  for (auto [index, type] : llvm::enumerate(node.outputTypes))
    if (!type)
      type = inferOpaqueType(node, index);
  SmallVector<Attribute> graphNames;
  for (auto &[name, graph] : node.graphs)
    graphNames.push_back(name);
  auto op = CustomOp::create(
      builder, node.loc, node.outputTypes, node.opType, node.domain, node.opset,
      node.attributes.getDictionary(context),
      graphNames.empty() ? ArrayAttr() : builder.getArrayAttr(graphNames),
      node.operands, graphNames.size());
  for (auto [named, region] : llvm::zip_equal(node.graphs, op.getBodies()))
    if (llvm::Error error = importRegion(*named.second, scope, region))
      return error;
  inferFromBranches(op);
  return SmallVector<Value>(op.getOutputs());
}

/// Whether the dialect's op for an operator can take these operands: sequences
/// and values of which the model says nothing go through opaque nodes only.
static bool takesTensorsOnly(const Node &node) {
  auto isTensor = [](Type type) {
    return !type || isa<TensorType, NoneType>(type);
  };
  return llvm::all_of(node.operands,
                      [&](Value v) { return !v || isTensor(v.getType()); }) &&
         llvm::all_of(node.outputTypes, isTensor);
}

llvm::Error ModelImporter::importNamedNode(const NodeProto &proto,
                                           StringRef name, Scope &scope) {
  // Far beyond any model, but within reach of functions that call functions.
  constexpr uint64_t maxNodes = 1 << 20;
  if (++numNodes > maxNodes)
    return makeError("the model has more than " + Twine(maxNodes) + " nodes");
  if (const ::onnx::FunctionProto *function = lookupFunction(proto))
    return importCall(proto, name, *function, scope);
  llvm::Expected<Node> node = readNode(proto, name, scope);
  if (!node)
    return node.takeError();

  llvm::Expected<SmallVector<Value>> results = SmallVector<Value>();
  const OpSchema *schema =
      node->domain.empty() ? lookupSchema(node->opType) : nullptr;
  if (node->domain.empty() && node->opType == "Constant") {
    results = buildConstant(*node);
  } else if (schema && takesTensorsOnly(*node)) {
    results = upgradeNode(*node, builder);
    if (results && results->empty())
      results = buildSchemaOp(*node, *schema);
  } else {
    results = buildCustom(*node, scope);
  }
  if (!results)
    return results.takeError();
  for (auto [output, value] : llvm::zip(proto.output(), *results))
    if (!output.empty())
      if (llvm::Error error = scope.define(output, value))
        return error;
  return llvm::Error::success();
}

llvm::Error ModelImporter::importNode(const NodeProto &proto, Scope &scope) {
  // Nodes need no name; the first output has one that is unique.
  StringRef name = proto.name();
  for (int i = 0; name.empty() && i < proto.output_size(); ++i)
    name = proto.output(i);
  if (name.empty())
    name = proto.op_type();
  std::string fullName = scope.namePrefix + name.str();
  llvm::Error error = importNamedNode(proto, fullName, scope);
  if (!error)
    return error;
  // Within a function or a subgraph, the innermost node is the one to name.
  if (error.isA<NodeError>())
    return error;
  return llvm::make_error<NodeError>("node '" + fullName + "' (" +
                                     proto.op_type() +
                                     "): " + llvm::toString(std::move(error)));
}
