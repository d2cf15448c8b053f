//===- SmoothQuant.cpp - moves outliers of activations into weights -------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/SmoothQuant.h"
#include "LayerPass.h"
#include "ScaleSites.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Quantize/Awq.h"
#include "lowbit/Support/OutputFile.h"
#include <cmath>

namespace lowbit {
#define GEN_PASS_DEF_SMOOTHQUANT
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

/// The exponents that a search tries: 0, 0.05, ... 1.
static constexpr int64_t searchSteps = 20;

namespace {
struct SmoothQuantPass final
    : LayerPass<lowbit::impl::SmoothQuantBase<SmoothQuantPass>> {
  using LayerPass::LayerPass;

  llvm::Error runOnLayers() override;

private:
  llvm::Error parseOptions();
  llvm::Error findFormats();
  llvm::Expected<std::vector<float>> chooseScales(const ScaleSite &site,
                                                  const GraphWalk::Visit &visit,
                                                  ModelEdits &edits);
  llvm::Expected<double> measure(const ScaleSite &site,
                                 const GraphWalk::Visit &visit,
                                 const ModuleError &error,
                                 ArrayRef<float> maxima, ArrayRef<float> scales,
                                 double bound);

  SmallVector<QuantizableLayer> layers;
  /// Nothing if it is searched for.
  std::optional<double> exponent;
  /// What the layers are going to be stored in, for a search.
  SmallVector<QuantFormatAttrInterface> formats;
};
} // namespace

llvm::Error SmoothQuantPass::parseOptions() {
  exponent.reset();
  if (alpha != "search") {
    double value;
    if (llvm::StringRef(alpha).getAsDouble(value) ||
        !(value >= 0 && value <= 1))
      return makeError("alpha is '" + alpha +
                       "', but must be from 0 to 1, or search");
    exponent = value;
  }
  if (activationBits < 2 || activationBits > 8)
    return makeError("activation-bits is " + Twine(activationBits) +
                     ", but must be 2 to 8");
  if (granularity != "row" && granularity != "group" && granularity != "tensor")
    return makeError("granularity is '" + granularity +
                     "', but must be row, group or tensor");
  return llvm::Error::success();
}

llvm::Error SmoothQuantPass::findFormats() {
  FormatOptions options{};
  options.format = format;
  options.bits = 8;
  options.groupSize = -1;
  options.symmetric = true;
  options.scaleType = "f16";
  options.zeroType = "integer";
  llvm::Expected<FormatForLayer> formatForLayer =
      parseFormat(&getContext(), options);
  if (!formatForLayer)
    return formatForLayer.takeError();
  auto found = getFormats(*formatForLayer, layers, "scale the input of");
  if (!found)
    return found.takeError();
  formats = std::move(*found);
  return llvm::Error::success();
}

llvm::Error SmoothQuantPass::runOnLayers() {
  if (llvm::Error error = parseOptions())
    return error;
  llvm::Expected<SmallVector<QuantizableLayer>> selected =
      selectLinearLayers(getOperation(), LayerFilter{include, exclude, head});
  if (!selected)
    return selected.takeError();
  layers = std::move(*selected);
  if (llvm::Error error = findFormats())
    return error;
  const std::vector<ScaleSite> sites =
      findScaleSites(layers, {/*layers=*/pairs, /*multiply=*/false});
  if (sites.empty()) {
    emitWarning(getOperation().getLoc())
        << "there are no channels to smooth: no layer reads what takes factors";
    return llvm::Error::success();
  }
  llvm::Expected<Calibration> model = prepareCalibration(layers);
  if (!model)
    return model.takeError();
  ModelEdits edits("smooth");
  auto scales = foldSites(
      *model, layers, sites,
      [&](const ScaleSite &site, const GraphWalk::Visit &visit) {
        ++numSites;
        return chooseScales(site, visit, edits);
      },
      edits);
  if (!scales)
    return scales.takeError();
  return edits.commit();
}

llvm::Expected<std::vector<float>> SmoothQuantPass::chooseScales(
    const ScaleSite &site, const GraphWalk::Visit &visit, ModelEdits &edits) {
  llvm::Expected<Magnitudes> magnitudes = measureMagnitudes(site, visit);
  if (!magnitudes)
    return magnitudes.takeError();
  llvm::Expected<std::vector<float>> weights =
      getReaderRanges(site.fold, edits);
  if (!weights)
    return weights.takeError();
  if (exponent)
    return getSmoothScales(magnitudes->maxima, *weights, *exponent);

  llvm::Expected<ModuleError> error = ModuleError::prepare(visit);
  if (!error)
    return error.takeError();
  auto getScales = [&](int64_t step) {
    return getSmoothScales(magnitudes->maxima, *weights,
                           static_cast<double>(step) / searchSteps);
  };
  llvm::Expected<int64_t> best =
      findLeastLoss(searchSteps + 1, [&](int64_t step, double bound) {
        return measure(site, visit, *error, magnitudes->maxima, getScales(step),
                       bound);
      });
  if (!best)
    return best.takeError();
  return getScales(*best);
}

/// What is lost when the weights and activations of a site are rounded.
llvm::Expected<double>
SmoothQuantPass::measure(const ScaleSite &site, const GraphWalk::Visit &visit,
                         const ModuleError &error, ArrayRef<float> maxima,
                         ArrayRef<float> scales, double bound) {
  llvm::Expected<std::vector<Tensor>> rounded =
      roundWeights(site, visit, formats, scales, MinMaxSearch(), threads);
  if (!rounded)
    return rounded.takeError();
  const ScaleSite::Reader &first = site.readers.front();
  const std::vector<float> own = site.fold.spread(first.consumer, scales);
  ActivationCodes codes;
  codes.bits = activationBits;
  if (granularity == "group") {
    QuantizableOpInterface op = first.consumer.layer;
    codes.groupCols =
        formats[first.layer].getGroupCols(op.getWeightMatrixShape());
  } else if (granularity == "tensor") {
    float range = 0;
    for (auto [greatest, factor] : llvm::zip_equal(maxima, scales))
      range = std::max(range, greatest / factor);
    codes.range = range;
  }
  return error.measure(
      *rounded, bound, [&](unsigned batch) -> llvm::Expected<Tensor> {
        llvm::Expected<Tensor> input = visit.getInput(batch);
        if (!input)
          return input.takeError();
        Tensor copy =
            Tensor::get<float>(input->getShape(), input->values<float>());
        const int64_t width = own.size();
        roundScaledActivations(codes, own,
                               MatrixView(copy.data<float>(),
                                          copy.getNumElements() / width,
                                          width));
        return copy;
      });
}
