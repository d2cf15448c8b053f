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
#include "lowbit/Quantize/Pruning.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/MapVector.h"
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
  llvm::Error replace(ArrayRef<QuantizableLayer> layers,
                      const LayerWeight &weight,
                      llvm::function_ref<void(VisitElement)> forEachPruned);
  int64_t getCount(int64_t elements) const {
    return static_cast<int64_t>(sparsity * static_cast<double>(elements));
  }

  std::optional<SparsityPattern> blocks;
};
} // namespace

llvm::Error PrunePass::checkOptions() {
  if (method != "magnitude")
    return makeError("method is '" + method + "', but must be magnitude");
  if (scope != "layer" && scope != "global")
    return makeError("scope is '" + scope + "', but must be layer or global");
  if (!(sparsity >= 0 && sparsity <= 1))
    return makeError("sparsity is " + std::to_string(sparsity) +
                     ", but must lie in [0, 1]");
  if (pattern.empty())
    return llvm::Error::success();
  if (sparsity.hasValue() || scope != "layer")
    return makeError("the pattern " + pattern +
                     " says how many weights stay; it cannot be combined with "
                     "sparsity or scope=global");
  llvm::Expected<SparsityPattern> parsed = SparsityPattern::parse(pattern);
  if (!parsed)
    return parsed.takeError();
  blocks = *parsed;
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
  return pruneAll(weights);
}

llvm::Error PrunePass::pruneAll(const Weights &weights) {
  std::optional<LeastMagnitudes> least;
  if (scope == "global") {
    int64_t elements = 0;
    for (const auto &[value, layers] : weights)
      elements += cast<RankedTensorType>(value.getType()).getNumElements();
    least.emplace(getCount(elements), [&](LeastMagnitudes::VisitMatrix visit) {
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
    if (scope == "layer" && !blocks)
      least.emplace(getCount(matrix.size()),
                    [&](LeastMagnitudes::VisitMatrix visit) { visit(matrix); });
    if (llvm::Error error = replace(layers, weight, [&](VisitElement visit) {
          if (blocks)
            forEachOutside(*blocks, matrix, visit);
          else
            least->forEachIn(matrix, visit);
        }))
      return error;
    weight.release();
    if (Operation *constant = value.getDefiningOp(); value.use_empty())
      constant->erase();
    ++numWeights;
  }
  return llvm::Error::success();
}

/// Gives the layers a copy of their weight with zeros in some places.
llvm::Error
PrunePass::replace(ArrayRef<QuantizableLayer> layers, const LayerWeight &weight,
                   llvm::function_ref<void(VisitElement)> forEachPruned) {
  QuantizableLayer first = layers.front();
  const ConstMatrixView matrix = weight.getMatrix();
  const size_t size = llvm::divideCeil(weight.getElementType().getWidth(), 8u);
  std::vector<char> bytes(weight.getBytes());
  forEachPruned([&](int64_t row, int64_t col) {
    const int64_t place =
        row * matrix.getRowStride() + col * matrix.getColStride();
    std::memset(&bytes[place * size], 0, size);
  });
  Value value = first.op.getQuantizableWeight().get();
  llvm::Expected<TypedAttr> stored = storeConstant(
      first.name + ".pruned", cast<RankedTensorType>(value.getType()), bytes);
  if (!stored)
    return stored.takeError();
  OpBuilder builder(value.getDefiningOp());
  Value pruned = onnx::ConstantOp::create(builder, value.getLoc(), *stored);
  for (QuantizableLayer layer : layers)
    layer.op.getQuantizableWeight().set(pruned);
  return llvm::Error::success();
}
