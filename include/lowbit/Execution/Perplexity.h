//===- Perplexity.h - how well a model predicts a text --*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_EXECUTION_PERPLEXITY_H
#define LOWBIT_EXECUTION_PERPLEXITY_H

#include "lowbit/Execution/LanguageModel.h"
#include <optional>

namespace lowbit {

struct Perplexity {
  double value;
  int64_t targets;
  int64_t windows;
};

/// exp of the mean negative log-likelihood, in double precision, of the columns
/// 1..length-1 of all windows given the columns before them. A token outside of
/// the model's vocabulary is an error. `batch` is how many windows one run
/// reads, by default as many as keep threads busy: what a model makes of one
/// may depend on the others, as where activations share a scale.
llvm::Expected<Perplexity>
measurePerplexity(const Session &session, const TokenWindows &windows,
                  llvm::StringRef path,
                  std::optional<int64_t> batch = std::nullopt);

/// KL(softmax(logits) || softmax(others)) in nats, of at least one logit each.
double measureKl(llvm::ArrayRef<float> logits, llvm::ArrayRef<float> others);

/// How far the predictions of a model are from those of another one, the
/// reference, over all targets of some windows.
struct Divergence {
  Perplexity reference;
  Perplexity other;
  /// KL(reference || other) of the distributions of the next token, in nats:
  /// its mean, its 99th percentile, and the largest one.
  double meanKl;
  double percentile99Kl;
  double maxKl;
  /// The part of the targets for which both find the same token likeliest.
  double topAgreement;
};

/// The models must have the same vocabulary.
llvm::Expected<Divergence>
measureDivergence(const Session &reference, const Session &other,
                  const TokenWindows &windows, llvm::StringRef path,
                  std::optional<int64_t> batch = std::nullopt);

} // namespace lowbit

#endif // LOWBIT_EXECUTION_PERPLEXITY_H
