//===- Compare.cpp - how far two models are apart -------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "lowbit/Calibration/DecodedWeight.h"
#include "lowbit/Execution/LayerOutputs.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "lowbit/Quantize/LayerSummary.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include <cmath>

using namespace lowbit;

//===----------------------------------------------------------------------===//
// Layers and their weights
//===----------------------------------------------------------------------===//

static std::vector<Histogram> makeHistograms(const Difference &difference,
                                             unsigned bins) {
  Histogram empty(difference.getLow(), difference.getHigh(), bins);
  return {empty, empty};
}

llvm::Error Comparison::compareWeights(mlir::Operation *reference,
                                       mlir::Operation *other, Point &point) {
  llvm::Expected<DecodedWeight> x = decodeWeight(reference);
  llvm::Expected<DecodedWeight> y = decodeWeight(other);
  if (!x || !y) {
    llvm::Error error =
        llvm::joinErrors(x ? llvm::Error::success() : x.takeError(),
                         y ? llvm::Error::success() : y.takeError());
    if (point.weightsDiffer.empty())
      point.weightsDiffer = llvm::toString(std::move(error));
    else
      llvm::consumeError(std::move(error));
    return llvm::Error::success();
  }
  point.format = y->format;
  point.bitsPerWeight = y->bitsPerWeight;
  if (x->rows != y->rows || x->cols != y->cols)
    return makeError("the weight of layer '" + point.name + "' is " +
                     llvm::Twine(x->rows) + "x" + llvm::Twine(x->cols) +
                     ", but " + llvm::Twine(y->rows) + "x" +
                     llvm::Twine(y->cols) + " in the other model");
  if (!point.weightsDiffer.empty())
    return llvm::Error::success();
  point.weights.emplace();
  point.weights->add(x->values, y->values);
  if (options.histogram) {
    point.weightHistograms = makeHistograms(*point.weights, options.histogram);
    point.weightHistograms[0].add(x->values);
    point.weightHistograms[1].add(y->values);
  }
  return llvm::Error::success();
}

llvm::Error Comparison::prepare(mlir::ModuleOp reference,
                                mlir::ModuleOp other) {
  if (!reference || !other)
    return llvm::Error::success();
  auto layers = findModelLayers(reference);
  if (!layers)
    return layers.takeError();
  auto otherLayers = findModelLayers(other);
  if (!otherLayers)
    return makeError("the other model: " +
                     llvm::toString(otherLayers.takeError()));
  llvm::StringMap<const ModelLayer *> byName;
  for (const ModelLayer &layer : *otherLayers)
    byName[layer.name] = &layer;
  std::vector<ModelLayer> exposed, otherExposed;
  for (const ModelLayer &layer : *layers) {
    auto found = byName.find(layer.name);
    if (found == byName.end()) {
      ++numUnmatched;
      continue;
    }
    const ModelLayer &twin = *found->second;
    Point point;
    point.name = layer.name;
    point.isLayer = true;
    // After one and the same transform they compute the same again.
    if (layer.mark != twin.mark) {
      point.weightsDiffer = "a transform changed the weight";
      if ((layer.mark && layer.mark->outputs) ||
          (twin.mark && twin.mark->outputs))
        point.outputsDiffer = "a transform changed the outputs";
    }
    if (llvm::Error error = compareWeights(layer.op, twin.op, point))
      return error;
    points.push_back(std::move(point));
    if (points.back().outputsDiffer.empty()) {
      exposed.push_back(layer);
      otherExposed.push_back(twin);
    }
  }
  numUnmatched += otherLayers->size() - points.size();
  if (llvm::Error error = exposeLayerOutputs(reference, exposed))
    return error;
  return exposeLayerOutputs(other, otherExposed);
}

//===----------------------------------------------------------------------===//
// What both compute
//===----------------------------------------------------------------------===//

static bool isFloat(ElementType type) {
  return type == ElementType::F32 || isScaleType(type);
}

/// The elements of a tensor of floats; `storage` holds those that are no f32.
static llvm::ArrayRef<float> getFloats(const Tensor &tensor,
                                       std::vector<float> &storage) {
  if (tensor.getType() == ElementType::F32)
    return tensor.values<float>();
  const auto *from = reinterpret_cast<const uint8_t *>(tensor.getBytes());
  storage.resize(tensor.getNumElements());
  for (auto [i, to] : llvm::enumerate(storage))
    to = loadFloat(tensor.getType(), from + i * getByteSize(tensor.getType()));
  return storage;
}

