//===- QuantizeRtn.cpp - rounds weights to the nearest codes --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizeLayers.h"
#include "lowbit/Calibration/LayerWeight.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Dialect/Onnx/Transforms/Pipelines.h"
#include "mlir/Pass/PassManager.h"

namespace lowbit {
#define GEN_PASS_DEF_QUANTIZERTN
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
struct QuantizeRtnPass final : lowbit::impl::QuantizeRtnBase<QuantizeRtnPass> {
  using QuantizeRtnBase::QuantizeRtnBase;

  void runOnOperation() override;
};
} // namespace

void QuantizeRtnPass::runOnOperation() {
  // Only a normalized graph shows its layers and their shapes.
  OpPassManager normalize(ModuleOp::getOperationName());
  onnx::buildNormalizePipeline(normalize);
  if (failed(runPipeline(normalize, getOperation())))
    return signalPassFailure();
  SmallVector<FormatOptions> formats = {
      {format, bits, groupSize, symmetric, scaleType, zeroType, mse}};
  if (!orFormat.empty()) {
    formats.push_back(formats.front());
    formats.back().format = orFormat;
  }
  FailureOr<unsigned> count = quantizeLayers(
      getOperation(), formats, {include, exclude, head, embeddings}, report,
      [&](QuantizableOpInterface layer, const BlockFormat &blockFormat,
          ConstMatrixView weights,
          const RangeSearch &search) -> llvm::Expected<SolverResult> {
        llvm::Expected<std::vector<float>> importance = getImportance(layer);
        if (!importance)
          return importance.takeError();
        return roundToNearest(blockFormat, weights, search, threads,
                              *importance);
      });
  if (failed(count))
    return signalPassFailure();
  numLayers += *count;
}
