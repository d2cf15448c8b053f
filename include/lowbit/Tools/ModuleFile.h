//===- ModuleFile.h - modules, and the weight files beside them - -*- C++
//-*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_TOOLS_MODULEFILE_H
#define LOWBIT_TOOLS_MODULEFILE_H

#include "lowbit/Support/WeightStore.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <memory>

namespace mlir {
class Pass;
} // namespace mlir

namespace lowbit {

/// Points `store` at the folder of `inputPath` and at the safetensors file that
/// belongs to `outputPath`. "-" stands for standard input and output, whose
/// folder is the working directory.
void configureWeightStore(WeightStore &store, llvm::StringRef inputPath,
                          llvm::StringRef outputPath);

/// Keeps the files of all weights of `root` from being replaced by new ones.
void protectWeights(mlir::Operation *root);

/// A pass that calls `protectWeights`; the first one of a tool that may write
/// where it reads.
std::unique_ptr<mlir::Pass> createProtectWeightsPass();

/// Rewrites the paths of all external weights of `root`, which are relative to
/// the store's base directory, so that they hold from the folder of
/// `outputPath`. Weights that nothing in `root` names will not be saved.
void rebaseWeights(mlir::Operation *root, llvm::StringRef outputPath);

/// A pass that calls `rebaseWeights`; the last one before a module is printed.
std::unique_ptr<mlir::Pass> createRebaseWeightsPass(std::string outputPath);

/// Parses a `.mlir` or `.mlirbc` file, whose weights are then found beside it,
/// or imports an `.onnx` file. Emits a diagnostic and returns null when that
/// fails.
mlir::OwningOpRef<mlir::ModuleOp> loadModule(llvm::StringRef path,
                                             mlir::MLIRContext &context);

/// Makes the tool print the names of nodes, which stand in locations and are
/// left out of text by default, if `input` is a module that came from a model.
void keepNodeNames(llvm::StringRef input);

/// Writes `module` as text, or as bytecode, and with it the weights that passes
/// have made. Paths of weights are rebased to the output's folder.
llvm::Error saveModule(mlir::ModuleOp module, llvm::StringRef path,
                       bool bytecode);

} // namespace lowbit

#endif // LOWBIT_TOOLS_MODULEFILE_H
