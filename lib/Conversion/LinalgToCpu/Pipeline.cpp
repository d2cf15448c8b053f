//===- Pipeline.cpp - from linalg on tensors to the LLVM dialect ----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "lowbit/Conversion/QVec/Passes.h"
#include "lowbit/Dialect/Lowbit/Transforms/Passes.h"
#include "lowbit/Kernels/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void lowbit::buildTensorPhase(OpPassManager &pm,
                              const CpuLoweringOptions &options) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addNestedPass<func::FuncOp>(createFuseElementwisePass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  endPhase(pm, Phase::Linalg);
}

void lowbit::buildBufferizationPhase(OpPassManager &pm,
                                     const CpuLoweringOptions &options) {
  pm.addNestedPass<func::FuncOp>(createMarkInputsReadOnlyPass());
  pm.addNestedPass<func::FuncOp>(createSeparateInitsPass());
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.allowReturnAllocsFromLoops = true;
  // Contiguous at the borders, as every caller provides and expects.
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addNestedPass<func::FuncOp>(createWriteUpdatedArgumentsPass());
  pm.addNestedPass<func::FuncOp>(createSeparateResultsPass());
  bufferization::buildBufferDeallocationPipeline(pm);
  // Deallocation frees at the end of the block, which would keep all
  // intermediate results of a model.
  pm.addNestedPass<func::FuncOp>(
      bufferization::createOptimizeAllocationLivenessPass());
  pm.addPass(createConvertBufferizationToMemRefPass());
  endPhase(pm, Phase::Buffers);
}

void lowbit::buildKernelPhase(OpPassManager &pm,
                              const CpuLoweringOptions &options) {
  if (options.kernels.empty())
    return;
  LowbitGenerateKernelsOptions kernels;
  kernels.target = options.kernels;
  kernels.parallel = options.parallel;
  kernels.strategy = options.strategy;
  pm.addPass(createLowbitGenerateKernels(kernels));
  if (llvm::is_contained({"neon", "i8mm", "sve", "sve-i8mm"},
                         options.kernels.getValue())) {
    ConvertQVecToArmOptions arm;
    arm.level = options.kernels;
    pm.addPass(createConvertQVecToArm(arm));
  } else {
    ConvertQVecToX86Options x86;
    x86.level = options.kernels;
    pm.addPass(createConvertQVecToX86(x86));
  }
}

void lowbit::buildLoopPhase(OpPassManager &pm,
                            const CpuLoweringOptions &options) {
  pm.addNestedPass<func::FuncOp>(createFuseRowsPass());
  pm.addPass(createOutlineLinalgPass());
  LowerContractionsPassOptions contractions;
  contractions.vectorBytes = options.vectorBytes;
  contractions.vectorRegisters = options.vectorRegisters;
  contractions.parallel = options.parallel;
  pm.addPass(createLowerContractionsPass(contractions));
  LowerLinalgToLoopsPassOptions loops;
  loops.parallel = options.parallel;
  pm.addPass(createLowerLinalgToLoopsPass(loops));
  OpPassManager &simplify = pm.nest<func::FuncOp>();
  simplify.addPass(createApproximateMathPass());
  simplify.addPass(createCanonicalizerPass());
  simplify.addPass(createCSEPass());
  simplify.addPass(createLoopInvariantCodeMotionPass());
  endPhase(pm, Phase::Kernels);
}

void lowbit::buildLlvmPhase(OpPassManager &pm,
                            const CpuLoweringOptions &options) {
  pm.addNestedPass<func::FuncOp>(createResolveExpandShapesPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createLowerAssertsPass());
  // What has an LLVM intrinsic can be vectorized; the rest are library calls.
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createLowerWeightsPass());
  if (!options.entry.empty()) {
    EmitEntryPassOptions entry;
    entry.function = options.entry;
    pm.addPass(createEmitEntryPass(entry));
  }
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  endPhase(pm, Phase::Llvm);
}

void lowbit::buildLowerToCpuPipeline(OpPassManager &pm,
                                     const CpuLoweringOptions &options) {
  if (options.stopAfter == Phase::Quantized)
    return endPhase(pm, Phase::Quantized);
  buildTensorPhase(pm, options);
  if (options.stopAfter == Phase::Linalg)
    return;
  buildBufferizationPhase(pm, options);
  if (options.stopAfter == Phase::Buffers)
    return;
  buildKernelPhase(pm, options);
  buildLoopPhase(pm, options);
  if (options.stopAfter == Phase::Kernels)
    return;
  buildLlvmPhase(pm, options);
}

void lowbit::registerLowerToCpuPipeline() {
  PassPipelineRegistration<CpuLoweringOptions>(
      "lowbit-lower-to-cpu",
      "Lower linalg on tensors to the LLVM dialect, vectorized and "
      "multi-threaded",
      buildLowerToCpuPipeline);
}
