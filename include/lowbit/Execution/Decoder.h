//===- Decoder.h - a language model, token after token -------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_EXECUTION_DECODER_H
#define LOWBIT_EXECUTION_DECODER_H

#include "lowbit/Execution/LanguageModel.h"

namespace lowbit {

/// Feeds tokens to a language model in steps, and keeps what it has seen: in
/// caches that the model updates, which grow here when they are full, in past
/// keys and values that go from the outputs of a step to the inputs of the
/// next, or, if a model has neither, as tokens that are fed again.
class Decoder {
public:
  /// For one sequence; `session` must outlive the decoder. Fails if the model
  /// is no language model.
  static llvm::Expected<Decoder> get(const Session &session);

  /// Feeds one token or more behind those so far; the logits of the last.
  llvm::Expected<std::vector<float>> feed(llvm::ArrayRef<int64_t> tokens);

  /// The number of tokens that caches have room for; 0 if there are none.
  int64_t getCapacity() const { return capacity; }
  int64_t getLength() const { return seen.size(); }
  int64_t getVocabulary() const { return model.getVocabulary(); }

private:
  Decoder(const Session &session, LanguageModel model);

  void reserve(int64_t rows);

  const Session *session;
  LanguageModel model;
  /// Inputs that are caches, and outputs that are their next content; none for
  /// caches that are updated in place.
  struct Cache {
    size_t input;
    std::optional<size_t> output;
    Tensor rows;
  };
  std::vector<Cache> caches;
  int64_t capacity = 0;
  std::vector<int64_t> seen;
};

/// Continues `prompt` by the most likely tokens, one by one.
llvm::Expected<std::vector<int64_t>>
generate(const Session &session, llvm::ArrayRef<int64_t> prompt, int64_t count);

} // namespace lowbit

#endif // LOWBIT_EXECUTION_DECODER_H
