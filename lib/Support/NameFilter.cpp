//===- NameFilter.cpp - names that a user includes or excludes ------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/NameFilter.h"
#include "lowbit/Support/OutputFile.h"

using namespace lowbit;

static llvm::Error setRegex(llvm::StringRef text, llvm::StringRef option,
                            std::optional<llvm::Regex> &regex) {
  if (text.empty())
    return llvm::Error::success();
  regex.emplace(text);
  std::string message;
  if (regex->isValid(message))
    return llvm::Error::success();
  return makeError(option + " is '" + text +
                   "', which is no regular expression: " + message);
}

llvm::Expected<NameFilter> NameFilter::get(llvm::StringRef include,
                                           llvm::StringRef exclude) {
  NameFilter filter;
  if (llvm::Error error = setRegex(include, "include", filter.include))
    return std::move(error);
  if (llvm::Error error = setRegex(exclude, "exclude", filter.exclude))
    return std::move(error);
  return filter;
}
