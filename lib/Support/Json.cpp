//===- Json.cpp - JSON that says everything once --------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/Json.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/StringSet.h"

using namespace lowbit;
using llvm::StringRef;

/// The end of the string that begins at a quotation mark of valid JSON.
static size_t findStringEnd(StringRef text, size_t begin) {
  size_t end = begin + 1;
  while (text[end] != '"')
    end += text[end] == '\\' ? 2 : 1;
  return end + 1;
}

/// Fails if an object in valid JSON has a key twice.
static llvm::Error checkKeys(StringRef text) {
  // Of the objects that are open; lists need an entry, too.
  std::vector<llvm::StringSet<>> open;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '{' || c == '[')
      open.emplace_back();
    else if (c == '}' || c == ']')
      open.pop_back();
    if (c != '"') {
      ++i;
      continue;
    }
    const size_t end = findStringEnd(text, i);
    const StringRef literal = text.slice(i, end);
    i = end;
    // A string is a key if a colon follows.
    if (!text.drop_front(i).ltrim().starts_with(":"))
      continue;
    // One key may be spelled in several ways.
    llvm::Expected<llvm::json::Value> key = llvm::json::parse(literal);
    if (!key)
      return key.takeError();
    const StringRef name = *key->getAsString();
    if (!open.back().insert(name).second)
      return makeError("[" + llvm::Twine(text.take_front(i).count('\n') + 1) +
                       "]: there are two entries '" + name +
                       "' in one object; keep one of them");
  }
  return llvm::Error::success();
}

llvm::Expected<llvm::json::Value> lowbit::parseJson(StringRef text) {
  llvm::Expected<llvm::json::Value> json = llvm::json::parse(text);
  if (!json)
    return json;
  if (llvm::Error error = checkKeys(text))
    return std::move(error);
  return json;
}
