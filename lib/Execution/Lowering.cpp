//===- Lowering.cpp - from models to LLVM IR ------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/Lowering.h"
#include "lowbit/Conversion/LowbitToCpu/LowbitToCpu.h"
#include "lowbit/Conversion/LowbitToNvptx/LowbitToNvptx.h"
#include "lowbit/Execution/GpuRuntime.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace lowbit;

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
} // namespace

llvm::Expected<func::FuncOp> lowbit::findModelFunction(ModuleOp module) {
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

llvm::Error lowbit::runPasses(PassManager &pm, ModuleOp module,
                              StringRef what) {
  FirstError error(module.getContext());
  if (failed(pm.run(module)))
    return makeError(what + error.message);
  return llvm::Error::success();
}

llvm::Error lowbit::prepareModel(ModuleOp module, const CpuTarget &target,
                                 KvCache kvCache) {
  PassManager pm(module.getContext());
  buildPackingPhase(pm, target.kernels, kvCache);
  return runPasses(pm, module, "");
}

llvm::Error lowbit::lowerModel(ModuleOp module, StringRef entry,
                               const CpuTarget &target, bool parallel,
                               Phase stopAfter, MatmulStrategy strategy) {
  CpuLoweringOptions lowering;
  lowering.vectorBytes = target.vectorBytes;
  lowering.vectorRegisters = target.vectorRegisters;
  lowering.kernels = target.kernels;
  lowering.parallel = parallel;
  lowering.entry = entry.str();
  lowering.strategy = strategy;
  lowering.stopAfter = stopAfter;
  PassManager pm(module.getContext());
  // The passes are tested; what a user's module can break, they check.
  pm.enableVerifier(false);
  buildLowerPackedToCpu(pm, lowering);
  return runPasses(pm, module, "cannot compile: ");
}

llvm::Error lowbit::lowerModelForGpu(ModuleOp module, StringRef entry,
                                     StringRef gpu, Phase stopAfter) {
  LowerToNvptxOptions lowering;
  lowering.entry = entry.str();
  lowering.stopAfter = stopAfter;
  if (gpu == kEmulatedGpu)
    lowering.emulate = true;
  else
    lowering.chip = gpu.str();
  PassManager pm(module.getContext());
  pm.enableVerifier(false);
  std::string message;
  auto keepError = [&](const Twine &error) {
    message = error.str();
    return failure();
  };
  if (failed(buildLowerToNvptx(pm, lowering, keepError)))
    return makeError(message);
  return runPasses(pm, module, "cannot compile: ");
}

llvm::orc::JITTargetMachineBuilder
lowbit::getMachineBuilder(const CpuTarget &target, unsigned level) {
  llvm::orc::JITTargetMachineBuilder builder{target.triple};
  builder.setCPU(target.cpu);
  llvm::SmallVector<StringRef> features;
  StringRef(target.features).split(features, ',', -1, /*KeepEmpty=*/false);
  builder.addFeatures(
      std::vector<std::string>(features.begin(), features.end()));
  // The most expensive code generation costs time and gains nothing here.
  builder.setCodeGenOptLevel(level == 0 ? llvm::CodeGenOptLevel::None
                                        : llvm::CodeGenOptLevel::Default);
  builder.setRelocationModel(llvm::Reloc::PIC_);
  return builder;
}

llvm::Expected<std::unique_ptr<llvm::Module>>
lowbit::translateToLLVMIR(ModuleOp module, llvm::LLVMContext &context,
                          llvm::TargetMachine &machine) {
  DialectRegistry translations;
  registerAllToLLVMIRTranslations(translations);
  module.getContext()->appendDialectRegistry(translations);
  FirstError error(module.getContext());
  std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(module, context);
  if (!code)
    return makeError("cannot translate to LLVM IR: " + error.message);
  code->setDataLayout(machine.createDataLayout());
  code->setTargetTriple(machine.getTargetTriple());
  // For any ARM processor, LLVM schedules as for one that executes in order: it
  // loads early what then does not fit the registers.
  bool isAnyArm = machine.getTargetTriple().isAArch64() &&
                  machine.getTargetCPU() == "generic";
  for (llvm::Function &function : *code) {
    if (function.isDeclaration())
      continue;
    // Otherwise registers that are spilled lie across cache lines: LLVM finds
    // out too late that the stack needs a larger alignment than the ABI's.
    function.addFnAttr("stackrealign");
    if (isAnyArm)
      function.addFnAttr("tune-cpu", "neoverse-n1");
  }
  return code;
}

void lowbit::optimizeLLVMIR(llvm::Module &module, llvm::TargetMachine &machine,
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
