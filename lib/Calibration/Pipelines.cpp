//===- Pipelines.cpp - published methods as pipelines ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Calibration/Pipelines.h"
#include "lowbit/Calibration/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace lowbit;

static void buildHqq(OpPassManager &pm, const HqqPipelineOptions &options) {
  QuantizeHqqOptions pass;
  pass.bits = options.bits;
  pass.groupSize = options.groupSize;
  pass.zeroType = "f16";
  pass.include = options.include;
  pass.exclude = options.exclude;
  pass.head = options.head;
  pass.embeddings = options.embeddings;
  pass.report = options.report;
  pass.threads = options.threads;
  pm.addPass(createQuantizeHqq(pass));
}

void lowbit::registerLowbitCalibrationPipelines() {
  PassPipelineRegistration<HqqPipelineOptions>(
      "hqq",
      "Quantize linear layers by HQQ as published: 4 bits, groups of 64, "
      "fractional zero points",
      buildHqq);
}
