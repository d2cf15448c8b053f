//===- Calibration.cpp - layers on their real inputs ----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Calibration.h"
#include "LayerRoles.h"
#include "lowbit/Calibration/GenerateTokens.h"
#include "lowbit/Quantize/ErrorPropagation.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/Diagnostics.h"
#include <cmath>

using namespace mlir;
using namespace lowbit;

/// Tokens that run through the model at once: enough to keep kernels busy.
static constexpr int64_t batchTokens = 2048;
static constexpr int64_t defaultGeneratedSamples = 32;

/// The function that the layers belong to; there must be one.
static llvm::Expected<func::FuncOp>
findFunction(ArrayRef<QuantizableLayer> layers) {
  func::FuncOp function;
  for (const QuantizableLayer &layer : layers) {
    QuantizableOpInterface op = layer.op;
    auto parent = dyn_cast<func::FuncOp>(op->getParentOp());
    if (!parent)
      return makeError("layer '" + layer.name +
                       "' lies in the body of another op, where it cannot be "
                       "calibrated; exclude it");
    if (function && function != parent)
      return makeError("the layers lie in the functions '" +
                       function.getName() + "' and '" + parent.getName() +
                       "'; calibrate one of them at a time");
    function = parent;
  }
  return function;
}

/// The samples that the first process gets, for all.
static llvm::Expected<CalibrationData>
shareSamples(func::FuncOp function, StringRef source,
             llvm::function_ref<llvm::Expected<NamedTensors>()> get) {
  ProcessGroup &group = ProcessGroup::get();
  NamedTensors samples;
  if (group.isFirst()) {
    llvm::Expected<NamedTensors> own = get();
    if (!own)
      return own.takeError();
    samples = std::move(*own);
  }
  group.broadcast(samples, 0);
  return CalibrationData::get(samples, function, source);
}

static llvm::Expected<CalibrationData>
readSharedSamples(func::FuncOp function, const CalibrationOptions &options) {
  return shareSamples(function,
                      "calibration file '" + options.calibration + "'",
                      [&] { return readSamples(options); });
}

static llvm::Expected<CalibrationData>
generateSharedSamples(func::FuncOp function, const CalibrationModel &model,
                      const CalibrationOptions &options) {
  return shareSamples(
      function, "generated tokens", [&]() -> llvm::Expected<NamedTensors> {
        GenerationOptions generation;
        generation.samples =
            options.samples == 0 ? defaultGeneratedSamples : options.samples;
        generation.length = options.length;
        generation.seed = options.seed;
        llvm::Expected<Tensor> tokens = generateTokens(model, generation);
        if (!tokens)
          return tokens.takeError();
        emitRemark(function.getLoc())
            << "no calibration data given: the model generated "
            << tokens->getShape()[0] << " samples of " << tokens->getShape()[1]
            << " tokens (seed " << options.seed << ")";
        return NamedTensors{{"", std::move(*tokens)}};
      });
}

/// Where in a block a layer of this role comes; -1 if it belongs to none.
static int getPlaceInBlock(LayerRole role) {
  switch (role) {
  case LayerRole::AttentionQuery:
  case LayerRole::AttentionKey:
  case LayerRole::AttentionValue:
  case LayerRole::AttentionFused:
    return 0;
  case LayerRole::AttentionOutput:
    return 1;
  case LayerRole::FfnGate:
  case LayerRole::FfnUp:
    return 2;
  case LayerRole::FfnDown:
    return 3;
  case LayerRole::TokenEmbedding:
  case LayerRole::Embedding:
  case LayerRole::Head:
  case LayerRole::Other:
    return -1;
  }
  llvm_unreachable("no such role");
}

/// The blocks of the layers: an attention and the feed-forward layers behind
/// it. What has no place in one is a block of its own.
static SmallVector<unsigned> findBlocks(func::FuncOp function,
                                        ArrayRef<QuantizableLayer> layers) {
  const llvm::DenseMap<Operation *, LayerRole> roles = findLayerRoles(function);
  llvm::DenseMap<Operation *, unsigned> blockOf;
  unsigned block = 0;
  int previous = -1;
  for (Operation &op : function.getBody().front()) {
    auto found = roles.find(&op);
    auto layer = dyn_cast<QuantizableOpInterface>(op);
    if (found == roles.end() && !(layer && layer.isQuantizable()))
      continue;
    const int place = getPlaceInBlock(found == roles.end() ? LayerRole::Other
                                                           : found->second);
    block += place < previous || place < 0 || previous < 0;
    previous = place;
    blockOf[&op] = block;
  }
  return llvm::map_to_vector(layers, [&](const QuantizableLayer &layer) {
    QuantizableOpInterface op = layer.op;
    return blockOf.lookup(op);
  });
}

