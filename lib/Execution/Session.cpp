//===- Session.cpp - a model, ready to run --------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/Session.h"
#include "lowbit/Execution/CompiledFunction.h"
#include "lowbit/Execution/GpuRuntime.h"
#include "lowbit/Execution/Lowering.h"
#include "lowbit/Support/OutputFile.h"

using namespace mlir;
using namespace lowbit;

Session::~Session() = default;

namespace {
/// A model that was compiled in memory.
class JitSession final : public Session {
public:
  JitSession(Signature signature, std::unique_ptr<CompiledModule> code,
             EntryFn entry, GpuRunFunctions gpu)
      : Session(std::move(signature)), code(std::move(code)), entry(entry),
        gpu(gpu) {}

  llvm::Error setThreads(unsigned threads) override {
    return lowbit::setThreads(threads);
  }

private:
  llvm::Expected<std::vector<Tensor>>
  execute(ArrayRef<Tensor> inputs) const override {
    auto outputs = callEntry(entry, getSignature(), inputs);
    if (!outputs) {
      if (gpu.abandonRun) {
        gpu.abandonRun();
        // The failure that counts came first.
        gpu.takeError();
      }
      return outputs;
    }
    if (gpu.takeError)
      if (const char *message = gpu.takeError())
        return makeError(message);
    return outputs;
  }

  std::unique_ptr<CompiledModule> code;
  EntryFn entry;
  GpuRunFunctions gpu;
};
} // namespace

llvm::Expected<std::unique_ptr<Session>>
Session::compile(ModuleOp module, std::shared_ptr<JitEngine> engine) {
  llvm::Expected<func::FuncOp> function = findModelFunction(module);
  if (!function)
    return function.takeError();
  const JitOptions &options = engine->getOptions();
  CpuTarget target = options.target;
  // Kernels for GPUs read weights as the solvers store them.
  if (!options.gpu.empty())
    target.kernels.clear();
  if (llvm::Error error = prepareModel(module, target, options.kvCache))
    return error;
  // After normalization, which may find more static dimensions.
  llvm::Expected<Signature> signature = Signature::get(*function);
  if (!signature)
    return signature.takeError();
  auto code = engine->lowerAndCompile(module, function->getName().str());
  if (!code)
    return code.takeError();
  llvm::Expected<void *> entry = (*code)->lookup(kEntrySymbol);
  if (!entry)
    return entry.takeError();
  GpuRunFunctions gpu;
  if (!options.gpu.empty()) {
    llvm::Expected<void *> take = (*code)->lookup(kTakeGpuErrorName);
    if (!take)
      return take.takeError();
    llvm::Expected<void *> abandon = (*code)->lookup(kAbandonGpuRunName);
    if (!abandon)
      return abandon.takeError();
    gpu.takeError = reinterpret_cast<const char *(*)()>(*take);
    gpu.abandonRun = reinterpret_cast<void (*)()>(*abandon);
  }
  return std::make_unique<JitSession>(std::move(*signature), std::move(*code),
                                      reinterpret_cast<EntryFn>(*entry), gpu);
}

llvm::Expected<std::vector<Tensor>>
Session::run(ArrayRef<Tensor> inputs) const {
  if (llvm::Error error = signature.checkInputs(inputs))
    return error;
  return execute(inputs);
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
