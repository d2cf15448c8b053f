//===- LowbitToCpu.cpp - models to x86 and ARM ----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/LowbitToCpu/LowbitToCpu.h"
#include "lowbit/Conversion/LowbitToLinalg/Passes.h"
#include "lowbit/Conversion/OnnxToLinalg/Passes.h"
#include "lowbit/Conversion/OnnxToLowbit/Passes.h"
#include "lowbit/Dialect/Lowbit/Transforms/Passes.h"
#include "lowbit/Dialect/Onnx/Transforms/Pipelines.h"
#include "lowbit/Kernels/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace lowbit;

void lowbit::buildPackingPhase(OpPassManager &pm, StringRef kernels,
                               KvCache kvCache) {
  onnx::buildNormalizePipeline(pm);
  if (kvCache != KvCache::AsIs)
    onnx::buildKvCachePipeline(pm);
  if (kvCache == KvCache::Int8 || kvCache == KvCache::Int4) {
    QuantizeKvCacheOptions quantize;
    quantize.bits = kvCache == KvCache::Int8 ? 8 : 4;
    quantize.groupSize = kvCache == KvCache::Int8 ? -1 : 32;
    quantize.symmetric = kvCache == KvCache::Int8;
    pm.addPass(createQuantizeKvCache(quantize));
  }
  if (kernels.empty())
    return;
  pm.addPass(createConvertLinearToLowbit());
  pm.addPass(createLowbitSplitOutliers());
  LowbitPackWeightsOptions pack;
  pack.target = kernels.str();
  pm.addPass(createLowbitPackWeights(pack));
}

void lowbit::buildLowerPackedToCpu(OpPassManager &pm,
                                   const CpuLoweringOptions &options) {
  if (options.stopAfter > Phase::Quantized) {
    // Kernels are what computes attention as one operation.
    ConvertOnnxToLinalgOptions onnx;
    onnx.keepAttention = !options.kernels.empty();
    pm.addPass(createConvertOnnxToLinalg(onnx));
    LowbitToLinalgOptions lowbit;
    lowbit.keepAttention = !options.kernels.empty();
    pm.addPass(createLowbitToLinalg(lowbit));
  }
  buildLowerToCpuPipeline(pm, options);
}

/// Packs and lowers with what the options of all CPUs say.
template <typename OptionsT>
static void buildLowerToCpu(OpPassManager &pm, CpuLoweringOptions &lowering,
                            const CpuPipelineOptions<OptionsT> &options) {
  lowering.parallel = options.parallel;
  lowering.entry = options.entry;
  lowering.strategy = options.strategy;
  lowering.stopAfter = options.stopAfter;
  buildPackingPhase(pm, lowering.kernels);
  buildLowerPackedToCpu(pm, lowering);
}

void lowbit::buildLowerToX86(OpPassManager &pm,
                             const LowerToX86Options &options) {
  const bool hasAvx512 = options.level != X86Level::Avx2;
  CpuLoweringOptions lowering;
  lowering.vectorBytes = hasAvx512 ? 64 : 32;
  lowering.vectorRegisters = hasAvx512 ? 32 : 16;
  lowering.kernels = options.level == X86Level::Amx ? "amx"
                     : hasAvx512                    ? "avx512vnni"
                                                    : "avx2";
  buildLowerToCpu(pm, lowering, options);
}

static StringRef getKernels(ArmLevel level) {
  switch (level) {
  case ArmLevel::Neon:
    return "neon";
  case ArmLevel::I8mm:
    return "i8mm";
  case ArmLevel::Sve:
    return "sve";
  case ArmLevel::SveI8mm:
    return "sve-i8mm";
  }
  llvm_unreachable("unknown level");
}

void lowbit::buildLowerToArm(OpPassManager &pm,
                             const LowerToArmOptions &options) {
  CpuLoweringOptions lowering;
  lowering.vectorBytes = 16;
  lowering.vectorRegisters = 32;
  lowering.kernels = getKernels(options.level).str();
  buildLowerToCpu(pm, lowering, options);
}

void lowbit::registerLowbitToCpuPipelines() {
  PassPipelineRegistration<LowerToX86Options>(
      "lower-to-x86",
      "Lower a model to the LLVM dialect for x86-64, with kernels that read "
      "packed low-bit weights",
      buildLowerToX86);
  PassPipelineRegistration<LowerToArmOptions>(
      "lower-to-arm",
      "Lower a model to the LLVM dialect for AArch64, with kernels that read "
      "packed low-bit weights",
      buildLowerToArm);
}