llvm::Expected<CalibrationData>
lowbit::getCalibrationData(func::FuncOp function,
                           const CalibrationOptions &options) {
  if (llvm::Error error = options.check())
    return std::move(error);
  if (!options.calibration.empty())
    return readSharedSamples(function, options);
  llvm::Expected<std::unique_ptr<CalibrationModel>> model =
      CalibrationModel::create(function, /*layers=*/{}, options.threads);
  if (!model)
    return model.takeError();
  return generateSharedSamples(function, **model, options);
}

llvm::Expected<Calibration>
Calibration::prepare(ArrayRef<QuantizableLayer> layers,
                     const CalibrationOptions &options) {
  if (llvm::Error error = options.check())
    return std::move(error);
  llvm::Expected<func::FuncOp> function = findFunction(layers);
  if (!function)
    return function.takeError();
  llvm::Expected<std::unique_ptr<CalibrationModel>> model =
      CalibrationModel::create(*function, layers, options.threads);
  if (!model)
    return model.takeError();
  llvm::Expected<CalibrationData> data =
      options.calibration.empty()
          ? generateSharedSamples(*function, **model, options)
          : readSharedSamples(*function, options);
  if (!data)
    return data.takeError();
  SmallVector<unsigned> blocks;
  if (options.inputs == InputSource::Block)
    blocks = findBlocks(*function, layers);
  return Calibration(*function, std::move(*data), std::move(*model),
                     options.memoryBudget << 20, std::move(blocks));
}

llvm::Expected<std::vector<GraphWalk::Batch>> Calibration::makeBatches() const {
  return data.makeBatches(batchTokens * data.getNumSamples() /
                          data.getSamples().getNumElements());
}

llvm::Error Calibration::walk(GraphWalk::Visitor visit, bool keepsFloat) {
  llvm::Expected<std::vector<GraphWalk::Batch>> batches = makeBatches();
  if (!batches)
    return batches.takeError();
  if (llvm::Error error = model->specialize(batches->front()))
    return error;
  GraphWalk graph(
      model->getFunction(), model->getLayers(),
      [&](ModuleOp stage) { return model->compile(stage); }, memoryBudget,
      keepsFloat);
  return graph.run(*batches, visit, blocks);
}

llvm::Error Calibration::run(
    llvm::function_ref<llvm::Error(ArrayRef<Tensor> results)> use) {
  llvm::Expected<std::vector<GraphWalk::Batch>> batches = makeBatches();
  if (!batches)
    return batches.takeError();
  llvm::Expected<std::unique_ptr<Session>> session = model->compileModel();
  if (!session)
    return session.takeError();
  for (const GraphWalk::Batch &batch : *batches) {
    llvm::Expected<std::vector<Tensor>> results = (*session)->run(batch);
    if (!results)
      return results.takeError();
    if (llvm::Error error = use(*results))
      return error;
  }
  return llvm::Error::success();
}

static llvm::Error
useInput(llvm::Expected<Tensor> input, int64_t width,
         llvm::function_ref<void(ConstMatrixView rows, int64_t samples)> use) {
  if (!input)
    return input.takeError();
  if (input->getType() != ElementType::F32 || input->getShape().back() != width)
    return makeError("its input is " + input->describe() +
                     " during calibration, but the weight has " +
                     llvm::Twine(width) + " input channels");
  use(ConstMatrixView(input->data<float>(), input->getNumElements() / width,
                      width),
      input->getShape().front());
  return llvm::Error::success();
}

llvm::Error lowbit::forEachInput(
    const GraphWalk::Visit &visit, int64_t width,
    llvm::function_ref<void(ConstMatrixView rows, int64_t samples)> use) {
  for (unsigned batch = 0; batch < visit.numBatches; ++batch)
    if (llvm::Error error = useInput(visit.getInput(batch), width, use))
      return error;
  return llvm::Error::success();
}

