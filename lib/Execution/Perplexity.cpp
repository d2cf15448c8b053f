//===- Perplexity.cpp - how well a model predicts a text ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/Perplexity.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

using namespace lowbit;
using llvm::StringRef;
using llvm::Twine;

/// log of the sum of exp(logit): what is taken away from a logit to have the
/// logarithm of its probability.
static double getLogSum(llvm::ArrayRef<float> logits) {
  double largest = *llvm::max_element(logits);
  double sum = 0;
  for (float logit : logits)
    sum += std::exp(double(logit) - largest);
  return largest + std::log(sum);
}

/// KL(softmax(logits) || softmax(others)).
static double getKl(llvm::ArrayRef<float> logits, double logSum,
                    llvm::ArrayRef<float> others, double otherLogSum) {
  double kl = 0;
  for (auto [logit, other] : llvm::zip_equal(logits, others)) {
    const double log = double(logit) - logSum;
    const double probability = std::exp(log);
    // What never happens contributes nothing, however unlikely the other model
    // finds it.
    if (probability > 0)
      kl += probability * (log - (double(other) - otherLogSum));
  }
  // It is not negative, but sums of rounded numbers are.
  return std::max(kl, 0.0);
}

double lowbit::measureKl(llvm::ArrayRef<float> logits,
                         llvm::ArrayRef<float> others) {
  return getKl(logits, getLogSum(logits), others, getLogSum(others));
}

static llvm::Error checkTokens(const TokenWindows &windows, int64_t vocabulary,
                               StringRef path) {
  for (auto [index, token] : llvm::enumerate(windows.tokens))
    if (token < 0 || (vocabulary >= 0 && token >= vocabulary))
      return makeError(
          "'" + path + "' has the token " + Twine(token) + " at [" +
          Twine(index / windows.length) + ", " + Twine(index % windows.length) +
          "], outside of the model's vocabulary" +
          (vocabulary >= 0 ? " of " + Twine(vocabulary) : Twine("")));
  return llvm::Error::success();
}

/// Enough tokens in one run to keep all threads busy, few enough for their
/// logits to stay small.
static constexpr int64_t tokensPerRun = 1024;

namespace {
/// A model that reads windows of tokens.
class Reader {
public:
  static llvm::Expected<Reader>
  get(const Session &session, const TokenWindows &windows, StringRef path);

  /// How many windows the model reads at once; -1 for any number.
  int64_t getBatch() const { return model.getBatch(); }

  /// Logits [count, length - 1, vocabulary] for all but the last column.
  llvm::Expected<Tensor> read(int64_t first, int64_t count) const;

private:
  Reader(const Session &session, const TokenWindows &windows, StringRef path,
         LanguageModel model)
      : session(&session), windows(&windows), path(path), model(model) {}

  const Session *session;
  const TokenWindows *windows;
  StringRef path;
  LanguageModel model;
};
} // namespace

llvm::Expected<Reader> Reader::get(const Session &session,
                                   const TokenWindows &windows,
                                   StringRef path) {
  llvm::Expected<LanguageModel> model =
      LanguageModel::get(session.getSignature());
  if (!model)
    return model.takeError();
  if (llvm::Error error = checkTokens(windows, model->getVocabulary(), path))
    return std::move(error);
  if (model->getBatch() >= 0 && windows.count() % model->getBatch() != 0)
    return makeError("'" + path + "' has " + Twine(windows.count()) +
                     " windows, no multiple of the model's batch of " +
                     Twine(model->getBatch()));
  return Reader(session, windows, path, *model);
}

llvm::Expected<Tensor> Reader::read(int64_t first, int64_t count) const {
  const int64_t length = windows->length - 1;
  std::vector<int64_t> tokens;
  for (int64_t i = 0; i < count; ++i)
    llvm::append_range(tokens, windows->getWindow(first + i).drop_back());
  auto outputs = session->run(model.makeInputs(tokens, length));
  if (!outputs)
    return outputs.takeError();
  Tensor logits = (*outputs)[model.getLogitsIndex()];
  if (logits.getShape()[0] != count || logits.getShape()[1] != length)
    return makeError("the model returned logits " + logits.describe() +
                     " for " + Twine(count) + " windows of " + Twine(length) +
                     " tokens");
  // The signature need not have told the vocabulary.
  if (llvm::Error error = checkTokens(*windows, logits.getShape()[2], path))
    return std::move(error);
  return logits;
}

/// Calls `visit` with each target and its place among the logits of a run.
static void
forEachTarget(const TokenWindows &windows, int64_t first, int64_t count,
              llvm::function_ref<void(int64_t target, int64_t row)> visit) {
  const int64_t length = windows.length - 1;
  for (int64_t i = 0; i < count; ++i)
    for (int64_t t = 0; t < length; ++t)
      visit(windows.getWindow(first + i)[t + 1], i * length + t);
}

