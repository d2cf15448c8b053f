//===- JitEngine.cpp - compiles modules into this process -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/JitEngine.h"
#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "lowbit/Conversion/LowbitToLinalg/Passes.h"
#include "lowbit/Conversion/OnnxToLinalg/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Execution/OpenMP.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace lowbit;
namespace orc = llvm::orc;

static constexpr llvm::StringLiteral tableName = "lowbit_weight_table";
static constexpr llvm::StringLiteral weightsName = "lowbit.weights";

CompiledModule::~CompiledModule() = default;

struct JitEngine::Impl {
  std::unique_ptr<orc::LLJIT> jit;
  std::unique_ptr<llvm::TargetMachine> machine;
  unsigned count = 0;
};

namespace {
/// Keeps the first error of a context, which says what is wrong; the others
/// follow from it.
struct FirstError {
  explicit FirstError(MLIRContext *context)
      : handler(context, [this](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() == DiagnosticSeverity::Error &&
              message.empty())
            message = diagnostic.str();
          return success();
        }) {}

  std::string message;
  ScopedDiagnosticHandler handler;
};

/// The code of one module, in a library of its own.
class JitModule final : public CompiledModule {
public:
  JitModule(std::shared_ptr<void> engine, orc::LLJIT &jit,
            orc::JITDylib &library, std::vector<const char *> weights)
      : engine(std::move(engine)), jit(jit), library(library),
        weights(std::move(weights)) {}
  ~JitModule() override {
    llvm::consumeError(jit.getExecutionSession().removeJITDylib(library));
  }

  llvm::Expected<void *> lookup(llvm::StringRef symbol) override {
    llvm::Expected<orc::ExecutorAddr> address = jit.lookup(library, symbol);
    if (!address)
      return address.takeError();
    return address->toPtr<void *>();
  }

  ArrayRef<const char *> getWeights() const { return weights; }

private:
  std::shared_ptr<void> engine;
  orc::LLJIT &jit;
  orc::JITDylib &library;
  /// The addresses that the code's table of weights consists of.
  std::vector<const char *> weights;
};
} // namespace

static llvm::CodeGenOptLevel getCodeGenLevel(unsigned level) {
  // The most expensive code generation costs time and gains nothing here.
  return level == 0 ? llvm::CodeGenOptLevel::None
                    : llvm::CodeGenOptLevel::Default;
}

JitEngine::JitEngine(JitOptions options, std::unique_ptr<Impl> impl)
    : options(std::move(options)), impl(std::move(impl)) {}
JitEngine::~JitEngine() = default;

llvm::Expected<std::shared_ptr<JitEngine>>
JitEngine::create(JitOptions options) {
  orc::JITTargetMachineBuilder builder{
      llvm::Triple(llvm::sys::getProcessTriple())};
  builder.setCPU(options.target.cpu);
  llvm::SmallVector<StringRef> features;
  StringRef(options.target.features).split(features, ',', -1, false);
  builder.addFeatures(
      std::vector<std::string>(features.begin(), features.end()));
  builder.setCodeGenOptLevel(getCodeGenLevel(options.optimizationLevel));
  builder.setRelocationModel(llvm::Reloc::PIC_);

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
  impl->jit->getProcessSymbolsJITDylib()->addGenerator(std::move(*generator));
  return std::shared_ptr<JitEngine>(
      new JitEngine(std::move(options), std::move(impl)));
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine,
                     unsigned level) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = true;
  // Straight-line code is already in vectors where that pays.
  tuning.SLPVectorization = false;
  // The loops that matter do enough in one iteration.
  tuning.LoopUnrolling = false;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  using Level = llvm::OptimizationLevel;
  const Level levels[] = {Level::O0, Level::O1, Level::O2, Level::O3};
  if (level == 0)
    builder.buildO0DefaultPipeline(Level::O0).run(module, modules);
  else
    builder.buildPerModuleDefaultPipeline(levels[std::min(level, 3u)])
        .run(module, modules);
}

/// The addresses of the weights that the module's table is to hold.
static llvm::Expected<std::vector<const char *>> getWeights(ModuleOp module) {
  std::vector<const char *> weights;
  auto list = module->getAttrOfType<ArrayAttr>(weightsName);
  if (!list)
    return weights;
  for (Attribute value : list) {
    llvm::Expected<ArrayRef<char>> bytes = getConstantBytes(value);
    if (!bytes)
      return bytes.takeError();
    weights.push_back(bytes->data());
  }
  return weights;
}

llvm::Expected<std::unique_ptr<CompiledModule>>
JitEngine::compile(ModuleOp module) {
  auto weights = getWeights(module);
  if (!weights)
    return weights.takeError();

  DialectRegistry translations;
  registerAllToLLVMIRTranslations(translations);
  module.getContext()->appendDialectRegistry(translations);
  auto context = std::make_unique<llvm::LLVMContext>();
  FirstError error(module.getContext());
  std::unique_ptr<llvm::Module> code =
      translateModuleToLLVMIR(module, *context);
  if (!code)
    return makeError("cannot translate to LLVM IR: " + error.message);
  code->setDataLayout(impl->machine->createDataLayout());
  code->setTargetTriple(impl->machine->getTargetTriple());
  optimize(*code, *impl->machine, options.optimizationLevel);

  auto library =
      impl->jit->createJITDylib("model." + std::to_string(impl->count++));
  if (!library)
    return library.takeError();
  auto result = std::make_unique<JitModule>(impl, *impl->jit, *library,
                                            std::move(*weights));
  if (!result->getWeights().empty()) {
    orc::SymbolMap table;
    table[impl->jit->mangleAndIntern(tableName)] = {
        orc::ExecutorAddr::fromPtr(result->getWeights().data()),
        llvm::JITSymbolFlags::Exported};
    if (llvm::Error error =
            library->define(orc::absoluteSymbols(std::move(table))))
      return error;
  }
  if (llvm::Error error = impl->jit->addIRModule(
          *library, orc::ThreadSafeModule(std::move(code), std::move(context))))
    return error;
  return result;
}

llvm::Expected<std::unique_ptr<CompiledModule>>
JitEngine::lowerAndCompile(ModuleOp module, StringRef entry, bool parallel) {
  CpuLoweringOptions lowering;
  lowering.vectorBytes = options.target.vectorBytes;
  lowering.vectorRegisters = options.target.vectorRegisters;
  lowering.kernels = options.target.kernels;
  lowering.parallel = parallel;
  lowering.entry = entry.str();
  PassManager pm(module.getContext());
  // The passes are tested; what a user's module can break, they check.
  pm.enableVerifier(false);
  pm.addPass(createConvertOnnxToLinalg());
  pm.addPass(createLowbitToLinalg());
  buildLowerToCpuPipeline(pm, lowering);

  FirstError error(module.getContext());
  if (failed(pm.run(module)))
    return makeError("cannot compile: " + error.message);
  return compile(module);
}

llvm::Error lowbit::setThreads(unsigned threads) {
  llvm::Expected<std::string> runtime = loadOpenMP();
  if (!runtime)
    return runtime.takeError();
  setOpenMPThreads(threads);
  return llvm::Error::success();
}
