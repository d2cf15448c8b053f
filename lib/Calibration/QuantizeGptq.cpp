//===- QuantizeGptq.cpp - quantizes layers on their real inputs -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Calibration.h"
#include "Progress.h"
#include "LayerPass.h"
#include "QuantizeLayers.h"
#include "ResumeState.h"
#include "lowbit/Calibration/LayerWeight.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Quantize/ErrorPropagation.h"
#include "lowbit/Quantize/Gptq.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/xxhash.h"
#include <chrono>

namespace lowbit {
#define GEN_PASS_DEF_QUANTIZEGPTQ
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
/// Quantizes the layers of one visit after the other.
class LayerQuantizer {
public:
  struct Options {
    FormatForLayer formatForLayer;
    GptqOptions gptq;
    bool sequential;
    /// How much of earlier layers' errors weights make up for.
    double errorPropagation;
  };

  LayerQuantizer(func::FuncOp function, ArrayRef<QuantizableLayer> layers,
                 const Options &options, const RangeSearch &search,
                 const ResumeState *state)
      : function(function), layers(layers), options(options), search(search),
        state(state), progress(layers.size()), summaries(layers.size()) {}

  llvm::Expected<std::vector<Tensor>> visit(const GraphWalk::Visit &visit);
  /// What has been done, when all layers have been visited.
  ArrayRef<LayerSummary> finish() {
    reportResumption(nullptr);
    return summaries;
  }

private:
  /// What layers that share their input share.
  struct InputStatistics {
    GptqFactor factor;
    /// How the input has drifted from the float model's; empty if that does not
    /// matter.
    std::vector<float> drift;
  };

  llvm::Expected<InputStatistics> collect(const GraphWalk::Visit &visit,
                                          int64_t width);
  llvm::Expected<std::vector<float>>
  compensate(unsigned index, const GraphWalk::Visit &visit,
             ConstMatrixView weights, const InputStatistics &inputs);
  llvm::Expected<ResumeState::Entry>
  solve(unsigned index, const GraphWalk::Visit &visit,
        const LayerWeight &weight, QuantFormatAttrInterface format,
        std::optional<InputStatistics> &inputs);
  llvm::Expected<ResumeState::Entry>
  resumeOrSolve(unsigned index, const GraphWalk::Visit &visit,
                const LayerWeight &weight, QuantFormatAttrInterface format,
                std::optional<InputStatistics> &inputs);
  llvm::Error quantize(unsigned index, const GraphWalk::Visit &visit,
                       std::optional<InputStatistics> &inputs,
                       std::vector<Tensor> &replaced);
  void reportResumption(const QuantizableLayer *next);
  void reportUselessState(unsigned index, llvm::Error reason);

  func::FuncOp function;
  ArrayRef<QuantizableLayer> layers;
  const Options &options;
  const RangeSearch &search;
  /// Null if none is kept.
  const ResumeState *state;
  Progress progress;
  SmallVector<LayerSummary> summaries;
  /// Layers done by an earlier run, until this one solves its first.
  unsigned numResumed = 0;
  bool hasSolved = false;
  bool hasUselessState = false;
};

struct QuantizeGptqPass final
    : LayerPass<lowbit::impl::QuantizeGptqBase<QuantizeGptqPass>> {
  using LayerPass::LayerPass;

  llvm::Error runOnLayers() override;

private:
  llvm::Error calibrate(ArrayRef<QuantizableLayer> layers,
                        const LayerQuantizer::Options &options,
                        const RangeSearch &search,
                        SmallVectorImpl<LayerSummary> &summaries);
  uint64_t getFingerprint(const CalibrationData &data) const;
};
} // namespace

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

