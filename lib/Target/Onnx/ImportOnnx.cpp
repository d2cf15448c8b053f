//===- ImportOnnx.cpp - from an .onnx file to a module --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Target/Onnx/ImportOnnx.h"
#include "ModelImporter.h"
#include "WireFormat.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Dialect/Onnx/IR/ShapeInference.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <google/protobuf/stubs/logging.h>

using namespace mlir;
using namespace lowbit;
using namespace lowbit::onnx;

char NodeError::ID;

llvm::Error lowbit::onnx::addContext(const Twine &context, llvm::Error error) {
  return makeError(context + ": " + llvm::toString(std::move(error)));
}

//===----------------------------------------------------------------------===//
// The model around the graph
//===----------------------------------------------------------------------===//

llvm::Error ModelImporter::readOpsets(const OpsetImports &imports,
                                      OpsetVersions &versions) {
  for (const auto &import : imports) {
    StringRef domain = import.domain();
    if (domain == "ai.onnx")
      domain = "";
    if (domain.empty() &&
        (import.version() < kMinOpset || import.version() > kOpset))
      return makeError("opset " + Twine(import.version()) +
                       " is not supported, only " + Twine(kMinOpset) + " to " +
                       Twine(kOpset) +
                       "; convert the model with onnx.version_converter");
    if (!versions.try_emplace(domain, import.version()).second)
      return makeError("the opset of domain '" + domain +
                       "' is imported twice");
  }
  return llvm::Error::success();
}

void ModelImporter::setModuleAttributes(const ::onnx::ModelProto &model,
                                        ModuleOp module) {
  auto setInteger = [&](StringRef name, int64_t value) {
    module->setAttr(name, builder.getI64IntegerAttr(value));
  };
  auto setString = [&](StringRef name, StringRef value) {
    if (!value.empty())
      module->setAttr(name, builder.getStringAttr(value));
  };
  setInteger("onnx.ir_version", model.ir_version());
  NamedAttrList imports;
  for (const auto &entry : opsets)
    imports.set(entry.getKey().empty() ? "ai.onnx" : entry.getKey(),
                builder.getI64IntegerAttr(entry.getValue()));
  module->setAttr("onnx.opset_imports", imports.getDictionary(context));
  setString("onnx.producer_name", model.producer_name());
  setString("onnx.producer_version", model.producer_version());
  setString("onnx.domain", model.domain());
  if (model.model_version())
    setInteger("onnx.model_version", model.model_version());
  setString("onnx.doc_string", model.doc_string());
  NamedAttrList properties;
  for (const auto &entry : model.metadata_props())
    if (!entry.key().empty())
      properties.set(entry.key(), builder.getStringAttr(entry.value()));
  if (!properties.empty())
    module->setAttr("onnx.metadata_props", properties.getDictionary(context));
}

/// Runs `function` with the first diagnostic that it emits as the error.
static llvm::Error
catchDiagnostics(MLIRContext *context,
                 llvm::function_ref<LogicalResult()> function) {
  std::string message;
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error ||
        !message.empty())
      return success();
    if (auto name = dyn_cast<NameLoc>(diagnostic.getLocation()))
      message = ("node '" + name.getName().getValue() + "': ").str();
    message += diagnostic.str();
    return success();
  });
  if (succeeded(function()))
    return llvm::Error::success();
  return makeError(message);
}

/// Verifies the module and refines its types, which shows whether what the
/// model declares about its values can be true.
static llvm::Error check(ModuleOp module) {
  return catchDiagnostics(module.getContext(), [&]() -> LogicalResult {
    if (failed(verify(module)))
      return failure();
    for (auto function : module.getOps<func::FuncOp>()) {
      FailureOr<SymbolicShapes> shapes = inferShapes(function);
      if (failed(shapes))
        return failure();
      refineTypes(function, *shapes);
    }
    return verify(module);
  });
}

llvm::Expected<OwningOpRef<ModuleOp>>
ModelImporter::import(const ::onnx::ModelProto &model) {
  if (!model.has_graph())
    return makeError("not an ONNX model: it has no graph");
  if (llvm::Error error = readOpsets(model.opset_import(), opsets))
    return error;
  if (llvm::Error error = readFunctions(model))
    return error;
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder.getUnknownLoc());
  setModuleAttributes(model, *module);
  if (llvm::Error error = importMain(model.graph(), *module))
    return error;
  if (llvm::Error error = check(*module))
    return error;
  return module;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

llvm::Expected<OwningOpRef<ModuleOp>>
lowbit::importOnnx(ArrayRef<char> bytes, StringRef path, MLIRContext &context) {
  // Protobuf prints what it finds wrong; the error below says it in our way.
  google::protobuf::SetLogHandler(nullptr);
  auto *dialect = context.getOrLoadDialect<LowbitDialect>();
  context.getOrLoadDialect<OnnxDialect>();
  context.getOrLoadDialect<func::FuncDialect>();
  WeightStore &store = dialect->getWeightStore();
  store.setBaseDirectory(llvm::sys::path::parent_path(path));

  llvm::Expected<std::string> stripped = detachRawData(bytes, kInlineLimit);
  if (!stripped)
    return addContext(path, stripped.takeError());
  ::onnx::ModelProto model;
  if (stripped->size() > INT_MAX ||
      !model.ParseFromArray(stripped->data(),
                            static_cast<int>(stripped->size())))
    return makeError(path + ": not an ONNX model, or damaged: protobuf cannot "
                            "read it");
  ModelImporter importer(
      &context, TensorImporter(&context, store, llvm::sys::path::filename(path),
                               bytes.size()));
  llvm::Expected<OwningOpRef<ModuleOp>> module = importer.import(model);
  if (!module)
    return addContext(path, module.takeError());
  return module;
}

llvm::Expected<OwningOpRef<ModuleOp>> lowbit::importOnnx(StringRef path,
                                                         MLIRContext &context) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                  /*RequiresNullTerminator=*/false);
  if (!file)
    return makeError("cannot read '" + path +
                     "': " + file.getError().message());
  StringRef bytes = (*file)->getBuffer();
  return importOnnx(ArrayRef<char>(bytes.data(), bytes.size()), path, context);
}
