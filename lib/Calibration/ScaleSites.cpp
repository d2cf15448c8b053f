//===- ScaleSites.cpp - channels that are scaled by data ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScaleSites.h"
#include "lowbit/Calibration/LayerWeight.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "lowbit/Quantize/Awq.h"
#include "lowbit/Quantize/Magnitudes.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"
#include <cmath>

using namespace mlir;
using namespace lowbit;

//===----------------------------------------------------------------------===//
// Finding
//===----------------------------------------------------------------------===//

namespace {
/// What the channels of a value may come from.
struct Origins {
  /// Norms and linear layers.
  llvm::SetVector<Operation *> producers;
  /// Whether only ops that keep shapes lie in between, and no attention.
  bool isElementwise = true;
};
} // namespace

static bool isProducer(Operation *op) {
  auto layer = dyn_cast<QuantizableOpInterface>(op);
  return matchNorm(op) ||
         (layer && layer.isQuantizable() &&
          layer.getQuantizableKind() == QuantizableKind::Linear);
}

/// The operands whose channels are those of the result.
static SmallVector<Value> getChannelOperands(Operation *op) {
  if (auto attention = dyn_cast<onnx::AttentionOp>(op))
    return {attention.getV()};
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<ShapedType>(operand.getType());
    if (type && isa<FloatType>(type.getElementType()) &&
        !matchPattern(operand, m_Constant()))
      operands.push_back(operand);
  }
  return operands;
}

static Origins findOrigins(Value value) {
  Origins origins;
  llvm::SetVector<Value> values;
  values.insert(value);
  for (size_t i = 0; i < values.size(); ++i) {
    const Value current = values[i];
    Operation *op = current.getDefiningOp();
    if (op && isProducer(op)) {
      origins.producers.insert(op);
      continue;
    }
    // The values of an embedding are no channels of a layer.
    if (!op || isa<QuantizableOpInterface>(op)) {
      origins.isElementwise = false;
      continue;
    }
    origins.isElementwise &= !isa<onnx::AttentionOp>(op);
    for (Value operand : getChannelOperands(op)) {
      origins.isElementwise &= operand.getType() == current.getType();
      values.insert(operand);
    }
  }
  return origins;
}

/// A site that has the layer among its consumers, or why there is none.
static llvm::Expected<FoldSite> findSite(QuantizableOpInterface layer,
                                         const Origins &origins,
                                         const ScaleSiteOptions &options) {
  Value input = layer.getQuantizableInput().get();
  std::string reason = "no norm and no linear layer makes its input";
  for (Operation *producer : origins.producers) {
    if (!options.layers && !matchNorm(producer))
      continue;
    llvm::Expected<FoldSite> site =
        findFoldSite(producer, ChannelChange::ScalePositive);
    if (site && llvm::any_of(site->consumers, [&](const auto &consumer) {
          return consumer.layer == layer;
        }))
      return site;
    reason = site ? describe(producer) + " does not make its input"
                  : llvm::toString(site.takeError());
  }
  if (options.multiply && origins.isElementwise &&
      !origins.producers.contains(input.getDefiningOp())) {
    llvm::Expected<FoldSite> site = findMultiplySite(input);
    if (site)
      return site;
    reason = llvm::toString(site.takeError());
  }
  return makeError(reason);
}

std::vector<ScaleSite> lowbit::findScaleSites(ArrayRef<QuantizableLayer> layers,
                                              const ScaleSiteOptions &options) {
  llvm::DenseMap<Operation *, unsigned> numbers;
  for (auto [number, layer] : llvm::enumerate(layers))
    numbers[layer.op] = number;
  std::vector<ScaleSite> sites;
  llvm::DenseSet<Operation *> done;
  for (const QuantizableLayer &layer : layers) {
    QuantizableOpInterface op = layer.op;
    if (done.contains(op))
      continue;
    const Origins origins = findOrigins(op.getQuantizableInput().get());
    if (!options.layers && llvm::none_of(origins.producers, [](Operation *op) {
          return matchNorm(op).has_value();
        }))
      continue;
    llvm::Expected<FoldSite> fold = findSite(op, origins, options);
    if (!fold) {
      emitRemark(op->getLoc())
          << "the input of layer '" << layer.name
          << "' is not scaled: " << llvm::toString(fold.takeError());
      continue;
    }
    ScaleSite site{std::move(*fold), {}};
    for (const FoldSite::Consumer &consumer : site.fold.consumers)
      if (auto number = numbers.find(consumer.layer); number != numbers.end()) {
        done.insert(consumer.layer);
        site.readers.push_back({number->second, consumer});
      }
    sites.push_back(std::move(site));
  }
  return sites;
}

//===----------------------------------------------------------------------===//
// Folding
//===----------------------------------------------------------------------===//

