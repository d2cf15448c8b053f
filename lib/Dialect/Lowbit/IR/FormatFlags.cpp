//===- FormatFlags.cpp - the last words of a format -----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatFlags.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace lowbit;

/// "'narrow' or 'pad'".
static std::string list(ArrayRef<FormatFlag> flags) {
  std::string text;
  for (const FormatFlag &flag : flags) {
    if (&flag != flags.begin())
      text += &flag == &flags.back() ? " or " : ", ";
    text += ("'" + flag.keyword + (flag.value.empty() ? "" : " = ") +
             flag.value + "'")
                .str();
  }
  return text;
}

ParseResult lowbit::parseFlags(AsmParser &parser, ArrayRef<FormatFlag> flags) {
  while (succeeded(parser.parseOptionalComma())) {
    SMLoc loc = parser.getCurrentLocation();
    StringRef keyword;
    if (parser.parseKeyword(&keyword))
      return failure();
    const auto *flag = llvm::find_if(flags, [&](const FormatFlag &candidate) {
      return candidate.keyword == keyword;
    });
    if (flag == flags.end() || flag->isSet)
      return parser.emitError(loc)
             << "expected " << list(flags) << ", each at most once, got '"
             << keyword << "'";
    flag->isSet = true;
    if (!flag->value.empty() &&
        (parser.parseEqual() || parser.parseKeyword(flag->value)))
      return failure();
  }
  return success();
}
