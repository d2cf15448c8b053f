//===- SafeTensors.cpp - the safetensors container ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/SafeTensors.h"
#include "lowbit/Support/Json.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace lowbit;

static constexpr uint64_t lengthBytes = 8;
static constexpr uint64_t dataAlignment = 64;

unsigned lowbit::getSafeTensorsElementSize(llvm::StringRef dtype) {
  return llvm::StringSwitch<unsigned>(dtype)
      .Cases({"F64", "I64", "U64"}, 8)
      .Cases({"F32", "I32", "U32"}, 4)
      .Cases({"F16", "BF16", "I16", "U16"}, 2)
      .Cases({"I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2"}, 1)
      .Default(0);
}

static llvm::Expected<SafeTensorsEntry>
parseEntry(const llvm::json::Value &value, uint64_t dataBegin,
           uint64_t fileSize) {
  const llvm::json::Object *object = value.getAsObject();
  if (!object)
    return makeError("is not an object");
  std::optional<llvm::StringRef> dtype = object->getString("dtype");
  const llvm::json::Array *shape = object->getArray("shape");
  const llvm::json::Array *offsets = object->getArray("data_offsets");
  if (!dtype || !shape || !offsets || offsets->size() != 2)
    return makeError("needs 'dtype', 'shape' and two 'data_offsets'");

  SafeTensorsEntry entry;
  entry.dtype = dtype->str();
  uint64_t expected = getSafeTensorsElementSize(*dtype);
  if (!expected)
    return makeError("has the unknown dtype '" + *dtype + "'");
  for (const llvm::json::Value &dim : *shape) {
    std::optional<uint64_t> size = dim.getAsUINT64();
    bool overflow = false;
    if (size)
      expected = llvm::SaturatingMultiply(expected, *size, &overflow);
    if (!size || overflow)
      return makeError("has an impossible shape");
    entry.shape.push_back(*size);
  }
  std::optional<uint64_t> begin = (*offsets)[0].getAsUINT64();
  std::optional<uint64_t> end = (*offsets)[1].getAsUINT64();
  if (!begin || !end || *begin > *end || *end > fileSize - dataBegin)
    return makeError("lies outside the file, which may be cut off");
  if (*end - *begin != expected)
    return makeError("has " + llvm::Twine(*end - *begin) +
                     " bytes, but its shape takes " + llvm::Twine(expected));
  entry.offset = dataBegin + *begin;
  entry.length = expected;
  return entry;
}

llvm::Expected<SafeTensorsIndex>
lowbit::parseSafeTensors(llvm::ArrayRef<char> file, llvm::StringRef path) {
  if (file.size() < lengthBytes)
    return makeError("'" + path + "' is too short for a safetensors file");
  uint64_t headerLength = llvm::support::endian::read64le(file.data());
  if (headerLength > file.size() - lengthBytes)
    return makeError("'" + path +
                     "' is not a safetensors file, or its header is cut off");
  llvm::Expected<llvm::json::Value> header =
      parseJson(llvm::StringRef(file.data() + lengthBytes, headerLength));
  if (!header)
    return makeError("'" + path +
                     "': the safetensors header is no valid JSON: " +
                     llvm::toString(header.takeError()));
  const llvm::json::Object *object = header->getAsObject();
  if (!object)
    return makeError("'" + path +
                     "': the safetensors header is not a JSON object");

  SafeTensorsIndex index;
  for (const auto &[key, value] : *object) {
    llvm::StringRef name(key);
    if (name == "__metadata__")
      continue;
    llvm::Expected<SafeTensorsEntry> entry =
        parseEntry(value, lengthBytes + headerLength, file.size());
    if (!entry)
      return makeError("'" + path + "': tensor '" + name + "' " +
                       llvm::toString(entry.takeError()));
    index.try_emplace(name, std::move(*entry));
  }
  return index;
}

std::string lowbit::makeSafeTensorsHeader(
    llvm::ArrayRef<std::pair<std::string, SafeTensorsEntry>> tensors) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::OStream json(os);
  json.object([&] {
    for (const auto &[name, entry] : tensors)
      json.attributeObject(name, [&] {
        json.attribute("dtype", entry.dtype);
        json.attributeArray("shape", [&] {
          for (int64_t dim : entry.shape)
            json.value(dim);
        });
        json.attributeArray("data_offsets", [&] {
          json.value(entry.offset);
          json.value(entry.offset + entry.length);
        });
      });
  });
  json.flush();
  // The format allows blanks behind the header; they align the data.
  text.append(llvm::alignTo(lengthBytes + text.size(), dataAlignment) -
                  lengthBytes - text.size(),
              ' ');
  std::string header(lengthBytes, '\0');
  llvm::support::endian::write64le(header.data(), text.size());
  return header + text;
}