llvm::Expected<LayerQuantizer::InputStatistics>
LayerQuantizer::collect(const GraphWalk::Visit &visit, int64_t width) {
  llvm::Expected<Hessian> hessian =
      accumulateHessian(visit, width, options.gptq.threads);
  if (!hessian)
    return hessian.takeError();
  llvm::Expected<GptqFactor> factor =
      GptqFactor::compute(std::move(*hessian), options.gptq);
  if (!factor)
    return factor.takeError();
  InputStatistics inputs{std::move(*factor), {}};
  if (options.errorPropagation != 0) {
    llvm::Expected<std::vector<float>> drift =
        accumulateDrift(visit, width, width, visit.getFloatInput,
                        visit.getInput, options.gptq.threads);
    if (!drift)
      return drift.takeError();
    inputs.drift = std::move(*drift);
  }
  return inputs;
}

/// The weights that make up for what earlier layers have changed.
llvm::Expected<std::vector<float>>
LayerQuantizer::compensate(unsigned index, const GraphWalk::Visit &visit,
                           ConstMatrixView weights,
                           const InputStatistics &inputs) {
  std::vector<float> outputDrift;
  if (visit.hasAddend(index)) {
    llvm::Expected<std::vector<float>> drift = accumulateDrift(
        visit, weights.getRows(), weights.getCols(),
        [&](unsigned batch) { return visit.getFloatAddend(index, batch); },
        [&](unsigned batch) { return visit.getAddend(index, batch); },
        options.gptq.threads);
    if (!drift)
      return drift.takeError();
    outputDrift = std::move(*drift);
  }
  return compensateDrift(weights, inputs.drift, outputDrift, inputs.factor,
                         options.errorPropagation, options.gptq.threads);
}

/// The quantized weight as the float graph takes it: of the type, and in the
/// orientation, of the layer's own weight.
static llvm::Expected<Tensor> decodeWeight(QuantizableOpInterface layer,
                                           const BlockFormat &format,
                                           const SolverResult &result) {
  const int64_t rows = result.matrix.rows, cols = result.matrix.cols;
  Tensor stored(ElementType::F32, {rows, cols});
  MatrixView values(stored.data<float>(), rows, cols);
  if (llvm::Error error = format.decode(result.matrix, values))
    return std::move(error);
  auto [weight, oriented] = makeFloatWeight(layer);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < cols; ++col)
      oriented(row,
               result.columnOrder.empty() ? col : result.columnOrder[col]) =
          values(row, col);
  return weight;
}

llvm::Expected<ResumeState::Entry>
LayerQuantizer::solve(unsigned index, const GraphWalk::Visit &visit,
                      const LayerWeight &weight, QuantFormatAttrInterface format,
                      std::optional<InputStatistics> &inputs) {
  const auto start = std::chrono::steady_clock::now();
  ConstMatrixView weights = weight.getMatrix();
  if (!inputs) {
    llvm::Expected<InputStatistics> collected =
        collect(visit, weights.getCols());
    if (!collected)
      return collected.takeError();
    inputs.emplace(std::move(*collected));
  }
  std::vector<float> compensated;
  if (!inputs->drift.empty() && !inputs->factor.isEmpty()) {
    llvm::Expected<std::vector<float>> moved =
        compensate(index, visit, weights, *inputs);
    if (!moved)
      return moved.takeError();
    compensated = std::move(*moved);
    weights = ConstMatrixView(compensated.data(), weights.getRows(),
                              weights.getCols());
  }
  llvm::Expected<GptqResult> result =
      gptq(*format.getBlockFormat(), weights, inputs->factor, search,
           options.gptq);
  if (!result)
    return result.takeError();
  const std::chrono::duration<double> elapsed =
      std::chrono::steady_clock::now() - start;
  LayerSummary summary =
      summarize(layers[index].name, format, *result, elapsed.count());
  return ResumeState::Entry{std::move(*result), std::move(summary)};
}

/// Says once that this run goes on where another one ended: before `next` is
/// solved, or when nothing is left to do.
void LayerQuantizer::reportResumption(const QuantizableLayer *next) {
  if (std::exchange(hasSolved, true) || numResumed == 0)
    return;
  progress.clear();
  InFlightDiagnostic remark =
      emitRemark(function.getLoc())
      << "resumed from '" << state->getFolder() << "': " << numResumed << " of "
      << layers.size() << " layers are done";
  if (next)
    remark << "; going on with '" << next->name << "'";
}

