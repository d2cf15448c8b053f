//===- JitEngine.cpp - compiles modules into this process -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/JitEngine.h"
#include "GuardedRun.h"
#include "lowbit/Conversion/GPU/Passes.h"
#include "lowbit/Conversion/LowbitToNvptx/LowbitToNvptx.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Execution/GpuRuntime.h"
#include "lowbit/Execution/Lowering.h"
#include "lowbit/Execution/OpenMP.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"
#include <deque>

using namespace mlir;
using namespace lowbit;
namespace orc = llvm::orc;

CompiledModule::~CompiledModule() = default;

struct JitEngine::Impl {
  std::unique_ptr<orc::LLJIT> jit;
  std::unique_ptr<llvm::TargetMachine> machine;
  unsigned count = 0;
};

namespace {
/// What the code's table of weights holds.
struct Weights {
  std::vector<const char *> addresses;
  /// The elements of constants that store one for all.
  std::deque<llvm::SmallVector<char>> expanded;
};

/// The code of one module, in a library of its own.
class JitModule final : public CompiledModule {
public:
  JitModule(std::shared_ptr<void> engine, orc::LLJIT &jit,
            orc::JITDylib &library, Weights weights)
      : engine(std::move(engine)), jit(jit), library(library),
        weights(std::move(weights)) {}
  ~JitModule() override {
    // GPU programs hold weights and kernels on the device.
    llvm::Expected<void *> unload = lookup(kUnloadName);
    if (unload)
      reinterpret_cast<void (*)()>(*unload)();
    else
      llvm::consumeError(unload.takeError());
    llvm::consumeError(jit.getExecutionSession().removeJITDylib(library));
  }

  llvm::Expected<void *> lookup(llvm::StringRef symbol) override {
    llvm::Expected<orc::ExecutorAddr> address = jit.lookup(library, symbol);
    if (!address)
      return address.takeError();
    return address->toPtr<void *>();
  }

  ArrayRef<const char *> getWeights() const { return weights.addresses; }

private:
  std::shared_ptr<void> engine;
  orc::LLJIT &jit;
  orc::JITDylib &library;
  Weights weights;
};
} // namespace

JitEngine::JitEngine(JitOptions options, std::unique_ptr<Impl> impl)
    : options(std::move(options)), impl(std::move(impl)) {}
JitEngine::~JitEngine() = default;

llvm::Expected<std::shared_ptr<JitEngine>>
JitEngine::create(JitOptions options) {
  orc::JITTargetMachineBuilder builder =
      getMachineBuilder(options.target, options.optimizationLevel);
  auto impl = std::make_unique<Impl>();
  auto machine = builder.createTargetMachine();
  if (!machine)
    return machine.takeError();
  impl->machine = std::move(*machine);
  auto jit = orc::LLJITBuilder()
                 .setJITTargetMachineBuilder(std::move(builder))
                 .setPlatformSetUp(orc::setUpInactivePlatform)
                 .create();
  if (!jit)
    return jit.takeError();
  impl->jit = std::move(*jit);

  llvm::Expected<std::string> runtime = loadOpenMP();
  if (!runtime)
    return runtime.takeError();
  auto generator = orc::DynamicLibrarySearchGenerator::Load(
      runtime->c_str(), impl->jit->getDataLayout().getGlobalPrefix());
  if (!generator)
    return generator.takeError();
  orc::JITDylib &process = *impl->jit->getProcessSymbolsJITDylib();
  process.addGenerator(std::move(*generator));
  orc::SymbolMap own;
  own[impl->jit->mangleAndIntern(kFailureSymbol)] = {
      orc::ExecutorAddr::fromPtr(&failRun), llvm::JITSymbolFlags::Exported};
  own[impl->jit->mangleAndIntern("malloc")] = {
      orc::ExecutorAddr::fromPtr(&allocateOrFail),
      llvm::JITSymbolFlags::Exported};
  if (llvm::Error error = process.define(orc::absoluteSymbols(std::move(own))))
    return error;
  return std::shared_ptr<JitEngine>(
      new JitEngine(std::move(options), std::move(impl)));
}

static llvm::Expected<Weights> getWeights(ModuleOp module) {
  Weights weights;
  auto list = module->getAttrOfType<ArrayAttr>(kWeightsAttribute);
  if (!list)
    return weights;
  for (Attribute value : list) {
    llvm::Expected<ArrayRef<char>> bytes =
        getConstantBytes(value, weights.expanded.emplace_back());
    if (!bytes)
      return bytes.takeError();
    weights.addresses.push_back(bytes->data());
  }
  return weights;
}

llvm::Expected<std::unique_ptr<CompiledModule>>
JitEngine::compile(ModuleOp module) {
  auto weights = getWeights(module);
  if (!weights)
    return weights.takeError();

  auto context = std::make_unique<llvm::LLVMContext>();
  auto code = translateToLLVMIR(module, *context, *impl->machine);
  if (!code)
    return code.takeError();
  optimizeLLVMIR(**code, *impl->machine, options.optimizationLevel);

  auto library =
      impl->jit->createJITDylib("model." + std::to_string(impl->count++));
  if (!library)
    return library.takeError();
  auto result = std::make_unique<JitModule>(impl, *impl->jit, *library,
                                            std::move(*weights));
  if (!result->getWeights().empty()) {
    orc::SymbolMap table;
    table[impl->jit->mangleAndIntern(kWeightTableSymbol)] = {
        orc::ExecutorAddr::fromPtr(result->getWeights().data()),
        llvm::JITSymbolFlags::Exported};
    if (llvm::Error error =
            library->define(orc::absoluteSymbols(std::move(table))))
      return error;
  }
  if (!options.gpu.empty()) {
    // The emulator's functions have the names of the driver's, so they are seen
    // by this module alone.
    llvm::Expected<std::string> runtime = findGpuRuntime(options.gpu);
    if (!runtime)
      return runtime.takeError();
    // Of all that the library and those below it have.
    auto isRuntime = [](const orc::SymbolStringPtr &name) {
      return (*name).starts_with("lowbit_");
    };
    auto generator = orc::DynamicLibrarySearchGenerator::Load(
        runtime->c_str(), impl->jit->getDataLayout().getGlobalPrefix(),
        isRuntime);
    if (!generator)
      return generator.takeError();
    library->addGenerator(std::move(*generator));
  }
  orc::ThreadSafeModule safe(std::move(*code), std::move(context));
  if (llvm::Error error = impl->jit->addIRModule(*library, std::move(safe)))
    return error;
  return result;
}

llvm::Expected<std::unique_ptr<CompiledModule>>
JitEngine::lowerAndCompile(ModuleOp module, StringRef entry, bool parallel) {
  if (llvm::Error error =
          options.gpu.empty()
              ? lowerModel(module, entry, options.target, parallel)
              : lowerModelForGpu(module, entry, options.gpu))
    return error;
  return compile(module);
}

llvm::Error lowbit::setThreads(unsigned threads) {
  llvm::Expected<std::string> runtime = loadOpenMP();
  if (!runtime)
    return runtime.takeError();
  setOpenMPThreads(threads);
  return llvm::Error::success();
}
