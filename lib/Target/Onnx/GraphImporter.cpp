//===- GraphImporter.cpp - from GraphProto to functions and regions -------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelImporter.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace lowbit;
using namespace lowbit::onnx;
using ::onnx::GraphProto;
using ::onnx::NodeProto;

Value Scope::lookup(StringRef name) const {
  for (const Scope *scope = this; scope; scope = scope->parent)
    if (Value value = scope->values.lookup(name))
      return value;
  return {};
}

llvm::Error Scope::define(StringRef name, Value value) {
  if (values.try_emplace(name, value).second)
    return llvm::Error::success();
  return makeError("the name '" + name + "' is defined twice");
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

/// Calls `callback` with each name that a node uses, in its subgraphs too. (A
/// name that a subgraph defines itself is harmless: it adds an order between
/// two nodes only if this graph defines the name as well.)
static void forEachUse(const NodeProto &node,
                       llvm::function_ref<void(StringRef)> callback) {
  for (const std::string &input : node.input())
    callback(input);
  auto visitGraph = [&](const GraphProto &graph) {
    for (const NodeProto &inner : graph.node())
      forEachUse(inner, callback);
    for (const auto &output : graph.output())
      callback(output.name());
  };
  for (const auto &attribute : node.attribute()) {
    if (attribute.has_g())
      visitGraph(attribute.g());
    for (const GraphProto &graph : attribute.graphs())
      visitGraph(graph);
  }
}

/// The nodes in an order in which each comes after those that it uses; the
/// order of the file wherever that is one, as the specification asks.
template <typename Nodes>
static llvm::Expected<std::vector<const NodeProto *>>
sortNodes(const Nodes &nodes) {
  llvm::StringMap<int> producers;
  for (int i = 0; i < nodes.size(); ++i)
    for (const std::string &output : nodes[i].output())
      if (!output.empty())
        producers.try_emplace(output, i);

  enum State : char { New, Open, Done };
  std::vector<State> states(nodes.size(), New);
  std::vector<const NodeProto *> order;
  // Depth first, with a stack of our own: graphs are deeper than call stacks.
  struct Frame {
    int node;
    SmallVector<int> uses;
  };
  std::vector<Frame> stack;
  auto open = [&](int node) {
    states[node] = Open;
    Frame &frame = stack.emplace_back(Frame{node, {}});
    forEachUse(nodes[node], [&](StringRef name) {
      auto producer = producers.find(name);
      if (producer != producers.end())
        frame.uses.push_back(producer->second);
    });
    std::reverse(frame.uses.begin(), frame.uses.end());
  };
  for (int root = 0; root < nodes.size(); ++root) {
    if (states[root] == New)
      open(root);
    while (!stack.empty()) {
      Frame &frame = stack.back();
      if (frame.uses.empty()) {
        states[frame.node] = Done;
        order.push_back(&nodes[frame.node]);
        stack.pop_back();
        continue;
      }
      int next = frame.uses.pop_back_val();
      if (states[next] == Open)
        return makeError("the graph has a cycle through node '" +
                         nodes[next].name() + "' (" + nodes[next].op_type() +
                         ")");
      if (states[next] == New)
        open(next);
    }
  }
  return order;
}

//===----------------------------------------------------------------------===//
// Graphs
//===----------------------------------------------------------------------===//

DictionaryAttr
ModelImporter::makeValueAttributes(StringRef name,
                                   const ::onnx::TypeProto &type) {
  NamedAttrList attributes;
  attributes.append("onnx.name", builder.getStringAttr(name));
  SmallVector<StringRef> dimParams;
  if (type.has_tensor_type() && type.tensor_type().has_shape())
    for (const auto &dim : type.tensor_type().shape().dim())
      dimParams.push_back(dim.has_dim_param() ? StringRef(dim.dim_param())
                                              : StringRef());
  if (llvm::any_of(dimParams, [](StringRef param) { return !param.empty(); }))
    attributes.append("onnx.dim_params", builder.getStrArrayAttr(dimParams));
  return attributes.getDictionary(context);
}

llvm::Error
ModelImporter::importInputs(const GraphProto &graph, Scope &scope, Block &block,
                            SmallVectorImpl<DictionaryAttr> *attributes) {
  // Before IR version 4 initializers had to be inputs too.
  llvm::StringSet<> initializers;
  for (const auto &tensor : graph.initializer())
    initializers.insert(tensor.name());
  for (const auto &input : graph.input()) {
    if (initializers.contains(input.name()))
      continue;
    if (input.name().empty())
      return makeError("an input has no name");
    llvm::Expected<Type> type = importType(input.type(), context);
    if (!type)
      return addContext("input '" + input.name() + "'", type.takeError());
    if (!*type && attributes)
      return makeError("input '" + input.name() + "' has no type");
    Location loc = NameLoc::get(builder.getStringAttr(input.name()));
    Value argument =
        block.addArgument(*type ? *type : UnknownType::get(context), loc);
    if (llvm::Error error = scope.define(input.name(), argument))
      return error;
    if (attributes)
      attributes->push_back(makeValueAttributes(input.name(), input.type()));
  }
  return llvm::Error::success();
}

llvm::Error ModelImporter::importNodes(const Nodes &nodes, Scope &scope) {
  llvm::Expected<std::vector<const NodeProto *>> order = sortNodes(nodes);
  if (!order)
    return order.takeError();
  for (const NodeProto *node : *order)
    if (llvm::Error error = importNode(*node, scope))
      return error;
  return llvm::Error::success();
}

llvm::Error ModelImporter::importBody(const GraphProto &graph, Scope &scope) {
  auto declare = [&](const ::onnx::ValueInfoProto &value) -> llvm::Error {
    llvm::Expected<Type> type = importType(value.type(), context);
    if (!type)
      return addContext("value '" + value.name() + "'", type.takeError());
    Type &declared = scope.declaredTypes[value.name()];
    Type merged = mergeTypes(declared, *type);
    if (declared && !merged)
      return makeError("value '" + value.name() +
                       "' is declared with two types that contradict");
    declared = merged;
    return llvm::Error::success();
  };
  for (const auto &value : graph.value_info())
    if (llvm::Error error = declare(value))
      return error;
  for (const auto &value : graph.output())
    if (llvm::Error error = declare(value))
      return error;

  auto defineConstant = [&](StringRef name,
                            llvm::Expected<TypedAttr> value) -> llvm::Error {
    if (!value)
      return value.takeError();
    if (name.empty())
      return makeError("an initializer has no name");
    Location loc = NameLoc::get(builder.getStringAttr(name));
    return scope.define(name, ConstantOp::create(builder, loc, *value));
  };
  for (const auto &tensor : graph.initializer())
    if (llvm::Error error =
            defineConstant(tensor.name(), tensors.import(tensor)))
      return error;
  for (const auto &tensor : graph.sparse_initializer())
    if (llvm::Error error =
            defineConstant(tensor.values().name(), tensors.import(tensor)))
      return error;
  return importNodes(graph.node(), scope);
}

llvm::Expected<SmallVector<Value>>
ModelImporter::getOutputs(const GraphProto &graph, const Scope &scope) {
  SmallVector<Value> outputs;
  for (const auto &output : graph.output()) {
    Value value = scope.lookup(output.name());
    if (!value)
      return makeError("output '" + output.name() +
                       "' is not an input, an initializer or a node's output");
    // Of a node's output this holds already; not of an input or a constant.
    Type declared = scope.declaredTypes.lookup(output.name());
    if (declared && !isa<UnknownType>(value.getType()) &&
        !mergeTypes(declared, value.getType())) {
      std::string message;
      llvm::raw_string_ostream(message)
          << "output '" << output.name() << "' is declared as " << declared
          << ", but is " << value.getType();
      return makeError(message);
    }
    outputs.push_back(value);
  }
  return outputs;
}

llvm::Error ModelImporter::importRegion(const GraphProto &graph,
                                        const Scope &parent, Region &region) {
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&region);
  Scope scope;
  scope.parent = &parent;
  scope.opsets = parent.opsets;
  scope.arguments = parent.arguments;
  scope.namePrefix = parent.namePrefix;
  scope.callDepth = parent.callDepth;
  if (llvm::Error error =
          importInputs(graph, scope, *block, /*attributes=*/nullptr))
    return error;
  if (llvm::Error error = importBody(graph, scope))
    return error;
  llvm::Expected<SmallVector<Value>> outputs = getOutputs(graph, scope);
  if (!outputs)
    return outputs.takeError();
  YieldOp::create(builder, builder.getUnknownLoc(), *outputs);
  return llvm::Error::success();
}

