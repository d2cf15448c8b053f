//===- ModelImporter.h - the parts of the ONNX importer ---------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_TARGET_ONNX_MODELIMPORTER_H
#define LOWBIT_LIB_TARGET_ONNX_MODELIMPORTER_H

#include "TensorImporter.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringMap.h"
#include <onnx/onnx_pb.h>

namespace lowbit::onnx {

/// Versions of the operator sets that a model or a function imports, by domain.
using OpsetVersions = llvm::StringMap<int64_t>;

/// The names that the nodes of a graph or a function body can see.
struct Scope {
  /// The graph around this one, whose values are visible too; null for a model
  /// and for a function.
  const Scope *parent = nullptr;
  llvm::StringMap<mlir::Value> values;
  /// What the graph says about the types of its values.
  llvm::StringMap<mlir::Type> declaredTypes;
  const OpsetVersions *opsets = nullptr;
  /// Of a function body: its call's attributes, and what precedes node names.
  const llvm::StringMap<const ::onnx::AttributeProto *> *arguments = nullptr;
  std::string namePrefix;
  unsigned callDepth = 0;

  mlir::Value lookup(llvm::StringRef name) const;
  llvm::Error define(llvm::StringRef name, mlir::Value value);
};

/// A node between protobuf and IR; the form that upgrades work on.
struct Node {
  std::string opType, domain;
  /// The opset version that the model imports for the domain.
  int64_t opset;
  mlir::Location loc;
  /// A null value is an optional operand that is missing.
  llvm::SmallVector<mlir::Value> operands;
  mlir::NamedAttrList attributes;
  /// Attributes that are graphs, and the graphs.
  llvm::SmallVector<std::pair<mlir::Attribute, const ::onnx::GraphProto *>>
      graphs;
  /// The declared type of each output, null where the model does not say. An
  /// output without a name is missing, and `none`.
  llvm::SmallVector<mlir::Type> outputTypes;
};

/// Imports one model. The methods are spread over the files that are named in
/// front of them.
class ModelImporter {
public:
  ModelImporter(mlir::MLIRContext *context, TensorImporter tensors)
      : context(context), tensors(std::move(tensors)), builder(context) {}

  // ImportOnnx.cpp
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
  import(const ::onnx::ModelProto &model);

private:
  using Nodes = ::google::protobuf::RepeatedPtrField<::onnx::NodeProto>;

  // ImportOnnx.cpp
  using OpsetImports =
      ::google::protobuf::RepeatedPtrField<::onnx::OperatorSetIdProto>;
  llvm::Error readOpsets(const OpsetImports &imports, OpsetVersions &versions);
  void setModuleAttributes(const ::onnx::ModelProto &model,
                           mlir::ModuleOp module);

  // GraphImporter.cpp
  llvm::Error importMain(const ::onnx::GraphProto &graph,
                         mlir::ModuleOp module);
  llvm::Error importRegion(const ::onnx::GraphProto &graph, const Scope &parent,
                           mlir::Region &region);
  llvm::Error importInputs(const ::onnx::GraphProto &graph, Scope &scope,
                           mlir::Block &block,
                           llvm::SmallVectorImpl<mlir::DictionaryAttr> *attrs);
  llvm::Error importBody(const ::onnx::GraphProto &graph, Scope &scope);
  llvm::Error importNodes(const Nodes &nodes, Scope &scope);
  llvm::Expected<llvm::SmallVector<mlir::Value>>
  getOutputs(const ::onnx::GraphProto &graph, const Scope &scope);
  mlir::DictionaryAttr makeValueAttributes(llvm::StringRef name,
                                           const ::onnx::TypeProto &type);

  // NodeImporter.cpp
  llvm::Error importNode(const ::onnx::NodeProto &proto, Scope &scope);
  llvm::Error importNamedNode(const ::onnx::NodeProto &proto,
                              llvm::StringRef name, Scope &scope);
  llvm::Expected<Node> readNode(const ::onnx::NodeProto &proto,
                                llvm::StringRef name, const Scope &scope);
  llvm::Error readAttributes(const ::onnx::NodeProto &proto, Node &node,
                             const Scope &scope);
  llvm::Expected<llvm::SmallVector<mlir::Value>> buildConstant(Node &node);
  llvm::Expected<llvm::SmallVector<mlir::Value>>
  buildSchemaOp(Node &node, const OpSchema &schema);
  llvm::Expected<llvm::SmallVector<mlir::Value>>
  buildCustom(Node &node, const Scope &scope);

  // Functions.cpp
  llvm::Error readFunctions(const ::onnx::ModelProto &model);
  const ::onnx::FunctionProto *lookupFunction(const ::onnx::NodeProto &proto);
  llvm::Error importCall(const ::onnx::NodeProto &proto, llvm::StringRef name,
                         const ::onnx::FunctionProto &function, Scope &scope);

  // AttributeImporter.cpp
  llvm::Expected<mlir::Attribute>
  importAttribute(const ::onnx::AttributeProto &proto);

  mlir::MLIRContext *context;
  TensorImporter tensors;
  mlir::OpBuilder builder;
  OpsetVersions opsets;
  struct Function {
    const ::onnx::FunctionProto *proto;
    OpsetVersions opsets;
    /// Defaults of attributes, parsed from a field that onnx.proto may lack.
    std::vector<::onnx::AttributeProto> defaults;
  };
  /// By domain, name and overload.
  llvm::StringMap<Function> functions;
  /// How many nodes have been imported; functions can multiply them.
  uint64_t numNodes = 0;
};

/// TypeImporter.cpp: a type as the model declares it, null if it says nothing.
llvm::Expected<mlir::Type> importType(const ::onnx::TypeProto &proto,
                                      mlir::MLIRContext *context);

/// `a` and what `b` knows beyond it, null if they contradict each other. Either
/// may be null, which knows nothing.
mlir::Type mergeTypes(mlir::Type a, mlir::Type b);

/// OpsetUpgrade.cpp: brings a node of the default domain to the dialect's
/// opset. Returns results if the node became several ops, which are built then.
llvm::Expected<llvm::SmallVector<mlir::Value>>
upgradeNode(Node &node, mlir::OpBuilder &builder);

/// Puts `context` and a colon before an error's message.
llvm::Error addContext(const llvm::Twine &context, llvm::Error error);

/// An error whose message names a node already.
class NodeError : public llvm::ErrorInfo<NodeError> {
public:
  static char ID;
  explicit NodeError(std::string message) : message(std::move(message)) {}
  void log(llvm::raw_ostream &os) const override { os << message; }
  std::error_code convertToErrorCode() const override {
    return llvm::inconvertibleErrorCode();
  }

private:
  std::string message;
};

} // namespace lowbit::onnx

#endif // LOWBIT_LIB_TARGET_ONNX_MODELIMPORTER_H