/// The same may be wrong with all layers, and is said once.
void LayerQuantizer::reportUselessState(unsigned index, llvm::Error reason) {
  std::string message = llvm::toString(std::move(reason));
  if (std::exchange(hasUselessState, true))
    return;
  progress.clear();
  emitWarning(function.getLoc())
      << "cannot resume layer '" << layers[index].name << "': " << message
      << "; quantizing it anew";
}

llvm::Expected<ResumeState::Entry>
LayerQuantizer::resumeOrSolve(unsigned index, const GraphWalk::Visit &visit,
                              const LayerWeight &weight, QuantFormatAttrInterface format,
                              std::optional<InputStatistics> &inputs) {
  if (!state)
    return solve(index, visit, weight, format, inputs);
  llvm::Expected<Tensor> input = visit.getInput(0);
  if (!input)
    return input.takeError();
  std::string description = layers[index].name;
  llvm::raw_string_ostream(description) << ' ' << format;
  const std::string fingerprint =
      state->getLayerFingerprint(description, weight, *input);
  llvm::Expected<std::optional<ResumeState::Entry>> known =
      state->load(index, fingerprint, weight, *format.getBlockFormat());
  if (!known)
    reportUselessState(index, known.takeError());
  else if (*known) {
    numResumed += !hasSolved;
    return std::move(**known);
  }
  reportResumption(&layers[index]);
  llvm::Expected<ResumeState::Entry> entry =
      solve(index, visit, weight, format, inputs);
  if (entry)
    if (llvm::Error error = state->save(index, fingerprint, *entry))
      return std::move(error);
  return entry;
}

llvm::Error LayerQuantizer::quantize(unsigned index,
                                     const GraphWalk::Visit &visit,
                                     std::optional<InputStatistics> &inputs,
                                     std::vector<Tensor> &replaced) {
  const QuantizableLayer &layer = layers[index];
  llvm::Expected<LayerWeight> weight = LayerWeight::get(layer.op);
  if (!weight)
    return weight.takeError();
  if (!weight->getElementType().isF32())
    return makeError("calibration runs in f32, but its weight is not");
  llvm::Expected<QuantFormatAttrInterface> format =
      options.formatForLayer(layer.op);
  if (!format)
    return format.takeError();
  llvm::Expected<ResumeState::Entry> entry =
      resumeOrSolve(index, visit, *weight, *format, inputs);
  if (!entry)
    return entry.takeError();
  weight->release();
  progress.layerDone(entry->summary, /*isNew=*/hasSolved || !state);
  summaries[index] = entry->summary;

  replaced.emplace_back();
  if (options.sequential) {
    llvm::Expected<Tensor> decoded =
        decodeWeight(layer.op, *format->getBlockFormat(), entry->result);
    if (!decoded)
      return decoded.takeError();
    replaced.back() = std::move(*decoded);
  }
  return replaceLayer(layer, *format, entry->result);
}

llvm::Expected<std::vector<Tensor>>
LayerQuantizer::visit(const GraphWalk::Visit &visit) {
  std::optional<InputStatistics> inputs;
  std::vector<Tensor> replaced;
  for (unsigned index : visit.layers)
    if (llvm::Error error = quantize(index, visit, inputs, replaced))
      return makeError("cannot quantize layer '" + layers[index].name +
                       "': " + llvm::toString(std::move(error)));
  return replaced;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// Two runs with one fingerprint make the same of the same layers.
uint64_t QuantizeGptqPass::getFingerprint(const CalibrationData &data) const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << format << ' ' << bits << ' ' << groupSize << ' ' << symmetric << ' ' << scaleType << ' '
     << zeroType << ' ' << range << ' ' << percentile << ' ' << mse << ' ' << actOrder << ' ' << staticGroups << ' ' << damping << ' '
     << refinements << ' ' << sequential << ' ' << errorPropagation << ' ' << head << ' ' << include
     << '\0' << exclude << '\0' << data.getSamples().describe() << ' '
     << llvm::xxh3_64bits(llvm::ArrayRef(
            reinterpret_cast<const uint8_t *>(data.getSamples().getBytes()),
            data.getSamples().getByteSize()));
  return llvm::xxh3_64bits(text);
}

