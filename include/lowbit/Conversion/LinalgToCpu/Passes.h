//===- Passes.h - from linalg on tensors to code for a CPU ---- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_LINALGTOCPU_PASSES_H
#define LOWBIT_CONVERSION_LINALGTOCPU_PASSES_H

#include "lowbit/Dialect/Lowbit/Transforms/Passes.h"
#include "lowbit/Kernels/MatmulStrategy.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassOptions.h"

namespace lowbit {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lowbit/Conversion/LinalgToCpu/Passes.h.inc"

/// What all lowerings to CPUs let one choose.
template <typename OptionsT>
struct CpuPipelineOptions : public mlir::PassPipelineOptions<OptionsT> {
  template <typename T>
  using Option = mlir::detail::PassOptions::Option<T>;

  Option<bool> parallel{*this, "parallel",
                        llvm::cl::desc("Run the outer loops of large ops on "
                                       "all threads, through OpenMP"),
                        llvm::cl::init(true)};
  Option<std::string> entry{
      *this, "entry",
      llvm::cl::desc("The function that lowbit_entry calls; empty for none"),
      llvm::cl::init("main")};
  Option<MatmulStrategy> strategy{
      *this, "strategy",
      llvm::cl::desc("How weights and activations are multiplied"),
      llvm::cl::init(MatmulStrategy::Auto), getMatmulStrategyValues()};
  Option<Phase> stopAfter{
      *this, "stop-after", llvm::cl::desc("The last phase"),
      llvm::cl::init(Phase::Llvm),
      llvm::cl::values(
          clEnumValN(Phase::Quantized, "quantized",
                     "The normalized graph, its quantized weights packed"),
          clEnumValN(Phase::Linalg, "linalg", "Loops as linalg on tensors"),
          clEnumValN(Phase::Buffers, "buffers", "The same on buffers"),
          clEnumValN(Phase::Kernels, "kernels", "Parallel loops and vectors"),
          clEnumValN(Phase::Llvm, "llvm", "Everything lowered"))};
};

/// What the lowering needs to know of the machine, and how far it goes.
struct CpuLoweringOptions : public CpuPipelineOptions<CpuLoweringOptions> {
  Option<unsigned> vectorBytes{
      *this, "vector-bytes",
      llvm::cl::desc("Bytes of a vector register: 16 (NEON), 32 (AVX2), 64 "
                     "(AVX-512)"),
      llvm::cl::init(32)};
  Option<unsigned> vectorRegisters{*this, "vector-registers",
                                   llvm::cl::desc("Number of vector registers"),
                                   llvm::cl::init(16)};
  Option<std::string> kernels{
      *this, "kernels",
      llvm::cl::desc("Generated kernels, for packed weights and attention: "
                     "avx2, avx512vnni, amx, neon, i8mm, sve or sve-i8mm; "
                     "empty for none"),
      llvm::cl::init("")};
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

/// All phases up to `stopAfter`; registered as `--lowbit-lower-to-cpu`.
void buildLowerToCpuPipeline(mlir::OpPassManager &pm,
                             const CpuLoweringOptions &options);
void registerLowerToCpuPipeline();

} // namespace lowbit

#endif // LOWBIT_CONVERSION_LINALGTOCPU_PASSES_H
