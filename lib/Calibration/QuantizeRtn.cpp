//===- QuantizeRtn.cpp - rounds weights to the nearest codes --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "lowbit/Calibration/LayerWeight.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Dialect/Onnx/Transforms/Pipelines.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include <chrono>

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

private:
  llvm::Error run();
  llvm::Error quantize(const QuantizableLayer &layer,
                       const FormatForShape &formatForShape,
                       const RangeSearch &search,
                       SmallVectorImpl<LayerSummary> &summaries);
};
} // namespace

llvm::Error QuantizeRtnPass::quantize(
    const QuantizableLayer &layer, const FormatForShape &formatForShape,
    const RangeSearch &search, SmallVectorImpl<LayerSummary> &summaries) {
  const auto start = std::chrono::steady_clock::now();
  llvm::Expected<LayerWeight> weight = LayerWeight::get(layer.op);
  if (!weight)
    return weight.takeError();
  llvm::Expected<QuantFormatAttrInterface> format =
      formatForShape(weight->getShape());
  if (!format)
    return format.takeError();
  llvm::Expected<SolverResult> result = roundToNearest(
      *format->getBlockFormat(), weight->getMatrix(), search, threads);
  if (!result)
    return result.takeError();
  weight->release();
  if (llvm::Error error = replaceLayer(layer, *format, *result))
    return error;
  const std::chrono::duration<double> elapsed =
      std::chrono::steady_clock::now() - start;
  summaries.push_back(summarize(layer.name, *format, *result, elapsed.count()));
  ++numLayers;
  return llvm::Error::success();
}

llvm::Error QuantizeRtnPass::run() {
  const FormatOptions options{format,    bits,      groupSize,
                              symmetric, scaleType, mse};
  llvm::Expected<FormatForShape> formatForShape =
      parseFormat(&getContext(), options);
  if (!formatForShape)
    return formatForShape.takeError();
  llvm::Expected<SmallVector<QuantizableLayer>> layers =
      selectLayers(getOperation(), {include, exclude, head, embeddings});
  if (!layers)
    return layers.takeError();
  const std::unique_ptr<RangeSearch> search = makeRangeSearch(options);
  SmallVector<LayerSummary> summaries;
  for (const QuantizableLayer &layer : *layers)
    if (llvm::Error error = quantize(layer, *formatForShape, *search, summaries))
      return makeError("cannot quantize layer '" + layer.name +
                       "': " + llvm::toString(std::move(error)));
  return writeReport(report, summaries);
}

void QuantizeRtnPass::runOnOperation() {
  // Only a normalized graph shows its layers and their shapes.
  OpPassManager normalize(ModuleOp::getOperationName());
  onnx::buildNormalizePipeline(normalize);
  if (failed(runPipeline(normalize, getOperation())))
    return signalPassFailure();
  if (llvm::Error error = run()) {
    emitError(getOperation().getLoc()) << llvm::toString(std::move(error));
    signalPassFailure();
  }
}
