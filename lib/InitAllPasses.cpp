//===- InitAllPasses.cpp - every pass that Lowbit's tools know ------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/InitAllPasses.h"
#include "InitUpstream.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Calibration/Pipelines.h"
#include "lowbit/Conversion/GPU/Passes.h"
#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "lowbit/Conversion/LowbitQuant/Passes.h"
#include "lowbit/Conversion/LowbitToCpu/LowbitToCpu.h"
#include "lowbit/Conversion/LowbitToLinalg/Passes.h"
#include "lowbit/Conversion/LowbitToNvptx/LowbitToNvptx.h"
#include "lowbit/Conversion/OnnxToLinalg/Passes.h"
#include "lowbit/Conversion/OnnxToLowbit/Passes.h"
#include "lowbit/Conversion/QVec/Passes.h"
#include "lowbit/Dialect/Lowbit/Transforms/Passes.h"
#include "lowbit/Dialect/Onnx/Transforms/Passes.h"
#include "lowbit/Dialect/Onnx/Transforms/Pipelines.h"
#include "lowbit/Kernels/Passes.h"
#include "lowbit/Transforms/Passes.h"

void lowbit::registerAllPasses() {
  registerUpstreamPasses();
  registerLowbitKernelsPasses();
  registerLowbitModelTransformsPasses();
  registerLowbitPasses();
  registerLowbitCalibrationPasses();
  registerLowbitCalibrationPipelines();
  registerLowbitQuantConversionPasses();
  registerLowbitToLinalgPasses();
  registerLinalgToCpuPasses();
  registerLowerToCpuPipeline();
  registerLowbitToCpuPipelines();
  registerOnnxToLinalgPasses();
  registerOnnxToLowbitPasses();
  registerLowbitGPUPasses();
  registerLowerToNvptxPipeline();
  registerQVecConversionPasses();
  onnx::registerOnnxPasses();
  onnx::registerOnnxPipelines();
}
