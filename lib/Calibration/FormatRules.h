//===- FormatRules.h - which layers get which format ------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_FORMATRULES_H
#define LOWBIT_LIB_CALIBRATION_FORMATRULES_H

#include "FormatNames.h"
#include "GgmlMixture.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/Regex.h"
#include <string>
#include <vector>

namespace lowbit {

/// What a user wants a weight to be stored in.
struct FormatChoice {
  /// As the user wrote it.
  std::string text;
  /// Null for a layer that stays as it is.
  NamedFormat format;
};

/// The choice that `text` spells; the message of a failure names the place.
llvm::Expected<FormatChoice> parseFormatChoice(mlir::MLIRContext *context,
                                               llvm::StringRef text,
                                               llvm::StringRef place);

/// A format for the layers whose name, or whose role, matches.
struct FormatRule {
  /// The regular expression; it begins with '@' if it is for roles.
  std::string pattern;
  FormatChoice choice;
  /// Where the rule was written, for messages: "rules[0]".
  std::string place;
  llvm::Regex regex;

  bool matches(llvm::StringRef name, LayerRole role) const {
    return regex.match(pattern.front() == '@' ? getName(role) : name);
  }
};

/// What is said of all layers of a model. The first rule that matches decides.
struct FormatRecipe {
  std::vector<FormatRule> rules;
  /// For layers that no rule matches.
  std::optional<GgmlMixture> mixture;
  /// For linear layers, but not the head, of which nothing else is said.
  std::optional<FormatChoice> defaultChoice;
  /// What to try in turn where a format cannot store a layer. An entry without
  /// a value stands for the type that ggml falls back to.
  std::vector<std::optional<FormatChoice>> fallbacks;

  /// Each of these fails with a message that names the place. `pattern=format`:
  llvm::Error addRule(mlir::MLIRContext *context, llvm::StringRef text,
                      llvm::StringRef place);
  llvm::Error setMixture(llvm::StringRef text, llvm::StringRef place);
  llvm::Error setDefault(mlir::MLIRContext *context, llvm::StringRef text,
                         llvm::StringRef place);
  llvm::Error addFallback(mlir::MLIRContext *context, llvm::StringRef text,
                          llvm::StringRef place);
  /// A JSON file with any of `rules`, `mixture`, `default` and `fallback`.
  llvm::Error addFile(mlir::MLIRContext *context, llvm::StringRef path);

private:
  llvm::Error addRule(mlir::MLIRContext *context, llvm::StringRef pattern,
                      llvm::StringRef format, llvm::StringRef place);

  /// The first rule of the command line, or of the file that is read: rules of
  /// one source must not contradict each other.
  size_t sourceBegin = 0;
};

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_FORMATRULES_H
