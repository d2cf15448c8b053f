//===- FormatRules.cpp - which layers get which format --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatRules.h"
#include "lowbit/Support/Json.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace lowbit;

using llvm::StringRef;
using llvm::Twine;

llvm::Expected<FormatChoice>
lowbit::parseFormatChoice(mlir::MLIRContext *context, StringRef text,
                          StringRef place) {
  // Shells and pass pipelines may leave the quotes that protect commas.
  StringRef bare = text.trim();
  if (bare.size() > 1 && bare.front() == bare.back() &&
      (bare.front() == '"' || bare.front() == '\''))
    bare = bare.drop_front().drop_back();
  FormatChoice choice{bare.str(), {}};
  if (bare == LowbitDialect::keepFloat)
    return choice;
  llvm::Expected<NamedFormat> format = parseFormatName(context, bare);
  if (!format)
    return makeError(place + ": the format is " +
                     llvm::toString(format.takeError()) +
                     (bare.starts_with("#") ? "" : ", or float"));
  choice.format = *format;
  return choice;
}

llvm::Error FormatRecipe::addRule(mlir::MLIRContext *context, StringRef pattern,
                                  StringRef format, StringRef place) {
  llvm::Expected<FormatChoice> choice =
      parseFormatChoice(context, format, place);
  if (!choice)
    return choice.takeError();
  if (pattern.empty() || pattern == "@")
    return makeError(place + ": there is no pattern");
  llvm::Regex regex(pattern.starts_with("@") ? pattern.drop_front() : pattern);
  std::string message;
  if (!regex.isValid(message))
    return makeError(place + ": '" + pattern +
                     "' is no regular expression: " + message);
  for (const FormatRule &other : llvm::drop_begin(rules, sourceBegin))
    if (other.pattern == pattern && other.choice.format != choice->format)
      return makeError(place + ": '" + pattern + "' gets " + choice->text +
                       ", but " + other.place + " gives it " +
                       other.choice.text);
  rules.push_back(
      {pattern.str(), std::move(*choice), place.str(), std::move(regex)});
  return llvm::Error::success();
}

llvm::Error FormatRecipe::addRule(mlir::MLIRContext *context, StringRef text,
                                  StringRef place) {
  if (!text.contains('='))
    return makeError(place + " is '" + text +
                     "', but must be a pattern and a format, such as "
                     "down_proj=q6_K or @head=float");
  auto [pattern, format] = text.split('=');
  return addRule(context, pattern.trim(), format, place);
}

llvm::Error FormatRecipe::setMixture(StringRef text, StringRef place) {
  std::optional<GgmlMixture> parsed = parseGgmlMixture(text);
  if (!parsed) {
    std::string names;
    for (StringRef name : getGgmlMixtureNames())
      names += (names.empty() ? "" : ", ") + name.str();
    return makeError(place + " is '" + text + "', but must be one of " + names);
  }
  if (mixture && mixture != parsed)
    return makeError(place + " is '" + text + "', but the recipe's is " +
                     getGgmlMixtureNames()[static_cast<size_t>(*mixture)]);
  mixture = parsed;
  return llvm::Error::success();
}

llvm::Error FormatRecipe::setDefault(mlir::MLIRContext *context, StringRef text,
                                     StringRef place) {
  llvm::Expected<FormatChoice> choice = parseFormatChoice(context, text, place);
  if (!choice)
    return choice.takeError();
  if (defaultChoice && defaultChoice->format != choice->format)
    return makeError(place + " is '" + text + "', but the recipe's is " +
                     defaultChoice->text);
  defaultChoice = std::move(*choice);
  return llvm::Error::success();
}

