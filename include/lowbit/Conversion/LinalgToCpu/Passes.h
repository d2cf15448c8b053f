//===- Passes.h - from linalg on tensors to code for a CPU ---- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_LINALGTOCPU_PASSES_H
#define LOWBIT_CONVERSION_LINALGTOCPU_PASSES_H

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassOptions.h"

namespace lowbit {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lowbit/Conversion/LinalgToCpu/Passes.h.inc"

/// What the lowering needs to know of the machine, and how far it goes.
struct CpuLoweringOptions
    : public mlir::PassPipelineOptions<CpuLoweringOptions> {
  Option<unsigned> vectorBytes{
      *this, "vector-bytes",
      llvm::cl::desc("Bytes of a vector register: 16 (NEON), 32 (AVX2), 64 "
                     "(AVX-512)"),
      llvm::cl::init(32)};
  Option<unsigned> vectorRegisters{*this, "vector-registers",
                                   llvm::cl::desc("Number of vector registers"),
                                   llvm::cl::init(16)};
  Option<bool> parallel{*this, "parallel",
                        llvm::cl::desc("Run the outer loops of large ops on "
                                       "all threads, through OpenMP"),
                        llvm::cl::init(true)};
  Option<std::string> kernels{
      *this, "kernels",
      llvm::cl::desc("Generated kernels for packed weights: avx2, avx512vnni "
                     "or neon; empty if no weight is packed"),
      llvm::cl::init("")};
  Option<bool> i8mm{*this, "i8mm",
                    llvm::cl::desc("The ARM target has i8mm beside dotprod"),
                    llvm::cl::init(false)};
  Option<std::string> entry{
      *this, "entry",
      llvm::cl::desc("The function that lowbit_entry calls; empty for none"),
      llvm::cl::init("main")};
};

/// linalg and friends on tensors: fused, made ready for bufferization.
void buildTensorPhase(mlir::OpPassManager &pm,
                      const CpuLoweringOptions &options);
/// Tensors become buffers that are freed after their last use.
void buildBufferizationPhase(mlir::OpPassManager &pm,
                             const CpuLoweringOptions &options);
/// Operators on packed weights become calls of generated kernels.
void buildKernelPhase(mlir::OpPassManager &pm,
                      const CpuLoweringOptions &options);
/// linalg on buffers becomes parallel loops and vectors.
void buildLoopPhase(mlir::OpPassManager &pm, const CpuLoweringOptions &options);
/// Loops and buffers become the LLVM dialect, with `lowbit_entry`.
void buildLlvmPhase(mlir::OpPassManager &pm, const CpuLoweringOptions &options);

/// All phases in their order; registered as `--lowbit-lower-to-cpu`.
void buildLowerToCpuPipeline(mlir::OpPassManager &pm,
                             const CpuLoweringOptions &options);
void registerLowerToCpuPipeline();

} // namespace lowbit

#endif // LOWBIT_CONVERSION_LINALGTOCPU_PASSES_H