llvm::Error ModelImporter::importMain(const GraphProto &graph,
                                      ModuleOp module) {
  builder.setInsertionPointToEnd(module.getBody());
  auto function = func::FuncOp::create(builder, module.getLoc(), "main",
                                       builder.getFunctionType({}, {}));
  Block *block = builder.createBlock(&function.getBody());
  Scope scope;
  scope.opsets = &opsets;
  SmallVector<DictionaryAttr> inputAttributes, outputAttributes;
  if (llvm::Error error = importInputs(graph, scope, *block, &inputAttributes))
    return error;
  if (llvm::Error error = importBody(graph, scope))
    return error;
  llvm::Expected<SmallVector<Value>> outputs = getOutputs(graph, scope);
  if (!outputs)
    return outputs.takeError();
  func::ReturnOp::create(builder, function.getLoc(), *outputs);
  for (const auto &output : graph.output())
    outputAttributes.push_back(
        makeValueAttributes(output.name(), output.type()));
  function.setFunctionType(builder.getFunctionType(
      block->getArgumentTypes(), ValueRange(*outputs).getTypes()));
  function.setAllArgAttrs(inputAttributes);
  function.setAllResultAttrs(outputAttributes);
  if (!graph.name().empty())
    function->setAttr("onnx.graph_name", builder.getStringAttr(graph.name()));
  return llvm::Error::success();
}
