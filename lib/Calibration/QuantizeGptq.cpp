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
  llvm::Expected<GptqFactor> factorize(const GraphWalk::Visit &visit,
                                       int64_t width);
  llvm::Expected<ResumeState::Entry>
  solve(unsigned index, const GraphWalk::Visit &visit,
        const LayerWeight &weight, QuantFormatAttrInterface format,
        std::optional<GptqFactor> &factor);
  llvm::Expected<ResumeState::Entry>
  resumeOrSolve(unsigned index, const GraphWalk::Visit &visit,
                const LayerWeight &weight, QuantFormatAttrInterface format,
                std::optional<GptqFactor> &factor);
  llvm::Error quantize(unsigned index, const GraphWalk::Visit &visit,
                       std::optional<GptqFactor> &factor,
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

/// The Hessian's factor for layers with this input.
llvm::Expected<GptqFactor>
LayerQuantizer::factorize(const GraphWalk::Visit &visit, int64_t width) {
  llvm::Expected<Hessian> hessian =
      accumulateHessian(visit, width, options.gptq.threads);
  if (!hessian)
    return hessian.takeError();
  return GptqFactor::compute(std::move(*hessian), options.gptq);
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
                      std::optional<GptqFactor> &factor) {
  const auto start = std::chrono::steady_clock::now();
  if (!factor) {
    llvm::Expected<GptqFactor> computed =
        factorize(visit, weight.getMatrix().getCols());
    if (!computed)
      return computed.takeError();
    factor.emplace(std::move(*computed));
  }
  llvm::Expected<GptqResult> result =
      gptq(*format.getBlockFormat(), weight.getMatrix(), *factor, search,
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
                              std::optional<GptqFactor> &factor) {
  if (!state)
    return solve(index, visit, weight, format, factor);
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
      solve(index, visit, weight, format, factor);
  if (entry)
    if (llvm::Error error = state->save(index, fingerprint, *entry))
      return std::move(error);
  return entry;
}

llvm::Error LayerQuantizer::quantize(unsigned index,
                                     const GraphWalk::Visit &visit,
                                     std::optional<GptqFactor> &factor,
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
      resumeOrSolve(index, visit, *weight, *format, factor);
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
  std::optional<GptqFactor> factor;
  std::vector<Tensor> replaced;
  for (unsigned index : visit.layers)
    if (llvm::Error error = quantize(index, visit, factor, replaced))
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
     << refinements << ' ' << sequential << ' ' << head << ' ' << include
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
  LayerQuantizer::Options options{*formatForLayer, {}, sequential};
  options.gptq.damping = damping;
  options.gptq.actOrder = actOrder;
  options.gptq.staticGroups = staticGroups;
  options.gptq.blockSize = blockSize;
  options.gptq.refinements = refinements;
  options.gptq.threads = threads;
  if (llvm::Error error = options.gptq.check())
    return error;

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
      }))
    return error;
  llvm::append_range(summaries, quantizer.finish());
  return llvm::Error::success();
}
