//===- LowbitToNvptx.h - models to NVIDIA GPUs ---------------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_LOWBITTONVPTX_LOWBITTONVPTX_H
#define LOWBIT_CONVERSION_LOWBITTONVPTX_LOWBITTONVPTX_H

#include "lowbit/Dialect/Lowbit/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace lowbit {

struct LowerToNvptxOptions : mlir::PassPipelineOptions<LowerToNvptxOptions> {
  Option<std::string> chip{*this, "chip",
                           llvm::cl::desc("The GPU: sm_75 and newer"),
                           llvm::cl::init("sm_80")};
  Option<bool> emulate{
      *this, "emulate",
      llvm::cl::desc("Run the kernels on the host, to test without a GPU"),
      llvm::cl::init(false)};
  Option<std::string> entry{
      *this, "entry",
      llvm::cl::desc("The function that lowbit_entry calls; empty for none"),
      llvm::cl::init("main")};
  Option<Phase> stopAfter{
      *this, "stop-after", llvm::cl::desc("The last phase"),
      llvm::cl::init(Phase::Llvm),
      llvm::cl::values(
          clEnumValN(Phase::Quantized, "quantized", "The normalized graph"),
          clEnumValN(Phase::Linalg, "linalg", "Loops as linalg on tensors"),
          clEnumValN(Phase::Buffers, "buffers", "The same on buffers"),
          clEnumValN(Phase::Kernels, "kernels",
                     "Kernels in the gpu dialect, launched by the host"),
          clEnumValN(Phase::Ptx, "ptx", "Kernels as PTX in a gpu.binary"),
          clEnumValN(Phase::Llvm, "llvm",
                     "Everything lowered, the PTX a constant"))};
};

/// Adds the passes that take a module in any phase (a graph, tensors, buffers)
/// to PTX and a host program that launches it. An unknown chip is an error,
/// reported through `emitError`.
mlir::LogicalResult buildLowerToNvptx(
    mlir::OpPassManager &pm, const LowerToNvptxOptions &options,
    llvm::function_ref<mlir::LogicalResult(const llvm::Twine &)> emitError);

/// The PTX texts in a module: of a `gpu.binary`, or of the constant that the
/// host's program gives to the driver. `--lower-to-nvptx` makes one of all
/// kernels of a model; before it there is none.
llvm::SmallVector<llvm::StringRef> getPtxTexts(mlir::ModuleOp module);

/// Whether the NVPTX path knows this chip.
bool isNvptxChip(llvm::StringRef chip);

void registerLowerToNvptxPipeline();

} // namespace lowbit

#endif // LOWBIT_CONVERSION_LOWBITTONVPTX_LOWBITTONVPTX_H
