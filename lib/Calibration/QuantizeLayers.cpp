//===- QuantizeLayers.cpp - weights without calibration data --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizeLayers.h"
#include "Progress.h"
#include "lowbit/Calibration/LayerWeight.h"
#include "lowbit/Support/OutputFile.h"
#include <chrono>

using namespace mlir;
using namespace lowbit;

namespace {
/// A layer's weight in one of the formats that it may take.
struct Solution {
  QuantFormatAttrInterface format;
  SolverResult result;
};
} // namespace

static llvm::Expected<LayerSummary>
quantizeLayer(const QuantizableLayer &layer, ArrayRef<FormatForLayer> formats,
              const RangeSearch &search, LayerSolver solve) {
  const auto start = std::chrono::steady_clock::now();
  llvm::Expected<LayerWeight> weight = LayerWeight::get(layer.op);
  if (!weight)
    return weight.takeError();
  std::optional<Solution> best;
  for (const FormatForLayer &formatForLayer : formats) {
    llvm::Expected<QuantFormatAttrInterface> format = formatForLayer(layer.op);
    if (!format)
      return format.takeError();
    // The one that was assigned to the layer.
    if (best && best->format == *format)
      continue;
    llvm::Expected<SolverResult> result =
        solve(layer.op, *format->getBlockFormat(), weight->getMatrix(), search);
    if (!result)
      return result.takeError();
    if (!best || result->weightError < best->result.weightError)
      best = {*format, std::move(*result)};
  }
  weight->release();
  if (llvm::Error error = replaceLayer(layer, best->format, best->result))
    return std::move(error);
  const std::chrono::duration<double> elapsed =
      std::chrono::steady_clock::now() - start;
  return summarize(layer.name, best->format, best->result, elapsed.count());
}

llvm::Error lowbit::quantizeLayers(ArrayRef<QuantizableLayer> layers,
                                   ArrayRef<FormatForLayer> formats,
                                   const RangeSearch &search, LayerSolver solve,
                                   SmallVectorImpl<LayerSummary> &summaries) {
  Progress progress(layers.size());
  for (const QuantizableLayer &layer : layers) {
    llvm::Expected<LayerSummary> summary =
        quantizeLayer(layer, formats, search, solve);
    if (!summary)
      return makeError("cannot quantize layer '" + layer.name +
                       "': " + llvm::toString(summary.takeError()));
    progress.layerDone(*summary, /*isNew=*/true);
    summaries.push_back(std::move(*summary));
  }
  return llvm::Error::success();
}

llvm::Expected<unsigned>
lowbit::quantizeLayers(ModuleOp module, ArrayRef<FormatOptions> formats,
                       const LayerFilter &filter, llvm::StringRef report,
                       LayerSolver solve, const ChangeFormat &change) {
  SmallVector<FormatForLayer> formatsForLayer;
  for (const FormatOptions &options : formats) {
    llvm::Expected<FormatForLayer> formatForLayer =
        parseFormat(module.getContext(), options, change);
    if (!formatForLayer)
      return formatForLayer.takeError();
    formatsForLayer.push_back(std::move(*formatForLayer));
  }
  llvm::Expected<SmallVector<QuantizableLayer>> layers =
      selectLayers(module, filter);
  if (!layers)
    return layers.takeError();
  llvm::Expected<std::unique_ptr<RangeSearch>> search =
      makeRangeSearch(formats[0]);
  if (!search)
    return search.takeError();
  SmallVector<LayerSummary> summaries;
  if (llvm::Error error =
          quantizeLayers(*layers, formatsForLayer, **search, solve, summaries))
    return std::move(error);
  if (llvm::Error error = writeReport(report, summaries))
    return std::move(error);
  return summaries.size();
}
