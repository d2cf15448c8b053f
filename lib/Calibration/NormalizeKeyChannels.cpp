//===- NormalizeKeyChannels.cpp - channels of keys in one range -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Calibration.h"
#include "LayerPass.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/NodeName.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <cmath>

namespace lowbit {
#define GEN_PASS_DEF_NORMALIZEKEYCHANNELS
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
/// Attention with a cache of keys, and what was seen of these.
struct KeyCache {
  onnx::AttentionOp op;
  /// Which result of the function the present keys are.
  unsigned result;
  int64_t heads, size;
  /// Of each channel, head by head.
  std::vector<float> least, greatest;

  llvm::Error observe(const Tensor &keys);
};

struct NormalizeKeyChannelsPass final
    : LayerPass<
          lowbit::impl::NormalizeKeyChannelsBase<NormalizeKeyChannelsPass>> {
  using LayerPass::LayerPass;

  llvm::Error runOnLayers() override;
};
} // namespace

/// The caches of keys whose channels are known.
static std::vector<KeyCache> findCaches(func::FuncOp function) {
  std::vector<KeyCache> caches;
  auto terminator = cast<func::ReturnOp>(function.front().getTerminator());
  function.walk([&](onnx::AttentionOp op) {
    auto query = dyn_cast<RankedTensorType>(op.getQ().getType());
    auto key = dyn_cast<RankedTensorType>(op.getK().getType());
    if (!isa<BlockArgument>(op.getPastKey()) || !query || !key ||
        query.getRank() != 4 || key.getRank() != 4 ||
        !key.getElementType().isF32() || key.isDynamicDim(1) ||
        key.isDynamicDim(3) || query.isDynamicDim(1) ||
        !isa<NoneType>(op.getQkMatmulOutput().getType()))
      return;
    for (OpOperand &use : op.getPresentKey().getUses())
      if (use.getOwner() == terminator) {
        const int64_t channels = key.getDimSize(1) * key.getDimSize(3);
        caches.push_back({op, use.getOperandNumber(), key.getDimSize(1),
                          key.getDimSize(3),
                          std::vector<float>(channels, INFINITY),
                          std::vector<float>(channels, -INFINITY)});
        return;
      }
  });
  return caches;
}

/// Takes in present keys, [batch, heads, rows, size].
llvm::Error KeyCache::observe(const Tensor &keys) {
  const int64_t rows = keys.getShape()[2];
  const auto *values = keys.data<float>();
  for (int64_t i = 0, e = keys.getNumElements(); i < e; ++i) {
    if (!std::isfinite(values[i]))
      return makeError("the keys of '" + getNodeName(op.getLoc()) +
                       "' are not finite on the calibration data");
    const int64_t head = i / (size * rows) % heads;
    const int64_t channel = head * size + i % size;
    least[channel] = std::min(least[channel], values[i]);
    greatest[channel] = std::max(greatest[channel], values[i]);
  }
  return llvm::Error::success();
}

/// `values` for [heads, 1, size], each head `repeated` times.
static Value makeChannels(ImplicitLocOpBuilder &b, ArrayRef<float> values,
                          int64_t heads, int64_t size, int64_t repeated) {
  SmallVector<float> all;
  for (int64_t head = 0; head < heads; ++head)
    for (int64_t i = 0; i < repeated; ++i)
      llvm::append_range(all, values.slice(head * size, size));
  auto type =
      RankedTensorType::get({heads * repeated, 1, size}, b.getF32Type());
  return onnx::ConstantOp::create(
      b, TypedAttr(DenseElementsAttr::get(type, ArrayRef<float>(all))));
}

/// Changes what the attention reads.
static void normalize(const KeyCache &cache) {
  onnx::AttentionOp op = cache.op;
  std::vector<float> middle, half, inverse;
  for (auto [lo, hi] : llvm::zip_equal(cache.least, cache.greatest)) {
    // A cap makes scores depend on what all keys share.
    middle.push_back(op.getSoftcap() == 0 ? lo / 2 + hi / 2 : 0);
    const float reach = std::max(hi - middle.back(), middle.back() - lo);
    half.push_back(reach >= std::numeric_limits<float>::min() ? reach : 1);
    inverse.push_back(1 / half.back());
  }
  ImplicitLocOpBuilder b(op.getLoc(), op);
  const int64_t queryHeads =
      cast<RankedTensorType>(op.getQ().getType()).getDimSize(1);
  auto forKeys = [&](ArrayRef<float> values) {
    return makeChannels(b, values, cache.heads, cache.size, /*repeated=*/1);
  };
  Value key = op.getK(), query = op.getQ();
  if (llvm::any_of(middle, [](float value) { return value != 0; }))
    key = onnx::SubOp::create(b, key.getType(), key, forKeys(middle));
  key = onnx::MulOp::create(b, key.getType(), key, forKeys(inverse));
  query = onnx::MulOp::create(
      b, query.getType(), query,
      makeChannels(b, half, cache.heads, cache.size, queryHeads / cache.heads));
  op.getKMutable().assign(key);
  op.getQMutable().assign(query);
}

llvm::Error NormalizeKeyChannelsPass::runOnLayers() {
  SmallVector<QuantizableLayer> layers = findLayers(getOperation());
  std::vector<KeyCache> caches;
  for (auto function : getOperation().getOps<func::FuncOp>())
    if (!function.isExternal() && function.getBody().hasOneBlock())
      llvm::append_range(caches, findCaches(function));
  if (caches.empty())
    return makeError("there is no attention with past keys in an argument and "
                     "present ones in a result, as exporters write decoders "
                     "with a KV cache");
  llvm::Expected<Calibration> model = prepareCalibration(layers);
  if (!model)
    return model.takeError();
  llvm::Error error = model->run([&](ArrayRef<Tensor> results) -> llvm::Error {
    for (KeyCache &cache : caches)
      if (llvm::Error error = cache.observe(results[cache.result]))
        return error;
    return llvm::Error::success();
  });
  if (error)
    return error;
  for (const KeyCache &cache : caches)
    normalize(cache);
  numCaches += caches.size();
  return llvm::Error::success();
}