static size_t findOutput(const Session &session, llvm::StringRef name) {
  const TensorSpec *spec = session.getSignature().findOutput(name);
  return spec - session.getSignature().outputs.data();
}

llvm::Error Comparison::match(const Session &reference, const Session &other) {
  llvm::StringSet<> known;
  for (const Point &point : points)
    known.insert(point.name);
  for (const TensorSpec &spec : reference.getSignature().outputs) {
    const TensorSpec *twin = other.getSignature().findOutput(spec.name);
    if (!twin || known.contains(spec.name))
      continue;
    Point point;
    point.name = spec.name;
    if (!isFloat(spec.type) || !isFloat(twin->type))
      point.outputsDiffer = "its elements are no floats";
    points.push_back(std::move(point));
  }
  if (points.empty())
    return makeError("the other model has no output '" +
                     reference.getSignature().outputs.back().name +
                     "', and no layer or output else in common with this one");

  for (const TensorSpec &spec : reference.getSignature().inputs)
    if (!other.getSignature().findInput(spec.name))
      return makeError("the other model has no input '" + spec.name + "' (" +
                       spec.describe() +
                       "), so the two cannot run on the same");
  for (const TensorSpec &spec : other.getSignature().inputs)
    if (!reference.getSignature().findInput(spec.name))
      return makeError("the other model has the input '" + spec.name + "' (" +
                       spec.describe() + "), which this one does not have");
  return llvm::Error::success();
}

llvm::Error Comparison::runOnce(const Session &reference, const Session &other,
                                llvm::ArrayRef<std::vector<Tensor>> batches,
                                bool countsOnly) {
  std::vector<float> storage, otherStorage;
  for (const std::vector<Tensor> &inputs : batches) {
    auto expected = reference.run(inputs);
    if (!expected)
      return expected.takeError();
    NamedTensors named;
    for (auto [spec, tensor] :
         llvm::zip_equal(reference.getSignature().inputs, inputs))
      named.emplace_back(spec.name, tensor);
    auto ordered = other.getSignature().orderInputs(named);
    if (!ordered)
      return ordered.takeError();
    auto actual = other.run(*ordered);
    if (!actual)
      return makeError("the other model: " +
                       llvm::toString(actual.takeError()));
    for (Point &point : points) {
      if (!point.outputsDiffer.empty())
        continue;
      const Tensor &x = (*expected)[findOutput(reference, point.name)];
      const Tensor &y = (*actual)[findOutput(other, point.name)];
      if (x.getShape() != y.getShape())
        return makeError((point.isLayer ? "layer '" : "output '") + point.name +
                         "' is " + x.describe() + ", but " + y.describe() +
                         " in the other model");
      const llvm::ArrayRef<float> xs = getFloats(x, storage);
      const llvm::ArrayRef<float> ys = getFloats(y, otherStorage);
      if (!countsOnly) {
        point.outputs->add(xs, ys);
        continue;
      }
      point.outputHistograms[0].add(xs);
      point.outputHistograms[1].add(ys);
    }
  }
  return llvm::Error::success();
}

