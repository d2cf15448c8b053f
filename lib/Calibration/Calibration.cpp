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
#include "llvm/ADT/StringSwitch.h"

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

static llvm::Error checkOptions(const CalibrationOptions &options) {
  if (options.samples < 0)
    return makeError("samples is " + Twine(options.samples) +
                     ", but must be positive, or 0 for all");
  if (options.length < 2)
    return makeError("length is " + Twine(options.length) +
                     ", but must be at least 2");
  return llvm::Error::success();
}

static llvm::Expected<CalibrationData>
generate(func::FuncOp function, const CalibrationModel &model,
         const CalibrationOptions &options) {
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
  return CalibrationData::get(*tokens, function, "generated tokens");
}

llvm::Expected<InputSource> lowbit::parseInputSource(llvm::StringRef text) {
  std::optional<InputSource> source =
      llvm::StringSwitch<std::optional<InputSource>>(text)
          .Case("layer", InputSource::Layer)
          .Case("block", InputSource::Block)
          .Case("float", InputSource::Float)
          .Default(std::nullopt);
  if (!source)
    return makeError("inputs is '" + text +
                     "', but must be layer, block or float");
  return *source;
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
  if (llvm::Error error = checkOptions(options))
    return std::move(error);
  if (!options.calibration.empty())
    return CalibrationData::read(options.calibration, function,
                                 options.samples);
  llvm::Expected<std::unique_ptr<CalibrationModel>> model =
      CalibrationModel::create(function, /*layers=*/{}, options.threads);
  if (!model)
    return model.takeError();
  return generate(function, **model, options);
}

llvm::Expected<Calibration>
Calibration::prepare(ArrayRef<QuantizableLayer> layers,
                     const CalibrationOptions &options) {
  if (llvm::Error error = checkOptions(options))
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
          ? generate(*function, **model, options)
          : CalibrationData::read(options.calibration, *function,
                                  options.samples);
  if (!data)
    return data.takeError();
  SmallVector<unsigned> blocks;
  if (options.inputs == InputSource::Block)
    blocks = findBlocks(*function, layers);
  return Calibration(*function, std::move(*data), std::move(*model),
                     options.memoryBudget << 20, std::move(blocks));
}

llvm::Expected<std::vector<GraphWalk::Batch>> Calibration::makeBatches() const {
  const int64_t numSamples = data.getNumSamples();
  int64_t batchSize = std::clamp<int64_t>(
      batchTokens * numSamples / data.getSamples().getNumElements(), 1,
      numSamples);
  while (numSamples % batchSize != 0)
    --batchSize;
  return data.makeBatches(batchSize);
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

llvm::Error lowbit::forEachInput(
    const GraphWalk::Visit &visit, int64_t width,
    llvm::function_ref<void(ConstMatrixView rows, int64_t samples)> use) {
  for (unsigned batch = 0; batch < visit.numBatches; ++batch) {
    llvm::Expected<Tensor> input = visit.getInput(batch);
    if (!input)
      return input.takeError();
    if (input->getType() != ElementType::F32 ||
        input->getShape().back() != width)
      return makeError("its input is " + input->describe() +
                       " during calibration, but the weight has " +
                       llvm::Twine(width) + " input channels");
    use(ConstMatrixView(input->data<float>(), input->getNumElements() / width,
                        width),
        input->getShape().front());
  }
  return llvm::Error::success();
}

llvm::Expected<std::vector<float>>
lowbit::measureMeanSquares(const GraphWalk::Visit &visit, int64_t width) {
  std::vector<double> sums(width);
  int64_t count = 0;
  llvm::Error error =
      forEachInput(visit, width, [&](ConstMatrixView rows, int64_t) {
        for (int64_t row = 0; row < rows.getRows(); ++row)
          for (int64_t col = 0; col < width; ++col)
            sums[col] += static_cast<double>(rows(row, col)) * rows(row, col);
        count += rows.getRows();
      });
  if (error)
    return std::move(error);
  std::vector<float> means(width);
  for (auto [mean, sum] : llvm::zip_equal(means, sums))
    mean = static_cast<float>(sum / count);
  return means;
}

llvm::Expected<Hessian> lowbit::accumulateHessian(const GraphWalk::Visit &visit,
                                                  int64_t width,
                                                  unsigned threads) {
  HessianAccumulator hessian(width, threads);
  llvm::Error error =
      forEachInput(visit, width, [&](ConstMatrixView rows, int64_t samples) {
        hessian.update(rows, samples);
      });
  if (error)
    return std::move(error);
  return std::move(hessian).finish();
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
