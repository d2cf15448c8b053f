//===- Lowering.h - from models to LLVM IR -------------------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What compiling in memory and ahead of time have in common. Every function
// reports the first error of the passes that it runs.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_EXECUTION_LOWERING_H
#define LOWBIT_EXECUTION_LOWERING_H

#include "lowbit/Conversion/LowbitToCpu/KvCache.h"
#include "lowbit/Dialect/Lowbit/Transforms/Passes.h"
#include "lowbit/Execution/CpuTarget.h"
#include "lowbit/Kernels/MatmulStrategy.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace llvm {
class LLVMContext;
class Module;
class TargetMachine;
} // namespace llvm

namespace mlir {
class PassManager;
} // namespace mlir

namespace lowbit {

/// Symbols of the LLVM dialect that `--lowbit-lower-to-cpu` makes, and the
/// attribute that lists what the table of weights points to.
inline constexpr llvm::StringLiteral kEntrySymbol = "lowbit_entry";
inline constexpr llvm::StringLiteral kWeightTableSymbol = "lowbit_weight_table";
inline constexpr llvm::StringLiteral kWeightsAttribute = "lowbit.weights";

/// The function that a module is run by: its only public one.
llvm::Expected<mlir::func::FuncOp> findModelFunction(mlir::ModuleOp module);

/// Runs `pm` on `module`; `what` begins the error.
llvm::Error runPasses(mlir::PassManager &pm, mlir::ModuleOp module,
                      llvm::StringRef what);

/// Brings an ONNX graph into the form that is lowered to the fastest code, and
/// its quantized weights into the layout of the target's kernels. Caches of a
/// decoder become what `kvCache` says.
llvm::Error prepareModel(mlir::ModuleOp module, const CpuTarget &target,
                         KvCache kvCache);

/// Lowers `module`, in place, to the LLVM dialect, with `entry` behind
/// `lowbit_entry`, or to the end of an earlier phase. It may contain ops of the
/// onnx and lowbit dialects and what `--lowbit-lower-to-cpu` takes.
llvm::Error lowerModel(mlir::ModuleOp module, llvm::StringRef entry,
                       const CpuTarget &target, bool parallel,
                       Phase stopAfter = Phase::Llvm,
                       MatmulStrategy strategy = MatmulStrategy::Auto);

/// The same for a GPU, by the names of `--lower-to-nvptx`, or for the emulator
/// (kEmulatedGpu).
llvm::Error lowerModelForGpu(mlir::ModuleOp module, llvm::StringRef entry,
                             llvm::StringRef gpu,
                             Phase stopAfter = Phase::Llvm);

/// `level` is as in -O0 .. -O3; code is position-independent.
llvm::orc::JITTargetMachineBuilder getMachineBuilder(const CpuTarget &target,
                                                     unsigned level);

/// Translates a module of the LLVM dialect.
llvm::Expected<std::unique_ptr<llvm::Module>>
translateToLLVMIR(mlir::ModuleOp module, llvm::LLVMContext &context,
                  llvm::TargetMachine &machine);

/// Optimizes for the machine.
void optimizeLLVMIR(llvm::Module &module, llvm::TargetMachine &machine,
                    unsigned level);

} // namespace lowbit

#endif // LOWBIT_EXECUTION_LOWERING_H