llvm::Error Comparison::run(const Session &reference, const Session &other,
                            llvm::ArrayRef<std::vector<Tensor>> batches) {
  if (llvm::Error error = match(reference, other))
    return error;
  for (Point &point : points)
    if (point.outputsDiffer.empty())
      point.outputs.emplace();
  if (llvm::Error error =
          runOnce(reference, other, batches, /*countsOnly=*/false))
    return error;
  if (!options.histogram)
    return llvm::Error::success();
  // Only now are the ranges known.
  for (Point &point : points)
    if (point.outputs)
      point.outputHistograms =
          makeHistograms(*point.outputs, options.histogram);
  return runOnce(reference, other, batches, /*countsOnly=*/true);
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

/// What layers are ordered by; those that are no numbers are the worst.
static double getBadness(double error) {
  return std::isnan(error) ? HUGE_VAL : error;
}

std::vector<const Comparison::Point *> Comparison::arrange() const {
  std::vector<const Point *> layers, rest;
  for (const Point &point : points)
    (point.isLayer && point.outputs ? layers : rest).push_back(&point);
  if (options.order == ComparisonOptions::Order::Error)
    llvm::stable_sort(layers, [](const Point *a, const Point *b) {
      return getBadness(a->outputs->getRelativeError()) >
             getBadness(b->outputs->getRelativeError());
    });
  if (options.limit && layers.size() > options.limit)
    layers.resize(options.limit);
  llvm::append_range(layers, rest);
  return layers;
}

static llvm::json::Value getNumber(double value) {
  // JSON has no NaN and no infinity.
  if (std::isfinite(value))
    return value;
  return nullptr;
}

static llvm::json::Object toJson(const Difference &difference) {
  return llvm::json::Object{{"error", getNumber(difference.getRelativeError())},
                            {"snr_db", getNumber(difference.getSnr())},
                            {"max", getNumber(difference.getMax())},
                            {"mean", getNumber(difference.getMean())},
                            {"cosine", getNumber(difference.getCosine())}};
}

static llvm::json::Value toJson(llvm::ArrayRef<Histogram> histograms) {
  if (histograms.empty())
    return nullptr;
  auto counts = [](const Histogram &histogram) {
    return llvm::json::Array(histogram.getCounts());
  };
  return llvm::json::Object{{"low", getNumber(histograms[0].getLow())},
                            {"high", getNumber(histograms[0].getHigh())},
                            {"counts", counts(histograms[0])},
                            {"other_counts", counts(histograms[1])}};
}

void Comparison::printJson(llvm::raw_ostream &os) const {
  llvm::json::Array list;
  for (const Point *point : arrange()) {
    llvm::json::Object entry;
    if (point->outputs)
      entry = toJson(*point->outputs);
    entry["name"] = point->name;
    entry["kind"] = point->isLayer ? "layer" : "output";
    if (!point->outputsDiffer.empty())
      entry["not_compared"] = point->outputsDiffer;
    if (options.histogram)
      entry["histogram"] = toJson(point->outputHistograms);
    if (point->isLayer) {
      llvm::json::Object weight;
      if (point->weights)
        weight = toJson(*point->weights);
      if (!point->weightsDiffer.empty())
        weight["not_compared"] = point->weightsDiffer;
      if (!point->format.empty()) {
        weight["format"] = point->format;
        weight["bits_per_weight"] = point->bitsPerWeight;
      }
      if (options.histogram)
        weight["histogram"] = toJson(point->weightHistograms);
      entry["weight"] = std::move(weight);
    }
    list.push_back(std::move(entry));
  }
  os << llvm::json::Value(std::move(list)) << '\n';
}

static std::string formatFigure(const char *format, double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format(format, value);
  return text;
}

void Comparison::print(llvm::raw_ostream &os) const {
  if (options.json)
    return printJson(os);
  std::vector<std::vector<std::string>> lines = {
      {"layer or output", "error", "SNR dB", "max error", "mean error",
       "cosine", "weight error", "format"}};
  unsigned numListed = 0, numLayers = 0;
  std::vector<llvm::StringRef> transformed;
  for (const Point &point : points) {
    numLayers += point.isLayer && point.outputs;
    if (point.isLayer && !point.outputs)
      transformed.push_back(point.name);
  }
  for (const Point *point : arrange()) {
    if (!point->outputs)
      continue;
    numListed += point->isLayer;
    const Difference &outputs = *point->outputs;
    lines.push_back(
        {point->name, formatFigure("%.5f", outputs.getRelativeError()),
         formatFigure("%.1f", outputs.getSnr()),
         formatFigure("%.3e", outputs.getMax()),
         formatFigure("%.3e", outputs.getMean()),
         formatFigure("%.6f", outputs.getCosine()),
         point->weights
             ? formatFigure("%.5f", point->weights->getRelativeError())
             : "-",
         point->format});
  }
  printAligned(os, lines, /*firstFigure=*/1, /*numFigures=*/6);
  if (numListed < numLayers)
    os << '(' << numListed
       << (options.order == ComparisonOptions::Order::Error ? " worst" : "")
       << " of " << numLayers << " layers)\n";
  if (!transformed.empty()) {
    os << "not compared, as a transform changed their outputs: "
       << transformed.size() << (transformed.size() == 1 ? " layer" : " layers")
       << ", " << llvm::join(llvm::ArrayRef(transformed).take_front(3), ", ")
       << (transformed.size() > 3 ? ", ...\n" : "\n");
  }
  if (numUnmatched)
    os << "in one of the models only: " << numUnmatched
       << (numUnmatched == 1 ? " layer\n" : " layers\n");
}
