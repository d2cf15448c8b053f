//===- DataFreeSmooth.cpp - even channels without data --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Onnx/Transforms/Pipelines.h"
#include "lowbit/Quantize/SmoothQuant.h"
#include "lowbit/Transforms/ChannelFolding.h"
#include "lowbit/Transforms/Passes.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Pass/PassManager.h"
#include <cmath>

namespace lowbit {
#define GEN_PASS_DEF_DATAFREESMOOTH
#include "lowbit/Transforms/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

/// Chains of layers equalize in rounds, as each pair changes its neighbours.
static constexpr int maxRounds = 20;
static constexpr float tolerance = 1e-6f;

/// The factors of SmoothQuant, for activations of the estimated magnitude.
static llvm::Expected<std::vector<float>>
estimateScales(const Norm &norm, const FoldSite &site, double alpha,
               double deviations, ModelEdits &edits) {
  llvm::Expected<ModelEdits::Values> scale = edits.read(*norm.scale);
  if (!scale)
    return scale.takeError();
  std::vector<float> bias(site.channels);
  if (norm.bias) {
    llvm::Expected<ModelEdits::Values> values = edits.read(*norm.bias);
    if (!values)
      return values.takeError();
    bias = values->storage;
  }
  llvm::Expected<std::vector<float>> weights = getReaderRanges(site, edits);
  if (!weights)
    return weights.takeError();
  std::vector<float> activations(site.channels);
  for (int64_t i = 0; i < site.channels; ++i)
    activations[i] = static_cast<float>(
        std::abs(bias[i]) + deviations * std::abs(scale->storage[i]));
  return lowbit::getSmoothScales(activations, *weights, alpha);
}

/// The factors that make the ranges of both sides equal. A channel that nothing
/// writes or nothing reads keeps its weights.
static llvm::Expected<std::vector<float>>
getEqualizingScales(const FoldSite &site, ModelEdits &edits) {
  llvm::Expected<ModelEdits::Values> weight = edits.read(site.layer);
  if (!weight)
    return weight.takeError();
  const MatrixView matrix = weight->matrix;
  const std::vector<float> written = getColumnRanges(
      MatrixView(matrix.getData(), matrix.getCols(), matrix.getRows(),
                 matrix.getColStride(), matrix.getRowStride()));
  llvm::Expected<std::vector<float>> read = getReaderRanges(site, edits);
  if (!read)
    return read.takeError();
  std::vector<float> scales(site.channels, 1);
  for (int64_t i = 0; i < site.channels; ++i)
    if (written[i] > 0 && (*read)[i] > 0)
      scales[i] = std::sqrt(written[i] / (*read)[i]);
  return scales;
}

namespace {
struct DataFreeSmoothPass final
    : lowbit::impl::DataFreeSmoothBase<DataFreeSmoothPass> {
  using DataFreeSmoothBase::DataFreeSmoothBase;

  LogicalResult initialize(MLIRContext *context) override {
    if (!(alpha >= 0 && alpha <= 1))
      return emitError(UnknownLoc::get(context))
             << "data-free-smooth: alpha is " << alpha
             << ", but must be from 0 to 1";
    if (!(deviations > 0))
      return emitError(UnknownLoc::get(context))
             << "data-free-smooth: deviations is " << deviations
             << ", but must be positive";
    return success();
  }
  void runOnOperation() override;

private:
  /// The number of sites, or an error.
  llvm::Expected<unsigned> smoothNorms(FunctionOpInterface function,
                                       ModelEdits &edits);
  llvm::Expected<unsigned> equalizePairs(FunctionOpInterface function,
                                         ModelEdits &edits);
  llvm::Error run(FunctionOpInterface function);

  bool isSmoothed;
};
} // namespace

llvm::Expected<unsigned>
DataFreeSmoothPass::smoothNorms(FunctionOpInterface function,
                                ModelEdits &edits) {
  unsigned count = 0;
  SmallVector<Norm> norms;
  function.walk([&](Operation *op) {
    if (std::optional<Norm> norm = matchNorm(op))
      norms.push_back(*norm);
  });
  for (const Norm &norm : norms) {
    llvm::Expected<FoldSite> site =
        findFoldSite(norm.op, ChannelChange::ScalePositive);
    if (!site) {
      emitRemark(norm.op->getLoc())
          << describe(norm.op)
          << " is not smoothed: " << llvm::toString(site.takeError());
      continue;
    }
    llvm::Expected<std::vector<float>> scales =
        estimateScales(norm, *site, alpha, deviations, edits);
    if (!scales)
      return scales.takeError();
    foldScales(*site, *scales, edits);
    ++count;
  }
  return count;
}

llvm::Expected<unsigned>
DataFreeSmoothPass::equalizePairs(FunctionOpInterface function,
                                  ModelEdits &edits) {
  SmallVector<FoldSite> sites;
  llvm::DenseSet<Operation *> producers;
  function.walk([&](QuantizableOpInterface layer) {
    llvm::Expected<FoldSite> site =
        findFoldSite(layer, ChannelChange::ScalePositive);
    // Most layers are no pair with others, which is nothing to tell.
    if (!site)
      return llvm::consumeError(site.takeError());
    producers.insert(layer);
    sites.push_back(std::move(*site));
  });
  const bool isChained = llvm::any_of(sites, [&](const FoldSite &site) {
    return llvm::any_of(site.consumers,
                        [&](const FoldSite::Consumer &consumer) {
                          return producers.contains(consumer.layer);
                        });
  });
  for (int round = 0; round < (isChained ? maxRounds : 1); ++round) {
    float change = 0;
    for (const FoldSite &site : sites) {
      llvm::Expected<std::vector<float>> scales =
          getEqualizingScales(site, edits);
      if (!scales)
        return scales.takeError();
      for (float scale : *scales)
        change = std::max(change, std::abs(scale - 1));
      foldScales(site, *scales, edits);
    }
    if (change < tolerance)
      break;
  }
  return sites.size();
}

llvm::Error DataFreeSmoothPass::run(FunctionOpInterface function) {
  ModelEdits edits("smoothed");
  llvm::Expected<unsigned> norms = smoothNorms(function, edits);
  if (!norms)
    return norms.takeError();
  llvm::Expected<unsigned> pairs = 0;
  if (equalize)
    pairs = equalizePairs(function, edits);
  if (!pairs)
    return pairs.takeError();
  numNorms += *norms;
  numPairs += *pairs;
  isSmoothed |= *norms + *pairs != 0;
  return edits.commit();
}

void DataFreeSmoothPass::runOnOperation() {
  // Only a normalized graph shows its norms and layers.
  OpPassManager normalize(ModuleOp::getOperationName());
  onnx::buildNormalizePipeline(normalize);
  if (failed(runPipeline(normalize, getOperation())))
    return signalPassFailure();
  isSmoothed = false;
  for (auto function : getOperation().getOps<FunctionOpInterface>())
    if (llvm::Error error = run(function)) {
      emitError(function.getLoc())
          << "cannot smooth: " << llvm::toString(std::move(error));
      return signalPassFailure();
    }
  if (!isSmoothed)
    emitWarning(getOperation().getLoc())
        << "there are no channels to smooth: no norm or layer is read by "
           "linear "
           "layers alone";
}
