//===- GenerateTokens.cpp - calibration data that a model makes -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Calibration/GenerateTokens.h"
#include "lowbit/Calibration/CalibrationData.h"
#include "lowbit/Support/OutputFile.h"
#include <algorithm>
#include <cmath>
#include <random>

using namespace mlir;
using namespace lowbit;

/// Positions for which the likeliest token is taken, so that a window settles
/// on something the model knows.
static constexpr int64_t numGreedyTokens = 4;

/// How many positions the model's tables of position embeddings have.
static int64_t getMaxLength(func::FuncOp function, int64_t vocabulary) {
  int64_t length = std::numeric_limits<int64_t>::max();
  function.walk([&](QuantizableOpInterface op) {
    if (!op.isQuantizable() ||
        op.getQuantizableKind() != QuantizableKind::Embedding)
      return;
    int64_t rows = cast<ShapedType>(op.getQuantizableWeight().get().getType())
                       .getDimSize(op.getOutputChannelAxis());
    if (rows != vocabulary)
      length = std::min(length, rows);
  });
  return length;
}

/// Draws from softmax(logits), or takes the maximum.
static int64_t chooseToken(ArrayRef<float> logits, bool greedy, double draw) {
  const float *largest = llvm::max_element(logits);
  if (greedy)
    return largest - logits.begin();
  double sum = 0;
  for (float logit : logits)
    sum += std::exp(double(logit) - *largest);
  double rest = draw * sum;
  for (auto [token, logit] : llvm::enumerate(logits)) {
    rest -= std::exp(double(logit) - *largest);
    if (rest < 0)
      return token;
  }
  return largest - logits.begin();
}

llvm::Expected<Tensor>
lowbit::generateTokens(const CalibrationModel &model,
                       const GenerationOptions &options) {
  func::FuncOp function = model.getFunction();
  std::optional<int64_t> vocabulary = getVocabularySize(function);
  if (!vocabulary)
    return makeError(
        "calibration data can be made up for language models only; "
        "name a file with calibration=");
  llvm::Expected<std::unique_ptr<Session>> session = model.compileModel();
  if (!session)
    return session.takeError();

  const int64_t samples = options.samples;
  const int64_t length =
      std::min(options.length, getMaxLength(function, *vocabulary));
  // The standard fixes the sequence of this generator, but not those of the
  // distributions.
  std::mt19937_64 generator(options.seed);
  auto draw = [&] { return (generator() >> 11) * 0x1p-53; };
  Tensor tokens(ElementType::I64, {samples, length});
  for (int64_t sample = 0; sample < samples; ++sample)
    tokens.data<int64_t>()[sample * length] =
        static_cast<int64_t>(draw() * *vocabulary);

  for (int64_t known = 1; known < length; ++known) {
    Tensor prefix(ElementType::I64, {samples, known});
    for (int64_t sample = 0; sample < samples; ++sample)
      std::copy_n(tokens.data<int64_t>() + sample * length, known,
                  prefix.data<int64_t>() + sample * known);
    llvm::Expected<CalibrationData> data =
        CalibrationData::get({{"", prefix}}, function, "generated tokens");
    if (!data)
      return data.takeError();
    llvm::Expected<std::vector<std::vector<Tensor>>> batches =
        data->makeBatches(samples);
    if (!batches)
      return batches.takeError();
    // More than one if the model takes a fixed number of samples at once.
    const int64_t size = samples / static_cast<int64_t>(batches->size());
    for (auto [number, batch] : llvm::enumerate(*batches)) {
      llvm::Expected<std::vector<Tensor>> outputs = (*session)->run(batch);
      if (!outputs)
        return outputs.takeError();
      const Tensor &logits = outputs->front();
      if (logits.getType() != ElementType::F32 || logits.getRank() != 3 ||
          logits.getShape()[0] != size || logits.getShape()[1] != known)
        return makeError("the first output of the model is " +
                         logits.describe() +
                         ", which are no logits to generate calibration data "
                         "from; name a file with calibration=");
      const int64_t width = logits.getShape()[2];
      for (int64_t sample = 0; sample < size; ++sample) {
        ArrayRef<float> last(logits.data<float>() +
                                 ((sample + 1) * known - 1) * width,
                             std::min(width, *vocabulary));
        tokens.data<int64_t>()[(number * size + sample) * length + known] =
            chooseToken(last, known <= numGreedyTokens, draw());
      }
    }
  }
  return tokens;
}