llvm::Error lowbit::forEachOwnInput(
    const GraphWalk::Visit &visit, int64_t width, unsigned begin, unsigned end,
    llvm::function_ref<void(ConstMatrixView rows, int64_t samples)> use) {
  for (unsigned batch = begin; batch < end; ++batch)
    if (llvm::Error error = useInput(visit.getOwnInput(batch), width, use))
      return error;
  return llvm::Error::success();
}

namespace {
/// Sums squares by channel, in double precision.
class SquareObserver {
public:
  explicit SquareObserver(int64_t width) : sums(width) {}

  void update(ConstMatrixView rows, int64_t) {
    for (int64_t row = 0; row < rows.getRows(); ++row)
      for (int64_t col = 0; col < rows.getCols(); ++col)
        sums[col] += static_cast<double>(rows(row, col)) * rows(row, col);
    count += rows.getRows();
  }
  void merge(const SquareObserver &other) {
    for (auto [sum, otherSum] : llvm::zip_equal(sums, other.sums))
      sum += otherSum;
    count += other.count;
  }
  SmallVector<MutableArrayRef<char>> getState() {
    return {
        {reinterpret_cast<char *>(&count), sizeof(count)},
        {reinterpret_cast<char *>(sums.data()), sums.size() * sizeof(double)}};
  }
  std::vector<float> getMeans() const {
    std::vector<float> means;
    for (double sum : sums)
      means.push_back(static_cast<float>(sum / count));
    return means;
  }

private:
  int64_t count = 0;
  std::vector<double> sums;
};
} // namespace

llvm::Expected<std::vector<float>>
lowbit::measureMeanSquares(const GraphWalk::Visit &visit, int64_t width) {
  auto squares = observe<SquareObserver>(visit, width,
                                         [&] { return SquareObserver(width); });
  if (!squares)
    return squares.takeError();
  std::vector<float> means = squares->getMeans();
  for (auto [channel, mean] : llvm::enumerate(means))
    if (!std::isfinite(mean))
      return makeError("the inputs of the layer are not finite, or too large: "
                       "channel " +
                       Twine(channel) + " has a mean square of " +
                       std::to_string(mean));
  return means;
}

llvm::Expected<Hessian> lowbit::accumulateHessian(const GraphWalk::Visit &visit,
                                                  int64_t width,
                                                  unsigned threads) {
  auto hessian = observe<HessianAccumulator>(
      visit, width, [&] { return HessianAccumulator(width, threads); });
  if (!hessian)
    return hessian.takeError();
  return std::move(*hessian).finish();
}

llvm::Expected<std::vector<float>> lowbit::accumulateDrift(
    const GraphWalk::Visit &visit, int64_t rows, int64_t width,
    llvm::function_ref<llvm::Expected<Tensor>(unsigned batch)> getFloat,
    llvm::function_ref<llvm::Expected<Tensor>(unsigned batch)> getValue,
    unsigned threads) {
  DriftAccumulator drift(rows, width, threads);
  for (unsigned batch = 0; batch < visit.numBatches; ++batch) {
    llvm::Expected<Tensor> input = visit.getInput(batch);
    if (!input)
      return input.takeError();
    llvm::Expected<Tensor> floats = getFloat(batch);
    if (!floats)
      return floats.takeError();
    llvm::Expected<Tensor> values = getValue(batch);
    if (!values)
      return values.takeError();
    const int64_t tokens = input->getNumElements() / width;
    drift.update(ConstMatrixView(floats->data<float>(), tokens, rows),
                 ConstMatrixView(values->data<float>(), tokens, rows),
                 ConstMatrixView(input->data<float>(), tokens, width),
                 input->getShape().front());
  }
  return std::move(drift).finish();
}

llvm::Expected<GptqFactor>
lowbit::factorizeHessian(const GraphWalk::Visit &visit, int64_t width,
                         const GptqOptions &options) {
  llvm::Expected<Hessian> hessian =
      accumulateHessian(visit, width, options.threads);
  if (!hessian)
    return hessian.takeError();
  return GptqFactor::compute(std::move(*hessian), options);
}
