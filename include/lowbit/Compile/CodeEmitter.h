//===- CodeEmitter.h - LLVM IR to code ------------------------ -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_COMPILE_CODEEMITTER_H
#define LOWBIT_COMPILE_CODEEMITTER_H

#include "lowbit/Execution/CpuTarget.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>

namespace lowbit {

class WeightObject;

/// A translated module with the machine that it is for.
struct Code {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;
  std::unique_ptr<llvm::TargetMachine> machine;
};

/// Translates a module of the LLVM dialect and optimizes it. Its table of
/// weights points into `weights`; its entry is named `entry`, and what it calls
/// of the runtime begins with `prefix`. All other symbols are internal.
llvm::Expected<Code> translateCode(mlir::ModuleOp module,
                                   const CpuTarget &target,
                                   llvm::StringRef prefix,
                                   llvm::StringRef entry,
                                   WeightObject &weights);

llvm::Error emitCode(Code &code, llvm::CodeGenFileType type,
                     llvm::raw_pwrite_stream &os);

} // namespace lowbit

#endif // LOWBIT_COMPILE_CODEEMITTER_H
