//===- Prune.cpp - sets weights to zero -----------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerPass.h"
#include "lowbit/Calibration/LayerWeight.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "lowbit/Quantize/SparseGpt.h"
#include "lowbit/Quantize/Wanda.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <cstring>
#include <optional>

namespace lowbit {
#define GEN_PASS_DEF_PRUNE
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
/// Weights, and the layers that share each of them.
using Weights = llvm::MapVector<Value, SmallVector<QuantizableLayer, 1>>;

struct PrunePass final : LayerPass<lowbit::impl::PruneBase<PrunePass>> {
  using LayerPass::LayerPass;

  llvm::Error runOnLayers() override;

private:
  llvm::Error checkOptions();
  llvm::Error pruneAll(const Weights &weights);
  llvm::Error pruneOnInputs(ArrayRef<QuantizableLayer> layers);
  llvm::Expected<std::vector<Tensor>>
  pruneVisited(ArrayRef<QuantizableLayer> layers, const GraphWalk::Visit &visit,
               InputSource source);
  llvm::Expected<Tensor> pruneLayer(const QuantizableLayer &layer,
                                    const LayerWeight &weight,
                                    ArrayRef<float> meanSquares,
                                    const std::optional<GptqFactor> &factor);
  llvm::Error replace(ArrayRef<QuantizableLayer> layers,
                      const LayerWeight &weight,
                      llvm::function_ref<void(VisitElement)> forEachPruned);
  llvm::Error replace(ArrayRef<QuantizableLayer> layers, ArrayRef<char> bytes);

  PruningOptions pruning;
};
} // namespace

llvm::Error PrunePass::checkOptions() {
  if (method != "magnitude" && method != "wanda" && method != "sparsegpt")
    return makeError("method is '" + method +
                     "', but must be magnitude, wanda or sparsegpt");
  if (scope != "layer" && scope != "global")
    return makeError("scope is '" + scope + "', but must be layer or global");
  if (method == "magnitude" && !calibration.empty())
    return makeError("method=magnitude needs no calibration data; with it, "
                     "method can be wanda or sparsegpt");
  if (method != "magnitude" && scope.hasValue())
    return makeError("method=" + method +
                     " compares the weights of a layer by itself; scope is for "
                     "method=magnitude");
  if (method != "magnitude" && embeddings)
    return makeError("method=" + method +
                     " prunes by the inputs of layers, which embeddings do not "
                     "have");
  if (!pattern.empty() && scope != "layer")
    return makeError("the pattern " + pattern +
                     " says how many weights stay; it cannot be combined with "
                     "scope=global");
  llvm::Expected<PruningOptions> options = getPruningOptions();
  if (!options)
    return options.takeError();
  pruning = *options;
  return llvm::Error::success();
}

/// An error if there is no sense in ordering the weights by their magnitudes.
static llvm::Error checkFinite(ConstMatrixView weights) {
  for (int64_t row = 0; row < weights.getRows(); ++row)
    for (int64_t col = 0; col < weights.getCols(); ++col)
      if (!std::isfinite(weights(row, col)))
        return makeError("the weight in row " + Twine(row) + ", column " +
                         Twine(col) + " is " +
                         (std::isnan(weights(row, col)) ? "NaN" : "infinite"));
  return llvm::Error::success();
}

static llvm::Error checkWeight(QuantizableOpInterface op) {
  llvm::Expected<LayerWeight> weight = LayerWeight::get(op);
  if (!weight)
    return weight.takeError();
  weight->release();
  return checkFinite(weight->getMatrix());
}

/// The weight of layers that have been checked. Only a few are in memory at a
/// time: those of a model may not fit.
static LayerWeight getWeight(ArrayRef<QuantizableLayer> layers) {
  return llvm::cantFail(LayerWeight::get(layers.front().op));
}

llvm::Error PrunePass::runOnLayers() {
  if (llvm::Error error = checkOptions())
    return error;
  llvm::Expected<SmallVector<QuantizableLayer>> layers =
      selectLayers(getOperation(), getFilter());
  if (!layers)
    return layers.takeError();
  Weights weights;
  for (QuantizableLayer &layer : *layers) {
    auto &sharing = weights[layer.op.getQuantizableWeight().get()];
    sharing.push_back(layer);
    if (sharing.size() > 1)
      continue;
    if (llvm::Error error = checkWeight(layer.op))
      return makeError("cannot prune layer '" + layer.name +
                       "': " + llvm::toString(std::move(error)));
  }
  if (method == "magnitude")
    return pruneAll(weights);
  return layers->empty() ? llvm::Error::success() : pruneOnInputs(*layers);
}

llvm::Error PrunePass::pruneAll(const Weights &weights) {
  std::optional<LeastMagnitudes> least;
  if (scope == "global") {
    int64_t elements = 0;
    for (const auto &[value, layers] : weights)
      elements += cast<RankedTensorType>(value.getType()).getNumElements();
    least.emplace(getPrunedCount(sparsity, elements),
                  [&](LeastMagnitudes::VisitMatrix visit) {
                    for (const auto &[value, layers] : weights) {
                      const LayerWeight weight = getWeight(layers);
                      visit(weight.getMatrix());
                      weight.release();
                    }
                  });
  }
  for (const auto &[value, layers] : weights) {
    const LayerWeight weight = getWeight(layers);
    const ConstMatrixView matrix = weight.getMatrix();
    if (scope == "layer" && !pruning.pattern)
      least.emplace(getPrunedCount(sparsity, matrix.size()),
                    [&](LeastMagnitudes::VisitMatrix visit) { visit(matrix); });
    if (llvm::Error error = replace(layers, weight, [&](VisitElement visit) {
          if (pruning.pattern)
            forEachOutside(*pruning.pattern, matrix, visit);
          else
            least->forEachIn(matrix, visit);
        }))
      return error;
    weight.release();
    ++numWeights;
  }
  return llvm::Error::success();
}