llvm::Expected<std::vector<std::vector<float>>>
lowbit::foldSites(Calibration &model, ArrayRef<QuantizableLayer> layers,
                  ArrayRef<ScaleSite> sites, ChooseScales choose,
                  ModelEdits &edits) {
  std::vector<std::vector<float>> scales(layers.size());
  llvm::Error error = model.walk([&](const GraphWalk::Visit &visit)
                                     -> llvm::Expected<std::vector<Tensor>> {
    // The layers that follow see what they see in the float model.
    std::vector<Tensor> kept(visit.layers.size());
    const auto *site = llvm::find_if(sites, [&](const ScaleSite &site) {
      return llvm::all_of(site.readers, [&](const auto &reader) {
        return llvm::is_contained(visit.layers, reader.layer);
      });
    });
    if (site == sites.end())
      return kept;
    llvm::Expected<std::vector<float>> chosen = choose(*site, visit);
    if (!chosen)
      return makeError("cannot scale the input of layer '" +
                       layers[site->readers.front().layer].name +
                       "': " + llvm::toString(chosen.takeError()));
    foldScales(site->fold, *chosen, edits);
    for (const ScaleSite::Reader &reader : site->readers)
      scales[reader.layer] = site->fold.spread(reader.consumer, *chosen);
    return kept;
  });
  if (error)
    return std::move(error);
  for (const ScaleSite &site : sites) {
    QuantizableLayer first = layers[site.readers.front().layer];
    if (scales[site.readers.front().layer].empty())
      emitRemark(first.op->getLoc())
          << "the input of layer '" << first.name
          << "' is not scaled: layers read its channels as different values";
  }
  return scales;
}

llvm::Expected<Magnitudes>
lowbit::measureMagnitudes(const ScaleSite &site,
                          const GraphWalk::Visit &visit) {
  // All layers of a visit read the same channels.
  const FoldSite::Consumer &consumer = site.readers.front().consumer;
  const int64_t width = site.fold.channels * consumer.repeats;
  MagnitudeAccumulator accumulator(width);
  llvm::Error error =
      forEachInput(visit, width, [&](ConstMatrixView rows, int64_t) {
        accumulator.update(rows);
      });
  if (error)
    return std::move(error);
  Magnitudes magnitudes{std::vector<float>(site.fold.channels),
                        std::vector<float>(site.fold.channels)};
  const std::vector<float> means = accumulator.getMeans();
  for (auto [channel, mean] : llvm::enumerate(means)) {
    if (!std::isfinite(mean))
      return makeError("channel " + Twine(channel) +
                       " of it is not finite in all calibration data");
    const int64_t source = site.fold.getSource(consumer, channel);
    magnitudes.means[source] += mean / consumer.repeats;
    magnitudes.maxima[source] =
        std::max(magnitudes.maxima[source], accumulator.getMaxima()[channel]);
  }
  return magnitudes;
}

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

llvm::Expected<std::vector<Tensor>>
lowbit::roundWeights(const ScaleSite &site, const GraphWalk::Visit &visit,
                     ArrayRef<QuantFormatAttrInterface> formats,
                     ArrayRef<float> scales, const RangeSearch &search,
                     unsigned threads) {
  std::vector<Tensor> rounded(visit.layers.size());
  for (const ScaleSite::Reader &reader : site.readers) {
    QuantizableOpInterface op = reader.consumer.layer;
    llvm::Expected<LayerWeight> weight = LayerWeight::get(op);
    if (!weight)
      return weight.takeError();
    if (!weight->getElementType().isF32())
      return makeError("calibration runs in f32, but its weight is not");
    QuantFormatAttrInterface format = formats[reader.layer];
    auto [tensor, matrix] = makeFloatWeight(op);
    if (llvm::Error error = roundScaled(
            *format.getBlockFormat(), weight->getMatrix(),
            site.fold.spread(reader.consumer, scales), search, matrix, threads))
      return std::move(error);
    rounded[llvm::find(visit.layers, reader.layer) - visit.layers.begin()] =
        std::move(tensor);
  }
  return rounded;
}

llvm::Expected<ModuleError>
ModuleError::prepare(const GraphWalk::Visit &visit) {
  ModuleError error(visit);
  const std::vector<Tensor> floats(visit.layers.size());
  for (unsigned batch = 0; batch < visit.numBatches; ++batch) {
    llvm::Expected<std::vector<Tensor>> outputs =
        visit.runModule(batch, floats, Tensor());
    if (!outputs)
      return outputs.takeError();
    error.norms.resize(outputs->size());
    for (auto [output, norm] : llvm::zip_equal(*outputs, error.norms))
      norm += getSquaredNorm(output.values<float>());
    error.references.push_back(std::move(*outputs));
  }
  for (double norm : error.norms)
    if (!std::isfinite(norm))
      return makeError("the float module behind it has outputs that are not "
                       "finite");
  return error;
}

llvm::Expected<double>
ModuleError::measure(ArrayRef<Tensor> weights, double bound,
                     llvm::function_ref<llvm::Expected<Tensor>(unsigned batch)>
                         makeInput) const {
  double sum = 0;
  for (unsigned batch = 0; batch < visit.numBatches && !(sum > bound);
       ++batch) {
    Tensor input;
    if (makeInput) {
      llvm::Expected<Tensor> made = makeInput(batch);
      if (!made)
        return made.takeError();
      input = std::move(*made);
    }
    llvm::Expected<std::vector<Tensor>> outputs =
        visit.runModule(batch, weights, input);
    if (!outputs)
      return outputs.takeError();
    for (auto [output, reference, norm] :
         llvm::zip_equal(*outputs, references[batch], norms)) {
      const double squares =
          getSquaredDistance(output.values<float>(), reference.values<float>());
      sum += norm > 0 ? squares / norm : squares;
    }
  }
  return sum;
}
