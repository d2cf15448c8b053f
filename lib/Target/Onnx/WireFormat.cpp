//===- WireFormat.cpp - ONNX models as protobuf bytes ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Protobuf copies every byte field when it parses. A model may hold gigabytes
// of weights, so that the bytes of large tensors are cut out before: this file
// walks the wire format (https://protobuf.dev/programming-guides/encoding) of
// the few message kinds on the way from a model to a tensor.
//
//===----------------------------------------------------------------------===//

#include "WireFormat.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/Twine.h"

using namespace lowbit;
using namespace lowbit::onnx;
using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;

namespace {

enum WireType : unsigned { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

/// One field of a message.
struct Field {
  unsigned number;
  unsigned type;
  /// The bytes of the field with its tag, and of its payload alone.
  StringRef whole, payload;
};

/// The messages on the way from a model to a tensor.
enum class Kind {
  Other,
  Model,
  Function,
  Graph,
  Node,
  Attribute,
  Sparse,
  Tensor
};

} // namespace

/// The kind of message that a length-delimited field holds; the numbers are
/// those of onnx.proto.
static Kind getFieldKind(Kind parent, unsigned field) {
  switch (parent) {
  case Kind::Model:
    return field == 7    ? Kind::Graph
           : field == 25 ? Kind::Function
                         : Kind::Other;
  case Kind::Function:
    return field == 7 ? Kind::Node : Kind::Other;
  case Kind::Graph:
    return field == 1    ? Kind::Node
           : field == 5  ? Kind::Tensor
           : field == 15 ? Kind::Sparse
                         : Kind::Other;
  case Kind::Node:
    return field == 5 ? Kind::Attribute : Kind::Other;
  case Kind::Attribute:
    return field == 5 || field == 10    ? Kind::Tensor
           : field == 6 || field == 11  ? Kind::Graph
           : field == 22 || field == 23 ? Kind::Sparse
                                        : Kind::Other;
  case Kind::Sparse:
    return field == 1 || field == 2 ? Kind::Tensor : Kind::Other;
  case Kind::Tensor:
  case Kind::Other:
    return Kind::Other;
  }
  return Kind::Other;
}

/// Takes a varint off the front of `bytes`.
static bool readVarint(StringRef &bytes, uint64_t &value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    auto byte = static_cast<uint8_t>(bytes.front());
    bytes = bytes.drop_front();
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return true;
  }
  return false;
}

/// Takes a field off the front of `bytes`. False if it is malformed or reaches
/// beyond the end.
static bool readField(StringRef &bytes, Field &field) {
  StringRef start = bytes;
  uint64_t tag, size;
  if (!readVarint(bytes, tag) || tag >> 3 == 0 || tag >> 32 != 0)
    return false;
  field.number = tag >> 3;
  field.type = tag & 7;
  switch (field.type) {
  case Varint: {
    StringRef payload = bytes;
    if (!readVarint(bytes, size))
      return false;
    size = payload.size() - bytes.size();
    bytes = payload;
    break;
  }
  case Fixed64:
    size = 8;
    break;
  case Fixed32:
    size = 4;
    break;
  case Bytes:
    if (!readVarint(bytes, size))
      return false;
    break;
  default:
    return false;
  }
  if (size > bytes.size())
    return false;
  field.payload = bytes.take_front(size);
  bytes = bytes.drop_front(size);
  field.whole = start.drop_back(bytes.size());
  return true;
}

static void writeVarint(std::string &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

static void writeBytes(std::string &out, unsigned field, StringRef bytes) {
  writeVarint(out, field << 3 | Bytes);
  writeVarint(out, bytes.size());
  out += bytes;
}

namespace {
/// Walks a model and copies it without the data of large tensors.
class Detacher {
public:
  Detacher(StringRef model, uint64_t limit) : model(model), limit(limit) {}

  llvm::Error copy(Kind kind, StringRef message, std::string &out,
                   unsigned depth) {
    while (!message.empty()) {
      Field field;
      StringRef start = message;
      if (!readField(message, field))
        return makeError("not an ONNX model, or truncated: malformed protobuf "
                         "field at byte " +
                         Twine(start.data() - model.data()));
      if (llvm::Error error = copyField(kind, field, out, depth))
        return error;
    }
    return llvm::Error::success();
  }

private:
  /// As deep as protobuf's own parser goes.
  static constexpr unsigned maxDepth = 100;
  static constexpr unsigned rawDataField = 9;

  llvm::Error copyField(Kind kind, const Field &field, std::string &out,
                        unsigned depth) {
    bool isBytes = field.type == Bytes;
    if (isBytes && kind == Kind::Tensor && field.number == rawDataField &&
        field.payload.size() >= limit) {
      writeReference(field.payload, out);
      return llvm::Error::success();
    }
    Kind child = isBytes ? getFieldKind(kind, field.number) : Kind::Other;
    if (child == Kind::Other || field.payload.size() < limit) {
      out += field.whole;
      return llvm::Error::success();
    }
    if (depth == maxDepth)
      return makeError("graphs are nested too deeply");
    std::string message;
    if (llvm::Error error = copy(child, field.payload, message, depth + 1))
      return error;
    writeBytes(out, field.number, message);
    return llvm::Error::success();
  }

  /// Fields 13 (external_data) and 14 (data_location = EXTERNAL) of a tensor.
  void writeReference(StringRef data, std::string &out) const {
    auto writeEntry = [&](StringRef key, uint64_t value) {
      std::string entry;
      writeBytes(entry, 1, key);
      writeBytes(entry, 2, std::to_string(value));
      writeBytes(out, 13, entry);
    };
    writeEntry(kDetachedOffset, data.data() - model.data());
    writeEntry(kDetachedLength, data.size());
    writeVarint(out, 14 << 3);
    writeVarint(out, 1);
  }

  StringRef model;
  uint64_t limit;
};
} // namespace

llvm::Expected<std::string> lowbit::onnx::detachRawData(ArrayRef<char> model,
                                                        uint64_t limit) {
  StringRef bytes(model.data(), model.size());
  std::string out;
  if (llvm::Error error =
          Detacher(bytes, limit).copy(Kind::Model, bytes, out, /*depth=*/0))
    return error;
  return out;
}