/// Gives the layers a copy of their weight with zeros in some places.
llvm::Error
PrunePass::replace(ArrayRef<QuantizableLayer> layers, const LayerWeight &weight,
                   llvm::function_ref<void(VisitElement)> forEachPruned) {
  const ConstMatrixView matrix = weight.getMatrix();
  const size_t size = llvm::divideCeil(weight.getElementType().getWidth(), 8u);
  std::vector<char> bytes(weight.getBytes());
  forEachPruned([&](int64_t row, int64_t col) {
    const int64_t place =
        row * matrix.getRowStride() + col * matrix.getColStride();
    std::memset(&bytes[place * size], 0, size);
  });
  return replace(layers, bytes);
}

/// Gives the layers another weight, as it stands in the model.
llvm::Error PrunePass::replace(ArrayRef<QuantizableLayer> layers,
                               ArrayRef<char> bytes) {
  QuantizableLayer first = layers.front();
  Value value = first.op.getQuantizableWeight().get();
  llvm::Expected<TypedAttr> stored = storeConstant(
      first.name + ".pruned", cast<RankedTensorType>(value.getType()), bytes);
  if (!stored)
    return stored.takeError();
  OpBuilder builder(value.getDefiningOp());
  Value pruned = onnx::ConstantOp::create(builder, value.getLoc(), *stored);
  for (QuantizableLayer layer : layers)
    layer.op.getQuantizableWeight().set(pruned);
  if (value.use_empty())
    value.getDefiningOp()->erase();
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// On the inputs of layers
//===----------------------------------------------------------------------===//

/// The weight as it stands in the model, pruned.
llvm::Expected<Tensor>
PrunePass::pruneLayer(const QuantizableLayer &layer, const LayerWeight &weight,
                      ArrayRef<float> meanSquares,
                      const std::optional<GptqFactor> &factor) {
  QuantizableOpInterface op = layer.op;
  auto type = cast<RankedTensorType>(op.getQuantizableWeight().get().getType());
  Tensor pruned(ElementType::F32, type.getShape());
  const ConstMatrixView matrix = weight.getMatrix();
  MatrixView values(pruned.data<float>(), matrix.getRows(), matrix.getCols(),
                    matrix.getRowStride(), matrix.getColStride());
  if (!factor) {
    llvm::copy(weight.getBytes(), pruned.getBytes());
    forEachPrunedByWanda(
        matrix, meanSquares, pruning,
        [&](int64_t row, int64_t col) { values(row, col) = 0; });
    return pruned;
  }
  llvm::Expected<PrunedMatrix> result =
      sparseGpt(matrix, *factor, pruning, threads);
  if (!result)
    return result.takeError();
  const float *value = result->values.data();
  for (int64_t row = 0; row < matrix.getRows(); ++row)
    for (int64_t col = 0; col < matrix.getCols(); ++col)
      values(row, col) = *value++;
  return pruned;
}

/// Prunes layers that read the same value.
llvm::Expected<std::vector<Tensor>>
PrunePass::pruneVisited(ArrayRef<QuantizableLayer> layers,
                        const GraphWalk::Visit &visit, InputSource source) {
  std::vector<float> meanSquares;
  std::optional<GptqFactor> factor;
  std::vector<Tensor> replaced;
  for (unsigned index : visit.layers) {
    const QuantizableLayer &layer = layers[index];
    llvm::Expected<LayerWeight> weight = LayerWeight::get(layer.op);
    if (!weight)
      return weight.takeError();
    if (!weight->getElementType().isF32())
      return makeError("calibration runs in f32, but its weight is not");
    const int64_t width = weight->getMatrix().getCols();
    if (method == "sparsegpt" && !factor) {
      GptqOptions options;
      options.damping = damping;
      options.threads = threads;
      llvm::Expected<GptqFactor> computed =
          factorizeHessian(visit, width, options);
      if (!computed)
        return computed.takeError();
      factor.emplace(std::move(*computed));
    }
    if (method == "wanda" && meanSquares.empty()) {
      llvm::Expected<std::vector<float>> measured =
          measureMeanSquares(visit, width);
      if (!measured)
        return measured.takeError();
      meanSquares = std::move(*measured);
    }
    llvm::Expected<Tensor> pruned =
        pruneLayer(layer, *weight, meanSquares, factor);
    if (!pruned)
      return pruned.takeError();
    weight->release();
    if (llvm::Error error =
            replace(layer, ArrayRef(pruned->getBytes(), pruned->getByteSize())))
      return std::move(error);
    ++numWeights;
    replaced.push_back(source == InputSource::Float ? Tensor()
                                                    : std::move(*pruned));
  }
  return replaced;
}

llvm::Error PrunePass::pruneOnInputs(ArrayRef<QuantizableLayer> layers) {
  llvm::Expected<CalibrationOptions> options = getCalibrationOptions();
  if (!options)
    return options.takeError();
  llvm::Expected<Calibration> model = Calibration::prepare(layers, *options);
  if (!model)
    return model.takeError();
  return model->walk([&](const GraphWalk::Visit &visit)
                         -> llvm::Expected<std::vector<Tensor>> {
    llvm::Expected<std::vector<Tensor>> replaced =
        pruneVisited(layers, visit, options->inputs);
    if (!replaced)
      return makeError("cannot prune layer '" +
                       layers[visit.layers.front()].name +
                       "': " + llvm::toString(replaced.takeError()));
    return replaced;
  });
}
