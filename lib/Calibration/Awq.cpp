//===- Awq.cpp - scales and ranges by what activations show ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Awq.h"
#include "LayerPass.h"
#include "LayerRoles.h"
#include "ScaleSites.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Support/OutputFile.h"
#include <cmath>

namespace lowbit {
#define GEN_PASS_DEF_AWQ
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
struct AwqPass final : LayerPass<lowbit::impl::AwqBase<AwqPass>> {
  using LayerPass::LayerPass;

  llvm::Error runOnLayers() override;

private:
  llvm::Error prepare();
  llvm::Expected<std::vector<float>>
  chooseScales(const ScaleSite &site, const GraphWalk::Visit &visit);
  llvm::Error clipLayers(Calibration &model,
                         ArrayRef<std::vector<float>> scales,
                         ModelEdits &edits);
  llvm::Error clipLayer(unsigned index, const Hessian &hessian,
                        ModelEdits &edits);

  SmallVector<QuantizableLayer> layers;
  /// By layer.
  SmallVector<QuantFormatAttrInterface> formats;
  /// Shared, as passes are copied.
  std::shared_ptr<RangeSearch> search;
};
} // namespace

/// Finds the layers, and what they are going to be stored in.
llvm::Error AwqPass::prepare() {
  if (points < 1)
    return makeError("points is 0, but must be at least 1");
  const FormatOptions formatOptions = getFormatOptions();
  llvm::Expected<FormatForLayer> formatForLayer =
      parseFormat(&getContext(), formatOptions);
  if (!formatForLayer)
    return formatForLayer.takeError();
  llvm::Expected<std::unique_ptr<RangeSearch>> rangeSearch =
      makeRangeSearch(formatOptions);
  if (!rangeSearch)
    return rangeSearch.takeError();
  search = std::move(*rangeSearch);
  llvm::Expected<SmallVector<QuantizableLayer>> selected =
      selectLinearLayers(getOperation(), LayerFilter{include, exclude, head});
  if (!selected)
    return selected.takeError();
  layers = std::move(*selected);
  auto found = getFormats(*formatForLayer, layers, "scale");
  if (!found)
    return found.takeError();
  formats = std::move(*found);
  return llvm::Error::success();
}

llvm::Error AwqPass::runOnLayers() {
  if (llvm::Error error = prepare())
    return error;
  if (layers.empty())
    return llvm::Error::success();
  std::vector<ScaleSite> sites;
  if (scale)
    sites = findScaleSites(layers, {/*layers=*/true, multiply});
  llvm::Expected<Calibration> model = prepareCalibration(layers);
  if (!model)
    return model.takeError();
  ModelEdits edits("awq");
  std::vector<std::vector<float>> scales(layers.size());
  if (!sites.empty()) {
    auto folded = foldSites(
        *model, layers, sites,
        [&](const ScaleSite &site, const GraphWalk::Visit &visit) {
          return chooseScales(site, visit);
        },
        edits);
    if (!folded)
      return folded.takeError();
    scales = std::move(*folded);
  }
  numSites += llvm::count_if(sites, [&](const ScaleSite &site) {
    return !scales[site.readers.front().layer].empty();
  });
  if (clip)
    if (llvm::Error error = clipLayers(*model, scales, edits))
      return error;
  return edits.commit();
}

//===----------------------------------------------------------------------===//
// Scales
//===----------------------------------------------------------------------===//

llvm::Expected<std::vector<float>>
AwqPass::chooseScales(const ScaleSite &site, const GraphWalk::Visit &visit) {
  llvm::Expected<Magnitudes> magnitudes = measureMagnitudes(site, visit);
  if (!magnitudes)
    return magnitudes.takeError();
  llvm::Expected<ModuleError> error = ModuleError::prepare(visit);
  if (!error)
    return error.takeError();
  auto getScales = [&](int64_t point) {
    return getAwqScales(magnitudes->means, static_cast<double>(point) / points);
  };
  llvm::Expected<int64_t> best = findLeastLoss(
      points, [&](int64_t point, double bound) -> llvm::Expected<double> {
        llvm::Expected<std::vector<Tensor>> weights = roundWeights(
            site, visit, formats, getScales(point), *search, threads);
        if (!weights)
          return weights.takeError();
        return error->measure(*weights, bound);
      });
  if (!best)
    return best.takeError();
  return getScales(*best);
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

/// That of inputs whose channels are divided by scales, if there are any.
static llvm::Error divideHessian(Hessian &hessian, ArrayRef<float> scales) {
  const int64_t width = hessian.width;
  for (int64_t i = 0; i < width; ++i) {
    if (!std::isfinite(hessian.values[i * (width + 1)]))
      return makeError("channel " + Twine(i) +
                       " of its input is not finite in all calibration data");
    if (!scales.empty())
      for (int64_t j = 0; j < width; ++j)
        hessian.values[i * width + j] /= scales[i] * scales[j];
  }
  return llvm::Error::success();
}

llvm::Error AwqPass::clipLayer(unsigned index, const Hessian &hessian,
                               ModelEdits &edits) {
  // The weight as it has been scaled so far.
  llvm::Expected<ModelEdits::Values> weight = edits.read(layers[index].op);
  if (!weight)
    return weight.takeError();
  llvm::Expected<ClipLimits> limits =
      searchClipLimits(*formats[index].getBlockFormat(), weight->matrix,
                       hessian, *search, threads);
  if (!limits)
    return limits.takeError();
  edits.editWeight(layers[index].op,
                   [limits = std::move(*limits)](MatrixView matrix) {
                     limits.clamp(matrix);
                   });
  ++numClipped;
  return llvm::Error::success();
}

/// Clips all layers but those whose outputs meet each other in attention.
llvm::Error AwqPass::clipLayers(Calibration &model,
                                ArrayRef<std::vector<float>> scales,
                                ModelEdits &edits) {
  const auto roles = findLayerRoles(model.getFunction());
  auto isClipped = [&](unsigned index) {
    const LayerRole role = roles.lookup_or(layers[index].op, LayerRole::Other);
    return role != LayerRole::AttentionQuery &&
           role != LayerRole::AttentionKey && role != LayerRole::AttentionFused;
  };
  return model.walk([&](const GraphWalk::Visit &visit)
                        -> llvm::Expected<std::vector<Tensor>> {
    std::optional<Hessian> hessian;
    auto clipOnInput = [&](unsigned index) -> llvm::Error {
      if (!hessian) {
        const int64_t width = layers[index].op.getWeightMatrixShape().back();
        llvm::Expected<Hessian> inputs =
            accumulateHessian(visit, width, threads);
        if (!inputs)
          return inputs.takeError();
        if (llvm::Error error = divideHessian(*inputs, scales[index]))
          return error;
        hessian = std::move(*inputs);
      }
      return clipLayer(index, *hessian, edits);
    };
    for (unsigned index : visit.layers)
      if (isClipped(index))
        if (llvm::Error error = clipOnInput(index))
          return makeError("cannot clip layer '" + layers[index].name +
                           "': " + llvm::toString(std::move(error)));
    return std::vector<Tensor>(visit.layers.size());
  });
}
