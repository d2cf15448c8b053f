//===- Session.cpp - a model, ready to run --------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/Session.h"
#include "lowbit/Dialect/Onnx/Transforms/Pipelines.h"
#include "lowbit/Execution/CompiledFunction.h"
#include "lowbit/Execution/OpenMP.h"
#include "lowbit/Kernels/Passes.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;
using namespace lowbit;
using llvm::sys::DynamicLibrary;

static constexpr llvm::StringLiteral entryName = "lowbit_entry";
static constexpr llvm::StringLiteral metadataName = "lowbit_metadata";

/// The function that a module is run by: its only public one.
static llvm::Expected<func::FuncOp> findEntry(ModuleOp module) {
  func::FuncOp entry;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPublic() || function.isExternal())
      continue;
    if (entry)
      return makeError("the module has two public functions, '" +
                       entry.getName() + "' and '" + function.getName() +
                       "'; make all but the model private");
    entry = function;
  }
  if (!entry)
    return makeError("the module has no public function to run");
  return entry;
}

/// Brings an ONNX graph into the form that is lowered to the fastest code, and
/// its quantized weights into the layout of the kernels.
static llvm::Error prepare(ModuleOp module, const std::string &kernels) {
  std::string message;
  ScopedDiagnosticHandler handler(
      module.getContext(), [&](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == DiagnosticSeverity::Error &&
            message.empty())
          message = diagnostic.str();
        return success();
      });
  PassManager pm(module.getContext());
  onnx::buildNormalizePipeline(pm);
  if (!kernels.empty()) {
    LowbitPackWeightsOptions pack;
    pack.target = kernels;
    pm.addPass(createLowbitPackWeights(pack));
  }
  if (failed(pm.run(module)))
    return makeError(message);
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<Session>>
Session::compile(ModuleOp module, std::shared_ptr<JitEngine> engine) {
  llvm::Expected<func::FuncOp> function = findEntry(module);
  if (!function)
    return function.takeError();
  if (llvm::Error error =
          prepare(module, engine->getOptions().target.kernels))
    return error;
  // After normalization, which may find more static dimensions.
  llvm::Expected<Signature> signature = Signature::get(*function);
  if (!signature)
    return signature.takeError();
  auto code = engine->lowerAndCompile(module, function->getName().str());
  if (!code)
    return code.takeError();
  llvm::Expected<void *> entry = (*code)->lookup(entryName);
  if (!entry)
    return entry.takeError();
  return std::unique_ptr<Session>(new Session(
      std::move(*signature), std::shared_ptr<void>(std::move(*code)),
      reinterpret_cast<EntryFn>(*entry)));
}

llvm::Expected<std::unique_ptr<Session>> Session::open(StringRef path) {
  // The library may depend on the OpenMP runtime, which the loader would not
  // find where Debian keeps it.
  llvm::Expected<std::string> runtime = loadOpenMP();
  if (!runtime)
    return runtime.takeError();
  // A bare name would be searched for in the system's folders.
  llvm::SmallString<128> absolute(path);
  llvm::sys::fs::make_absolute(absolute);
  std::string message;
  auto library = std::make_shared<DynamicLibrary>(
      DynamicLibrary::getLibrary(absolute.c_str(), &message));
  if (!library->isValid())
    return makeError("cannot load '" + path + "': " + message);
  auto close = [library](void *) { DynamicLibrary::closeLibrary(*library); };
  std::shared_ptr<void> code(library.get(), close);

  void *entry = library->getAddressOfSymbol(entryName.data());
  auto *metadata = static_cast<const char *>(
      library->getAddressOfSymbol(metadataName.data()));
  if (!entry || !metadata)
    return makeError("'" + path + "' is no compiled model: it lacks " +
                     (entry ? metadataName : entryName));
  auto json = llvm::json::parse(metadata);
  if (!json)
    return makeError("'" + path + "' has damaged metadata: " +
                     llvm::toString(json.takeError()));
  llvm::Expected<Signature> signature = Signature::fromJSON(*json);
  if (!signature)
    return makeError("'" + path +
                     "': " + llvm::toString(signature.takeError()));
  return std::unique_ptr<Session>(
      new Session(std::move(*signature), std::move(code),
                  reinterpret_cast<EntryFn>(entry)));
}

llvm::Expected<std::vector<Tensor>>
Session::run(ArrayRef<Tensor> inputs) const {
  if (llvm::Error error = signature.checkInputs(inputs))
    return error;
  return callEntry(entry, signature, inputs);
}

llvm::Expected<NamedTensors> Session::run(const NamedTensors &inputs) const {
  llvm::Expected<std::vector<Tensor>> ordered = signature.orderInputs(inputs);
  if (!ordered)
    return ordered.takeError();
  llvm::Expected<std::vector<Tensor>> outputs = run(*ordered);
  if (!outputs)
    return outputs.takeError();
  NamedTensors named;
  for (auto [spec, output] : llvm::zip_equal(signature.outputs, *outputs))
    named.emplace_back(spec.name, output);
  return named;
}
