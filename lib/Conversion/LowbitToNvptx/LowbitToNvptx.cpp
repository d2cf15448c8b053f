//===- LowbitToNvptx.cpp - models to NVIDIA GPUs --------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// `--lower-to-nvptx`: tensors to buffers, one kernel for each operation,
// buffers on the device, PTX, and the host's program that calls the runtime.

#include "lowbit/Conversion/LowbitToNvptx/LowbitToNvptx.h"
#include "lowbit/Conversion/GPU/Passes.h"
#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "lowbit/Conversion/LowbitToLinalg/Passes.h"
#include "lowbit/Conversion/OnnxToLinalg/Passes.h"
#include "lowbit/Dialect/Lowbit/Transforms/Passes.h"
#include "lowbit/Dialect/Onnx/Transforms/Pipelines.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace lowbit;

namespace {
/// A chip and the first version of PTX that names it.
struct Chip {
  StringLiteral name;
  StringLiteral features;
};
} // namespace

/// PTX 7.0 is the floor: drivers since CUDA 11.0 take it.
static constexpr Chip kChips[] = {
    {"sm_75", "+ptx70"},  {"sm_80", "+ptx70"},   {"sm_86", "+ptx71"},
    {"sm_87", "+ptx74"},  {"sm_89", "+ptx78"},   {"sm_90", "+ptx78"},
    {"sm_90a", "+ptx80"}, {"sm_100", "+ptx86"},  {"sm_100a", "+ptx86"},
    {"sm_120", "+ptx87"}, {"sm_120a", "+ptx87"},
};

static const Chip *findChip(StringRef name) {
  const Chip *chip = llvm::find_if(
      kChips, [&](const Chip &chip) { return chip.name == name; });
  return chip == std::end(kChips) ? nullptr : chip;
}

bool lowbit::isNvptxChip(StringRef chip) { return findChip(chip); }

/// Graphs to tensors, in the same way as for CPUs, except that products with
/// quantized weights are kept for a kernel.
static void addTensors(OpPassManager &pm, const CpuLoweringOptions &options) {
  pm.addPass(createConvertOnnxToLinalg());
  pm.addPass(createLowbitSplitOutliers());
  LowbitToLinalgOptions lowbit;
  lowbit.keepMatmul = true;
  pm.addPass(createLowbitToLinalg(lowbit));
  pm.addPass(createConvertElementwiseToLinalgPass());
  buildTensorPhase(pm, options);
}

static void addKernels(OpPassManager &pm) {
  pm.addPass(createConvertLinalgToGPU());
  pm.addPass(createPlaceGPUBuffers());
  pm.addPass(createGpuKernelOutliningPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createDeduplicateKernels());
  OpPassManager &device = pm.nest<gpu::GPUModuleOp>();
  device.addPass(createExpandGPUMath());
  device.addPass(memref::createExpandStridedMetadataPass());
  device.addPass(createLowerAffinePass());
  device.addPass(createCanonicalizerPass());
  device.addPass(createCSEPass());
  endPhase(pm, Phase::Kernels);
}

static void addPtx(OpPassManager &pm, const Chip &chip) {
  GpuNVVMAttachTargetOptions target;
  target.chip = chip.name.str();
  target.features = chip.features.str();
  target.optLevel = 3;
  pm.addPass(createGpuNVVMAttachTarget(target));
  OpPassManager &device = pm.nest<gpu::GPUModuleOp>();
  device.addPass(createSCFToControlFlowPass());
  device.addPass(createConvertKernelsToNVVM());
  device.addPass(createCanonicalizerPass());
  device.addPass(createCSEPass());
  device.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createConvertKernelsToPtx());
  endPhase(pm, Phase::Ptx);
}

LogicalResult lowbit::buildLowerToNvptx(
    OpPassManager &pm, const LowerToNvptxOptions &options,
    function_ref<LogicalResult(const Twine &)> emitError) {
  const Chip *chip = findChip(options.chip);
  if (!chip) {
    std::string known = llvm::join(
        llvm::map_range(kChips,
                        [](const Chip &chip) { return chip.name.str(); }),
        ", ");
    return emitError("unknown GPU '" + options.chip + "'; known are " + known);
  }
  CpuLoweringOptions host;
  host.entry = options.entry;
  onnx::buildNormalizePipeline(pm);
  if (options.stopAfter == Phase::Quantized) {
    endPhase(pm, Phase::Quantized);
    return success();
  }
  addTensors(pm, host);
  if (options.stopAfter == Phase::Linalg)
    return success();
  buildBufferizationPhase(pm, host);
  if (options.stopAfter == Phase::Buffers)
    return success();
  addKernels(pm);
  if (options.stopAfter == Phase::Kernels)
    return success();
  if (!options.emulate)
    addPtx(pm, *chip);
  if (options.stopAfter == Phase::Ptx)
    return success();
  ConvertGPUHostToLLVMOptions runtime;
  runtime.emulate = options.emulate;
  pm.addPass(createConvertGPUHostToLLVM(runtime));
  buildLlvmPhase(pm, host);
  return success();
}

void lowbit::registerLowerToNvptxPipeline() {
  registerPassPipeline(
      "lower-to-nvptx",
      "Lower a model to PTX kernels and the host code that launches them",
      [](OpPassManager &pm, StringRef text,
         function_ref<LogicalResult(const Twine &)> emitError) {
        LowerToNvptxOptions options;
        std::string message;
        llvm::raw_string_ostream errors(message);
        if (failed(options.parseFromString(text, errors)))
          return emitError(message);
        return buildLowerToNvptx(pm, options, emitError);
      },
      [](function_ref<void(const detail::PassOptions &)> visit) {
        visit(LowerToNvptxOptions());
      });
}