static llvm::ArrayRef<float> getRow(const Tensor &logits, int64_t row) {
  const int64_t vocabulary = logits.getShape()[2];
  return logits.values<float>().slice(row * vocabulary, vocabulary);
}

static Perplexity makePerplexity(double loss, const TokenWindows &windows) {
  const int64_t targets = windows.count() * (windows.length - 1);
  return {std::exp(loss / double(targets)), targets, windows.count()};
}

/// How many windows one run reads, if models read `fixed` ones (-1 for any
/// number) and the user wants so many. Sums run over targets one by one, so it
/// matters to models alone whose rows depend on each other.
static llvm::Expected<int64_t> chooseBatch(const TokenWindows &windows,
                                           std::optional<int64_t> wanted,
                                           llvm::ArrayRef<int64_t> fixed) {
  std::optional<int64_t> batch = wanted;
  for (int64_t count : fixed) {
    if (count < 0)
      continue;
    if (batch && *batch != count)
      return makeError("a model reads " + Twine(count) +
                       " windows at once, and not " + Twine(*batch));
    batch = count;
  }
  return batch.value_or(
      std::max<int64_t>(1, tokensPerRun / (windows.length - 1)));
}

llvm::Expected<Perplexity>
lowbit::measurePerplexity(const Session &session, const TokenWindows &windows,
                          StringRef path, std::optional<int64_t> wanted) {
  llvm::Expected<Reader> reader = Reader::get(session, windows, path);
  if (!reader)
    return reader.takeError();
  llvm::Expected<int64_t> batch =
      chooseBatch(windows, wanted, reader->getBatch());
  if (!batch)
    return batch.takeError();
  double loss = 0;
  for (int64_t first = 0; first < windows.count(); first += *batch) {
    const int64_t count = std::min(*batch, windows.count() - first);
    llvm::Expected<Tensor> logits = reader->read(first, count);
    if (!logits)
      return logits.takeError();
    forEachTarget(windows, first, count, [&](int64_t target, int64_t row) {
      llvm::ArrayRef<float> values = getRow(*logits, row);
      loss += getLogSum(values) - double(values[target]);
    });
  }
  return makePerplexity(loss, windows);
}

/// The value below which 99 % of the values lie, between two of them where need
/// be.
static double getPercentile99(std::vector<double> values) {
  llvm::sort(values);
  const double place = 0.99 * double(values.size() - 1);
  const size_t below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] +
         (place - double(below)) * (values[above] - values[below]);
}

llvm::Expected<Divergence>
lowbit::measureDivergence(const Session &reference, const Session &other,
                          const TokenWindows &windows, StringRef path,
                          std::optional<int64_t> wanted) {
  llvm::Expected<Reader> reader = Reader::get(reference, windows, path);
  if (!reader)
    return reader.takeError();
  llvm::Expected<Reader> otherReader = Reader::get(other, windows, path);
  if (!otherReader)
    return otherReader.takeError();
  llvm::Expected<int64_t> batch = chooseBatch(
      windows, wanted, {reader->getBatch(), otherReader->getBatch()});
  if (!batch)
    return batch.takeError();

  double loss = 0, otherLoss = 0, sum = 0;
  int64_t numEqual = 0;
  std::vector<double> divergences;
  for (int64_t first = 0; first < windows.count(); first += *batch) {
    const int64_t count = std::min(*batch, windows.count() - first);
    llvm::Expected<Tensor> logits = reader->read(first, count);
    if (!logits)
      return logits.takeError();
    llvm::Expected<Tensor> others = otherReader->read(first, count);
    if (!others)
      return others.takeError();
    if (logits->getShape() != others->getShape())
      return makeError("the logits are " + logits->describe() + ", but " +
                       others->describe() + " in the other model");
    forEachTarget(windows, first, count, [&](int64_t target, int64_t row) {
      llvm::ArrayRef<float> x = getRow(*logits, row), y = getRow(*others, row);
      const double logSum = getLogSum(x), otherLogSum = getLogSum(y);
      loss += logSum - double(x[target]);
      otherLoss += otherLogSum - double(y[target]);
      divergences.push_back(getKl(x, logSum, y, otherLogSum));
      sum += divergences.back();
      numEqual +=
          llvm::max_element(x) - x.begin() == llvm::max_element(y) - y.begin();
    });
  }
  Divergence result;
  result.reference = makePerplexity(loss, windows);
  result.other = makePerplexity(otherLoss, windows);
  result.meanKl = sum / double(divergences.size());
  result.maxKl = *llvm::max_element(divergences);
  result.percentile99Kl = getPercentile99(std::move(divergences));
  result.topAgreement = double(numEqual) / double(result.reference.targets);
  return result;
}
