//===- QuantizeHqq.cpp - fits zero points to weights with outliers --------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizeLayers.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Dialect/Onnx/Transforms/Pipelines.h"
#include "lowbit/Quantize/Hqq.h"
#include "mlir/Pass/PassManager.h"

namespace lowbit {
#define GEN_PASS_DEF_QUANTIZEHQQ
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
struct QuantizeHqqPass final : lowbit::impl::QuantizeHqqBase<QuantizeHqqPass> {
  using QuantizeHqqBase::QuantizeHqqBase;

  void runOnOperation() override;
};
} // namespace

void QuantizeHqqPass::runOnOperation() {
  // Only a normalized graph shows its layers and their shapes.
  OpPassManager normalize(ModuleOp::getOperationName());
  onnx::buildNormalizePipeline(normalize);
  if (failed(runPipeline(normalize, getOperation())))
    return signalPassFailure();
  const HqqOptions options{p, beta, kappa, iterations, threads};
  FailureOr<unsigned> count = quantizeLayers(
      getOperation(),
      FormatOptions{format, bits, groupSize, symmetric, scaleType, zeroType,
                    mse},
      {include, exclude, head, embeddings}, report,
      [&](QuantizableOpInterface, const BlockFormat &blockFormat,
          ConstMatrixView weights, const RangeSearch &search) {
        return hqq(blockFormat, weights, search, options);
      });
  if (failed(count))
    return signalPassFailure();
  numLayers += *count;
}
