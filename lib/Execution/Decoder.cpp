//===- Decoder.cpp - a language model, token after token ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/Decoder.h"
#include "lowbit/Support/OutputFile.h"

using namespace lowbit;
using llvm::Twine;

/// Caches begin with room for so many tokens, and double.
static constexpr int64_t firstCapacity = 64;
static constexpr int64_t rowAxis = 2;

/// The rows of each head of `from`, at the beginning of those of `to`, which
/// may have more.
static void copyRows(const Tensor &from, const Tensor &to) {
  llvm::ArrayRef<int64_t> shape = from.getShape();
  uint64_t rowBytes = shape[3] * getByteSize(from.getType());
  uint64_t fromBytes = shape[rowAxis] * rowBytes;
  uint64_t toBytes = to.getShape()[rowAxis] * rowBytes;
  for (int64_t head = 0, e = shape[0] * shape[1]; head < e; ++head)
    std::copy_n(from.getBytes() + head * fromBytes, fromBytes,
                to.getBytes() + head * toBytes);
}

Decoder::Decoder(const Session &session, LanguageModel model)
    : session(&session), model(std::move(model)) {}

llvm::Expected<Decoder> Decoder::get(const Session &session) {
  const Signature &signature = session.getSignature();
  llvm::Expected<LanguageModel> model = LanguageModel::get(signature);
  if (!model)
    return model.takeError();
  if (model->getBatch() > 1)
    return makeError("the model takes " + Twine(model->getBatch()) +
                     " sequences at once; tokens are generated for one");
  Decoder decoder(session, *model);
  size_t output = 0;
  for (auto [input, spec] : llvm::enumerate(signature.inputs)) {
    if (!LanguageModel::isCache(spec))
      continue;
    Cache cache = {input, std::nullopt, model->makeCache(spec, 1, 0)};
    if (!spec.isUpdated) {
      // Past and present stand in one order.
      while (output < signature.outputs.size() &&
             signature.outputs[output].dims.size() != 4)
        ++output;
      if (output == signature.outputs.size())
        return makeError("no output of the model is what '" + spec.name +
                         "' is in the next step");
      cache.output = output++;
    }
    decoder.caches.push_back(std::move(cache));
  }
  return decoder;
}

void Decoder::reserve(int64_t rows) {
  if (rows <= capacity)
    return;
  capacity = std::max(capacity, firstCapacity);
  while (capacity < rows)
    capacity *= 2;
  for (Cache &cache : caches) {
    if (cache.output)
      continue;
    Tensor larger = model.makeCache(session->getSignature().inputs[cache.input],
                                    1, capacity);
    copyRows(cache.rows, larger);
    cache.rows = std::move(larger);
  }
}

llvm::Expected<std::vector<float>>
Decoder::feed(llvm::ArrayRef<int64_t> tokens) {
  int64_t past = caches.empty() ? 0 : seen.size();
  llvm::append_range(seen, tokens);
  llvm::ArrayRef<int64_t> added = llvm::ArrayRef(seen).drop_front(past);
  bool updates = llvm::any_of(
      caches, [](const Cache &cache) { return !cache.output.has_value(); });
  if (updates)
    reserve(seen.size());
  std::vector<Tensor> inputs = model.makeInputs(added, added.size(), past);
  for (const Cache &cache : caches)
    inputs[cache.input] = cache.rows;
  llvm::Expected<std::vector<Tensor>> outputs = session->run(inputs);
  if (!outputs)
    return outputs.takeError();
  for (Cache &cache : caches)
    if (cache.output)
      cache.rows = (*outputs)[*cache.output];
  const Tensor &logits = (*outputs)[model.getLogitsIndex()];
  int64_t vocabulary = logits.getShape()[2];
  int64_t rows = logits.getShape()[1];
  if (rows == 0 || vocabulary == 0)
    return makeError("the model returned logits " + logits.describe());
  return logits.values<float>()
      .slice((rows - 1) * vocabulary, vocabulary)
      .vec();
}

llvm::Expected<std::vector<int64_t>>
lowbit::generate(const Session &session, llvm::ArrayRef<int64_t> prompt,
                 int64_t count) {
  llvm::Expected<Decoder> decoder = Decoder::get(session);
  if (!decoder)
    return decoder.takeError();
  int64_t vocabulary = decoder->getVocabulary();
  for (int64_t token : prompt)
    if (token < 0 || (vocabulary >= 0 && token >= vocabulary))
      return makeError("the prompt has the token " + Twine(token) +
                       ", outside of the model's vocabulary" +
                       (vocabulary >= 0 ? " of " + Twine(vocabulary) : ""));
  std::vector<int64_t> tokens;
  while (int64_t(tokens.size()) < count) {
    auto logits =
        decoder->feed(tokens.empty() ? prompt : llvm::ArrayRef(tokens.back()));
    if (!logits)
      return logits.takeError();
    tokens.push_back(llvm::max_element(*logits) - logits->begin());
  }
  return tokens;
}