llvm::Error QuantizeGptqPass::runOnLayers() {
  const FormatOptions formatOptions = getFormatOptions();
  llvm::Expected<FormatForLayer> formatForLayer =
      parseFormat(&getContext(), formatOptions);
  if (!formatForLayer)
    return formatForLayer.takeError();
  LayerQuantizer::Options options{*formatForLayer, {}, sequential,
                                        errorPropagation};
  options.gptq.damping = damping;
  options.gptq.actOrder = actOrder;
  options.gptq.staticGroups = staticGroups;
  options.gptq.blockSize = blockSize;
  options.gptq.refinements = refinements;
  options.gptq.threads = threads;
  if (llvm::Error error = options.gptq.check())
    return error;
  if (!(errorPropagation >= 0 && errorPropagation <= 1))
    return makeError("error-propagation is " +
                     std::to_string(errorPropagation) +
                     ", but must lie between 0 and 1");
  if (errorPropagation > 0 && !sequential)
    return makeError("error-propagation needs sequential: otherwise no layer "
                     "sees the errors of those before it");

  llvm::Expected<SmallVector<QuantizableLayer>> layers =
      selectLayers(getOperation(), getFilter());
  if (!layers)
    return layers.takeError();
  // An embedding sums over nothing, so no column can make up for another one.
  auto *firstEmbedding = std::stable_partition(
      layers->begin(), layers->end(), [](const QuantizableLayer &layer) {
        QuantizableOpInterface op = layer.op;
        return op.getQuantizableKind() == QuantizableKind::Linear;
      });
  const ArrayRef<QuantizableLayer> linear(layers->begin(), firstEmbedding);
  const ArrayRef<QuantizableLayer> tables(firstEmbedding, layers->end());
  llvm::Expected<std::unique_ptr<RangeSearch>> search =
      makeRangeSearch(formatOptions);
  if (!search)
    return search.takeError();
  SmallVector<LayerSummary> summaries;
  if (!linear.empty())
    if (llvm::Error error = calibrate(linear, options, **search, summaries))
      return error;
  llvm::Error error = quantizeLayers(
      tables, *formatForLayer, **search,
      [&](QuantizableOpInterface, const BlockFormat &blockFormat,
          ConstMatrixView weights, const RangeSearch &rangeSearch) {
        return roundToNearest(blockFormat, weights, rangeSearch, threads);
      },
      summaries);
  if (error)
    return error;
  numLayers += layers->size();
  return writeReport(report, summaries);
}

/// Quantizes linear layers on their inputs.
llvm::Error
QuantizeGptqPass::calibrate(ArrayRef<QuantizableLayer> layers,
                            const LayerQuantizer::Options &options,
                            const RangeSearch &search,
                            SmallVectorImpl<LayerSummary> &summaries) {
  llvm::Expected<Calibration> model = Calibration::prepare(
      layers, {calibration, samples, length, seed, memoryBudget, threads});
  if (!model)
    return model.takeError();
  std::optional<ResumeState> resume;
  if (!state.empty()) {
    llvm::Expected<ResumeState> opened =
        ResumeState::open(state, getFingerprint(model->getData()));
    if (!opened)
      return opened.takeError();
    resume = std::move(*opened);
  }
  LayerQuantizer quantizer(model->getFunction(), layers, options, search,
                           resume ? &*resume : nullptr);
  if (llvm::Error error = model->walk([&](const GraphWalk::Visit &visit) {
        return quantizer.visit(visit);
      }, options.errorPropagation > 0))
    return error;
  llvm::append_range(summaries, quantizer.finish());
  return llvm::Error::success();
}
