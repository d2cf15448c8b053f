//===- ModuleFile.cpp - modules, and the weight files beside them ---------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Tools/ModuleFile.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Support/OutputFile.h"
#include "lowbit/Target/Onnx/ImportOnnx.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace lowbit;
namespace cl = llvm::cl;
namespace path = llvm::sys::path;

static StringRef getFolder(StringRef file) {
  return file == "-" ? StringRef() : path::parent_path(file);
}

void lowbit::configureWeightStore(WeightStore &store, StringRef inputPath,
                                  StringRef outputPath) {
  store.setBaseDirectory(getFolder(inputPath));
  // There is no place beside a device.
  if (isDevice(outputPath)) {
    llvm::cantFail(store.useScratchOutput());
    return;
  }
  SmallString<128> weights;
  if (outputPath != "-") {
    weights = outputPath;
    path::replace_extension(weights, "safetensors");
  } else {
    // Standard output has no name; the input's says whose weights these are.
    weights = inputPath == "-" ? StringRef("model") : path::stem(inputPath);
    weights += "-quantized.safetensors";
  }
  store.setOutputPath(weights);
}

void lowbit::rebaseWeights(Operation *root, StringRef outputPath) {
  auto *dialect = root->getContext()->getLoadedDialect<LowbitDialect>();
  if (!dialect)
    return;
  WeightStore &store = dialect->getWeightStore();
  std::vector<std::string> used;
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](ExternalAttr attr) -> Attribute {
    if (!attr.getKey().empty())
      used.push_back(attr.getKey().str());
    return ExternalAttr::get(
        attr.getContext(), attr.getType(),
        store.getPathFrom(attr.getFile(), getFolder(outputPath)), attr.getKey(),
        attr.getOffset(), attr.getLength());
  });
  replacer.recursivelyReplaceElementsIn(root);
  store.keepOnly(used);
}

void lowbit::protectWeights(Operation *root) {
  auto *dialect = root->getContext()->getLoadedDialect<LowbitDialect>();
  if (!dialect)
    return;
  WeightStore &store = dialect->getWeightStore();
  AttrTypeWalker walker;
  walker.addWalk([&](ExternalAttr attr) { store.protect(attr.getFile()); });
  root->walk([&](Operation *op) { walker.walk(op->getAttrDictionary()); });
}

namespace {
struct ProtectWeightsPass : PassWrapper<ProtectWeightsPass, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ProtectWeightsPass)
  StringRef getName() const override { return "ProtectWeights"; }
  void runOnOperation() override {
    protectWeights(getOperation());
    markAllAnalysesPreserved();
  }
};

struct RebaseWeightsPass : PassWrapper<RebaseWeightsPass, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(RebaseWeightsPass)
  explicit RebaseWeightsPass(std::string outputPath)
      : outputPath(std::move(outputPath)) {}
  StringRef getName() const override { return "RebaseWeights"; }
  void runOnOperation() override {
    rebaseWeights(getOperation(), outputPath);
    markAllAnalysesPreserved();
  }
  std::string outputPath;
};
} // namespace

std::unique_ptr<Pass> lowbit::createProtectWeightsPass() {
  return std::make_unique<ProtectWeightsPass>();
}

std::unique_ptr<Pass> lowbit::createRebaseWeightsPass(std::string outputPath) {
  return std::make_unique<RebaseWeightsPass>(std::move(outputPath));
}

/// The importer leaves this attribute on every module.
static constexpr StringLiteral modelMarker = "onnx.ir_version";

void lowbit::keepNodeNames(StringRef input) {
  if (!input.contains(modelMarker))
    return;
  auto option = cl::getRegisteredOptions().find("mlir-print-debuginfo");
  if (option != cl::getRegisteredOptions().end())
    static_cast<cl::opt<bool> *>(option->second)->setValue(true);
}

OwningOpRef<ModuleOp> lowbit::loadModule(StringRef path, MLIRContext &context) {
  if (path.ends_with(".onnx")) {
    llvm::Expected<OwningOpRef<ModuleOp>> module = importOnnx(path, context);
    if (module)
      return std::move(*module);
    emitError(UnknownLoc::get(&context)) << llvm::toString(module.takeError());
    return nullptr;
  }
  auto *dialect = context.getOrLoadDialect<LowbitDialect>();
  dialect->getWeightStore().setBaseDirectory(getFolder(path));
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> input = openInputFile(path, &message);
  if (!input) {
    emitError(UnknownLoc::get(&context)) << message;
    return nullptr;
  }
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(input), llvm::SMLoc());
  return parseSourceFile<ModuleOp>(sources, &context);
}

llvm::Error lowbit::saveModule(ModuleOp module, StringRef path, bool bytecode) {
  llvm::Expected<OutputFile> file = OutputFile::create(path);
  if (!file)
    return file.takeError();
  OwningOpRef<ModuleOp> rebased = module.clone();
  rebaseWeights(*rebased, path);
  if (!bytecode)
    rebased->print(file->os(), OpPrintingFlags().enableDebugInfo(
                                   module->hasAttr(modelMarker)));
  else if (failed(writeBytecodeToFile(*rebased, file->os())))
    return makeError("cannot write '" + path + "' as bytecode");
  if (auto *dialect = module.getContext()->getLoadedDialect<LowbitDialect>())
    if (llvm::Error error = dialect->getWeightStore().commitOutput())
      return error;
  return file->commit();
}
