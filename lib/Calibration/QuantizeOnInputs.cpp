//===- QuantizeOnInputs.cpp - layers on their real inputs --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizeOnInputs.h"
#include "Progress.h"
#include "QuantizeLayers.h"
#include "ResumeState.h"
#include "lowbit/Quantize/ErrorPropagation.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/xxhash.h"
#include <chrono>

using namespace mlir;
using namespace lowbit;

namespace {
/// Quantizes the layers of one visit after the other.
class LayerQuantizer {
public:
  LayerQuantizer(func::FuncOp function, ArrayRef<QuantizableLayer> layers,
                 const OnInputsOptions &options,
                 const FormatForLayer &formatForLayer,
                 const RangeSearch &search, InputSolver solveLayer,
                 const ResumeState *state)
      : function(function), layers(layers), options(options),
        formatForLayer(formatForLayer), search(search), solveLayer(solveLayer),
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
  llvm::Expected<std::vector<float>> compensate(unsigned index,
                                                const GraphWalk::Visit &visit,
                                                ConstMatrixView weights,
                                                const InputStatistics &inputs);
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
  const OnInputsOptions &options;
  const FormatForLayer &formatForLayer;
  const RangeSearch &search;
  InputSolver solveLayer;
  /// Null if none is kept.
  const ResumeState *state;
  Progress progress;
  SmallVector<LayerSummary> summaries;
  /// Layers done by an earlier run, until this one solves its first.
  unsigned numResumed = 0;
  bool hasSolved = false;
  bool hasUselessState = false;
};
} // namespace

llvm::Expected<LayerQuantizer::InputStatistics>
LayerQuantizer::collect(const GraphWalk::Visit &visit, int64_t width) {
  llvm::Expected<GptqFactor> factor =
      factorizeHessian(visit, width, options.factor);
  if (!factor)
    return factor.takeError();
  InputStatistics inputs{std::move(*factor), {}};
  if (options.errorPropagation != 0) {
    llvm::Expected<std::vector<float>> drift =
        accumulateDrift(visit, width, width, visit.getFloatInput,
                        visit.getInput, options.factor.threads);
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
        options.factor.threads);
    if (!drift)
      return drift.takeError();
    outputDrift = std::move(*drift);
  }
  return compensateDrift(weights, inputs.drift, outputDrift, inputs.factor,
                         options.errorPropagation, options.factor.threads);
}

llvm::Expected<ResumeState::Entry> LayerQuantizer::solve(
    unsigned index, const GraphWalk::Visit &visit, const LayerWeight &weight,
    QuantFormatAttrInterface format, std::optional<InputStatistics> &inputs) {
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
  llvm::Expected<SolverResult> result =
      solveLayer(format, weights, inputs->factor, search);
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
  InFlightDiagnostic remark = emitRemark(function.getLoc())
                              << "resumed from '" << state->getFolder()
                              << "': " << numResumed << " of " << layers.size()
                              << " layers are done";
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

llvm::Expected<ResumeState::Entry> LayerQuantizer::resumeOrSolve(
    unsigned index, const GraphWalk::Visit &visit, const LayerWeight &weight,
    QuantFormatAttrInterface format, std::optional<InputStatistics> &inputs) {
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
      state->load(index, fingerprint, weight, format);
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
  llvm::Expected<QuantFormatAttrInterface> format = formatForLayer(layer.op);
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
  if (options.calibration.inputs != InputSource::Float) {
    llvm::Expected<Tensor> decoded = decodeWeight(
        layer.op, *format->adaptToMatrix(entry->result.matrix).getBlockFormat(),
        entry->result);
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

/// Two runs with one fingerprint make the same of the same layers.
static uint64_t getFingerprint(const OnInputsOptions &options,
                               const CalibrationData &data) {
  const FormatOptions &format = options.format;
  const LayerFilter &filter = options.filter;
  std::string text;
  llvm::raw_string_ostream os(text);
  os << options.solver << ' ' << format.format << ' ' << format.bits << ' '
     << format.groupSize << ' ' << format.symmetric << ' ' << format.scaleType
     << ' ' << format.zeroType << ' ' << format.range << ' '
     << format.percentile << ' ' << format.mse << ' ' << options.factor.actOrder
     << ' ' << options.factor.damping << ' ' << options.errorPropagation << ' '
     << static_cast<int>(options.calibration.inputs) << ' ' << filter.head
     << ' ' << filter.include << '\0' << filter.exclude << '\0'
     << data.getFingerprint();
  return llvm::xxh3_64bits(text);
}

/// Quantizes linear layers on their inputs.
static llvm::Error calibrate(ArrayRef<QuantizableLayer> layers,
                             const OnInputsOptions &options,
                             const FormatForLayer &formatForLayer,
                             const RangeSearch &search, InputSolver solve,
                             SmallVectorImpl<LayerSummary> &summaries) {
  llvm::Expected<Calibration> model =
      Calibration::prepare(layers, options.calibration);
  if (!model)
    return model.takeError();
  std::optional<ResumeState> resume;
  if (!options.state.empty()) {
    llvm::Expected<ResumeState> opened = ResumeState::open(
        options.state, getFingerprint(options, model->getData()));
    if (!opened)
      return opened.takeError();
    resume = std::move(*opened);
  }
  LayerQuantizer quantizer(model->getFunction(), layers, options,
                           formatForLayer, search, solve,
                           resume ? &*resume : nullptr);
  if (llvm::Error error = model->walk(
          [&](const GraphWalk::Visit &visit) { return quantizer.visit(visit); },
          /*keepsFloat=*/options.errorPropagation > 0))
    return error;
  llvm::append_range(summaries, quantizer.finish());
  return llvm::Error::success();
}

llvm::Expected<unsigned>
lowbit::quantizeOnInputs(ModuleOp module, const OnInputsOptions &options,
                         InputSolver solve, const ChangeFormat &change) {
  llvm::Expected<FormatForLayer> formatForLinear =
      parseFormat(module.getContext(), options.format, change);
  if (!formatForLinear)
    return formatForLinear.takeError();
  if (llvm::Error error = options.factor.check())
    return std::move(error);
  if (!(options.errorPropagation >= 0 && options.errorPropagation <= 1))
    return makeError("error-propagation is " +
                     std::to_string(options.errorPropagation) +
                     ", but must lie between 0 and 1");
  if (options.errorPropagation > 0 &&
      options.calibration.inputs == InputSource::Float)
    return makeError("error-propagation cannot be combined with inputs=float: "
                     "no layer sees the errors of those before it there");
  llvm::Expected<SmallVector<QuantizableLayer>> layers =
      selectLayers(module, options.filter);
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
      makeRangeSearch(options.format);
  if (!search)
    return search.takeError();
  SmallVector<LayerSummary> summaries;
  if (!linear.empty())
    if (llvm::Error error = calibrate(linear, options, *formatForLinear,
                                      **search, solve, summaries))
      return std::move(error);
  llvm::Expected<FormatForLayer> formatForTable =
      parseFormat(module.getContext(), options.format);
  if (!formatForTable)
    return formatForTable.takeError();
  llvm::Error error = quantizeLayers(
      tables, *formatForTable, **search,
      [&](QuantizableOpInterface, const BlockFormat &blockFormat,
          ConstMatrixView weights, const RangeSearch &rangeSearch) {
        return roundToNearest(blockFormat, weights, rangeSearch,
                              options.factor.threads);
      },
      summaries);
  if (error)
    return std::move(error);
  if (llvm::Error reportError = writeReport(options.report, summaries))
    return std::move(reportError);
  return layers->size();
}