llvm::Error FormatRecipe::addFallback(mlir::MLIRContext *context,
                                      StringRef text, StringRef place) {
  if (text == "ggml") {
    fallbacks.emplace_back();
    return llvm::Error::success();
  }
  llvm::Expected<FormatChoice> choice = parseFormatChoice(context, text, place);
  if (!choice)
    return choice.takeError();
  fallbacks.push_back(std::move(*choice));
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Recipe files
//===----------------------------------------------------------------------===//

/// Fails for keys that nothing is read from, which are likely misspelled.
static llvm::Error checkKeys(const llvm::json::Object &object,
                             llvm::ArrayRef<StringRef> known, StringRef place) {
  // In the order of the alphabet: objects have none.
  std::vector<StringRef> unknown;
  for (const auto &entry : object)
    if (!llvm::is_contained(known, StringRef(entry.first)))
      unknown.push_back(entry.first);
  if (unknown.empty())
    return llvm::Error::success();
  return makeError(place + ": there is no '" + *llvm::min_element(unknown) +
                   "', but " + llvm::join(known, ", "));
}

static llvm::Expected<StringRef> getText(const llvm::json::Value &value,
                                         StringRef place) {
  if (std::optional<StringRef> text = value.getAsString())
    return *text;
  return makeError(place + " must be a string");
}

llvm::Error FormatRecipe::addFile(mlir::MLIRContext *context, StringRef path) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!file)
    return makeError("cannot read recipe '" + path +
                     "': " + file.getError().message());
  llvm::Expected<llvm::json::Value> json = parseJson((*file)->getBuffer());
  if (!json)
    return makeError(path + ":" + llvm::toString(json.takeError()));
  const llvm::json::Object *object = json->getAsObject();
  if (!object)
    return makeError(path + ": the recipe must be an object");
  if (llvm::Error error = checkKeys(
          *object, {"comment", "rules", "mixture", "default", "fallback"},
          path))
    return error;

  const auto parseText =
      [&](const llvm::json::Value *value, const Twine &key,
          llvm::function_ref<llvm::Error(StringRef, StringRef)> parse)
      -> llvm::Error {
    const std::string place = (path + ": " + key).str();
    if (!value)
      return llvm::Error::success();
    llvm::Expected<StringRef> text = getText(*value, place);
    return text ? parse(*text, place) : text.takeError();
  };
  const auto parseList =
      [&](StringRef key, llvm::function_ref<llvm::Error(
                             const llvm::json::Value &, const std::string &)>
                             parse) -> llvm::Error {
    const llvm::json::Value *value = object->get(key);
    if (!value)
      return llvm::Error::success();
    if (!value->getAsArray())
      return makeError(path + ": " + key + " must be a list");
    for (auto [index, element] : llvm::enumerate(*value->getAsArray()))
      if (llvm::Error error =
              parse(element, (key + "[" + Twine(index) + "]").str()))
        return error;
    return llvm::Error::success();
  };
  const auto parseRule = [&](const llvm::json::Value &value,
                             const std::string &key) -> llvm::Error {
    const std::string place = (path + ": " + key).str();
    const llvm::json::Object *rule = value.getAsObject();
    if (!rule)
      return makeError(place + " must be an object");
    if (llvm::Error error =
            checkKeys(*rule, {"comment", "layers", "role", "format"}, place))
      return error;
    const llvm::json::Value *layers = rule->get("layers");
    const llvm::json::Value *role = rule->get("role");
    const llvm::json::Value *format = rule->get("format");
    if (!format || (layers != nullptr) == (role != nullptr))
      return makeError(place + " must have a format, and layers or a role");
    llvm::Expected<StringRef> pattern = getText(
        layers ? *layers : *role, place + (layers ? ".layers" : ".role"));
    if (!pattern)
      return pattern.takeError();
    llvm::Expected<StringRef> text = getText(*format, place + ".format");
    if (!text)
      return text.takeError();
    return addRule(context, (role ? "@" : "") + pattern->str(), *text, place);
  };

  sourceBegin = rules.size();
  if (llvm::Error error = parseList("rules", parseRule))
    return error;
  if (llvm::Error error = parseText(object->get("mixture"), "mixture",
                                    [&](StringRef text, StringRef place) {
                                      return setMixture(text, place);
                                    }))
    return error;
  if (llvm::Error error = parseText(object->get("default"), "default",
                                    [&](StringRef text, StringRef place) {
                                      return setDefault(context, text, place);
                                    }))
    return error;
  return parseList(
      "fallback", [&](const llvm::json::Value &value, const std::string &key) {
        return parseText(&value, key, [&](StringRef text, StringRef place) {
          return addFallback(context, text, place);
        });
      });
}
