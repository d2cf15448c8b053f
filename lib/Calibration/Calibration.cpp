//===- Calibration.cpp - layers on their real inputs ----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Calibration.h"
#include "lowbit/Calibration/GenerateTokens.h"
#include "lowbit/Quantize/ErrorPropagation.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/Diagnostics.h"

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

static llvm::Expected<CalibrationData>
readOrGenerate(func::FuncOp function, const CalibrationModel &model,
               const CalibrationOptions &options) {
  if (!options.calibration.empty())
    return CalibrationData::read(options.calibration, function,
                                 options.samples);
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

llvm::Expected<Calibration>
Calibration::prepare(ArrayRef<QuantizableLayer> layers,
                     const CalibrationOptions &options) {
  if (options.samples < 0)
    return makeError("samples is " + Twine(options.samples) +
                     ", but must be positive, or 0 for all");
  if (options.length < 2)
    return makeError("length is " + Twine(options.length) +
                     ", but must be at least 2");
  llvm::Expected<func::FuncOp> function = findFunction(layers);
  if (!function)
    return function.takeError();
  llvm::Expected<std::unique_ptr<CalibrationModel>> model =
      CalibrationModel::create(*function, layers, options.threads);
  if (!model)
    return model.takeError();
  llvm::Expected<CalibrationData> data =
      readOrGenerate(*function, **model, options);
  if (!data)
    return data.takeError();
  return Calibration(*function, std::move(*data), std::move(*model),
                     options.memoryBudget << 20);
}

llvm::Error Calibration::walk(GraphWalk::Visitor visit, bool keepsFloat) {
  const int64_t numSamples = data.getNumSamples();
  int64_t batchSize = std::clamp<int64_t>(
      batchTokens * numSamples / data.getSamples().getNumElements(), 1,
      numSamples);
  while (numSamples % batchSize != 0)
    --batchSize;
  llvm::Expected<std::vector<GraphWalk::Batch>> batches =
      data.makeBatches(batchSize);
  if (!batches)
    return batches.takeError();
  if (llvm::Error error = model->specialize(batches->front()))
    return error;
  GraphWalk graph(
      model->getFunction(), model->getLayers(),
      [&](ModuleOp stage) { return model->compile(stage); }, memoryBudget,
      keepsFloat);
  return graph.run(*batches, visit);
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
