//===- CodeEmitter.cpp - LLVM IR to code ----------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Compile/CodeEmitter.h"
#include "lowbit/Compile/ModelSource.h"
#include "lowbit/Compile/WeightObject.h"
#include "lowbit/Execution/Lowering.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LegacyPassManager.h"

using namespace lowbit;
using llvm::StringRef;

/// As with `-O2`; more makes the code larger and not faster.
static constexpr unsigned kOptimizationLevel = 2;

/// Makes the table of weights, which the linker or loader fills in.
static llvm::Error defineTable(llvm::Module &code, mlir::ModuleOp module,
                               WeightObject &weights) {
  llvm::GlobalVariable *table = code.getGlobalVariable(kWeightTableSymbol);
  auto list = module->getAttrOfType<mlir::ArrayAttr>(kWeightsAttribute);
  if (!table || !list)
    return llvm::Error::success();
  auto *byte = llvm::Type::getInt8Ty(code.getContext());
  auto *index = llvm::Type::getInt64Ty(code.getContext());
  auto *blob = new llvm::GlobalVariable(
      code, byte, /*isConstant=*/true, llvm::GlobalValue::ExternalLinkage,
      /*Initializer=*/nullptr, weights.getSymbol());
  blob->setVisibility(llvm::GlobalValue::HiddenVisibility);
  std::vector<llvm::Constant *> addresses;
  for (mlir::Attribute value : list) {
    llvm::Expected<uint64_t> offset = weights.add(value);
    if (!offset)
      return offset.takeError();
    addresses.push_back(llvm::ConstantExpr::getGetElementPtr(
        byte, blob, llvm::ConstantInt::get(index, *offset)));
  }
  auto *type = llvm::cast<llvm::ArrayType>(table->getValueType());
  table->setInitializer(llvm::ConstantArray::get(type, addresses));
  return llvm::Error::success();
}

/// Only the entry can be seen from outside. The table stays external, though
/// hidden, and not constant: instructions could not reach weights beyond 2 GiB
/// if LLVM replaced loads from the table by what is in it.
static void hideSymbols(llvm::Module &code, StringRef entry) {
  for (llvm::Function &function : code)
    if (!function.isDeclaration() && function.getName() != kEntrySymbol)
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  for (llvm::GlobalVariable &global : code.globals())
    // Lists of destructors are LLVM's.
    if (!global.isDeclaration() && !global.hasAppendingLinkage() &&
        global.getName() != kWeightTableSymbol)
      global.setLinkage(llvm::GlobalValue::InternalLinkage);
  if (auto *table = code.getGlobalVariable(kWeightTableSymbol)) {
    table->setVisibility(llvm::GlobalValue::HiddenVisibility);
    table->setName(entry + "_weight_table");
  }
  if (auto *function = code.getFunction(kEntrySymbol)) {
    function->setName(entry);
    function->setVisibility(llvm::GlobalValue::HiddenVisibility);
  }
}

static bool isInRuntime(StringRef name) {
  return name == "malloc" || name == "free" || name == "errx" ||
         name.starts_with("omp_") || name.starts_with("__kmpc_") ||
         name.starts_with("lowbit_gpu_");
}

/// Lets the code call the model's own runtime.
static void useRuntime(llvm::Module &code, StringRef prefix) {
  for (llvm::Function &function : code)
    if (function.isDeclaration() && isInRuntime(function.getName())) {
      function.setName(getRuntimeName(prefix, function.getName()));
      function.setVisibility(llvm::GlobalValue::HiddenVisibility);
    }
}

llvm::Expected<Code> lowbit::translateCode(mlir::ModuleOp module,
                                           const CpuTarget &target,
                                           StringRef prefix, StringRef entry,
                                           WeightObject &weights) {
  llvm::orc::JITTargetMachineBuilder builder =
      getMachineBuilder(target, kOptimizationLevel);
  // Memory in which code is compiled may lie anywhere; a library is one piece.
  builder.setCodeModel(llvm::CodeModel::Small);
  auto machine = builder.createTargetMachine();
  if (!machine)
    return machine.takeError();
  Code code;
  code.machine = std::move(*machine);
  code.context = std::make_unique<llvm::LLVMContext>();
  auto translated = translateToLLVMIR(module, *code.context, *code.machine);
  if (!translated)
    return translated.takeError();
  code.module = std::move(*translated);
  if (llvm::Error error = defineTable(*code.module, module, weights))
    return error;
  hideSymbols(*code.module, entry);
  optimizeLLVMIR(*code.module, *code.machine, kOptimizationLevel);
  // Not before: LLVM knows what malloc and free do.
  useRuntime(*code.module, prefix);
  return code;
}

llvm::Error lowbit::emitCode(Code &code, llvm::CodeGenFileType type,
                             llvm::raw_pwrite_stream &os) {
  llvm::legacy::PassManager passes;
  if (code.machine->addPassesToEmitFile(passes, os, nullptr, type))
    return makeError("LLVM cannot emit code for " +
                     code.machine->getTargetTriple().str());
  passes.run(*code.module);
  return llvm::Error::success();
}
