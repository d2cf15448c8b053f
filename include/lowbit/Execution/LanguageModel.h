//===- LanguageModel.h - feeding tokens to a language model --- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_EXECUTION_LANGUAGEMODEL_H
#define LOWBIT_EXECUTION_LANGUAGEMODEL_H

#include "lowbit/Execution/Session.h"

namespace lowbit {

/// Token windows of one length, one after the other.
struct TokenWindows {
  int64_t length = 0;
  std::vector<int64_t> tokens;

  int64_t count() const { return length ? tokens.size() / length : 0; }
  llvm::ArrayRef<int64_t> getWindow(int64_t index) const {
    return llvm::ArrayRef(tokens).slice(index * length, length);
  }

  /// Reads a `.npy` file of integers [windows, length], or a flat one, which is
  /// cut into windows of `context` tokens (0 if that is not given).
  static llvm::Expected<TokenWindows> read(llvm::StringRef path,
                                           int64_t context);
  /// Reads a file of one sequence, which has at least one token.
  static llvm::Expected<std::vector<int64_t>> readFlat(llvm::StringRef path);
};

/// Makes the inputs of a language model as exporters name them: input_ids, and
/// if the model has them attention_mask, position_ids and past_key_values.*,
/// which are left empty.
class LanguageModel {
public:
  /// Fails if the signature is not that of a language model.
  static llvm::Expected<LanguageModel> get(const Signature &signature);

  /// The inputs for windows of `length` tokens, each behind `past` others, in
  /// the signature's order. Caches are new: zero, as long as the past, or with
  /// room for the tokens if they are updated in place.
  std::vector<Tensor> makeInputs(llvm::ArrayRef<int64_t> tokens, int64_t length,
                                 int64_t past = 0) const;
  /// A cache of `rows` tokens for that input, of zeros.
  Tensor makeCache(const TensorSpec &spec, int64_t batch, int64_t rows) const;
  /// Whether an input is past keys or values, in place or not.
  static bool isCache(const TensorSpec &spec);
  /// Which output is logits [batch, sequence, vocabulary].
  size_t getLogitsIndex() const { return logits; }
  /// The number of tokens that the model knows; -1 if the signature does not
  /// say.
  int64_t getVocabulary() const;
  /// The number of windows that the model takes at once; -1 for any.
  int64_t getBatch() const;

private:
  LanguageModel(const Signature &signature, size_t tokens, size_t logits)
      : signature(&signature), tokens(tokens), logits(logits) {}

  const Signature *signature;
  size_t tokens, logits;
};

/// Inputs of any model for a benchmark or a comparison: dimensions that are
/// known at run time only become 1 (batch), 0 (past) or `tokens`; tokens and
/// numbers are pseudo-random from a fixed seed. A language model has seen
/// `past` tokens.
llvm::Expected<std::vector<Tensor>>
makeSyntheticInputs(const Signature &s, int64_t tokens, int64_t past = 0);

} // namespace lowbit

#endif // LOWBIT_EXECUTION_LANGUAGEMODEL_H
