//===- Npy.cpp - numpy's files of single arrays ---------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A file is "\x93NUMPY", two bytes of version, the little-endian length of the
// header (two bytes in version 1, four since), the header, the elements. The
// header is a Python dictionary literal padded with spaces:
//
//   {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/Npy.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstring>

using namespace lowbit;
using llvm::StringRef;
using llvm::Twine;

static constexpr StringRef magic = "\x93NUMPY";

namespace {
struct DescrCode {
  StringRef code;
  ElementType type;
};

struct Header {
  std::string descr;
  bool fortranOrder = false;
  llvm::SmallVector<int64_t, 4> shape;
};

/// Parses the dictionary; numpy writes no spelling but the one above, yet any
/// order of the keys and any spacing is accepted.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : text(text) {}

  /// False if the text is not such a dictionary.
  bool parse(Header &header);

private:
  void skipSpace() { text = text.ltrim(" \n"); }
  bool consume(StringRef token) {
    skipSpace();
    return text.consume_front(token);
  }
  bool parseString(StringRef &value);
  bool parseBool(bool &value);
  bool parseShape(llvm::SmallVectorImpl<int64_t> &shape);

  StringRef text;
};
} // namespace

bool HeaderParser::parseString(StringRef &value) {
  skipSpace();
  StringRef quote = text.take_front(1);
  if ((quote != "'" && quote != "\"") || !text.consume_front(quote))
    return false;
  size_t end = text.find(quote);
  if (end == StringRef::npos)
    return false;
  value = text.take_front(end);
  text = text.drop_front(end + 1);
  return true;
}

bool HeaderParser::parseBool(bool &value) {
  value = consume("True");
  return value || consume("False");
}

bool HeaderParser::parseShape(llvm::SmallVectorImpl<int64_t> &shape) {
  if (!consume("("))
    return false;
  while (!consume(")")) {
    skipSpace();
    int64_t dim;
    if (text.consumeInteger(10, dim) || dim < 0)
      return false;
    shape.push_back(dim);
    if (consume(","))
      continue;
    return consume(")");
  }
  return true;
}

bool HeaderParser::parse(Header &header) {
  bool hasDescr = false, hasOrder = false, hasShape = false;
  if (!consume("{"))
    return false;
  while (!consume("}")) {
    StringRef key, descr;
    if (!parseString(key) || !consume(":"))
      return false;
    if (key == "descr" && !hasDescr) {
      // A list instead of a string describes a structured type.
      skipSpace();
      if (text.starts_with("["))
        descr = "record";
      else if (!parseString(descr))
        return false;
      header.descr = descr.str();
      hasDescr = true;
      if (descr == "record")
        return true;
    } else if (key == "fortran_order" && !hasOrder) {
      if (!parseBool(header.fortranOrder))
        return false;
      hasOrder = true;
    } else if (key == "shape" && !hasShape) {
      if (!parseShape(header.shape))
        return false;
      hasShape = true;
    } else {
      return false;
    }
    consume(",");
  }
  return hasDescr && hasOrder && hasShape;
}

/// What numpy's `descr` says of the types that we know, on a little-endian
/// machine.
static constexpr DescrCode descrCodes[] = {
    {"|b1", ElementType::Bool}, {"|i1", ElementType::I8},
    {"|u1", ElementType::U8},   {"<i2", ElementType::I16},
    {"<u2", ElementType::U16},  {"<i4", ElementType::I32},
    {"<u4", ElementType::U32},  {"<i8", ElementType::I64},
    {"<u8", ElementType::U64},  {"<f2", ElementType::F16},
    {"<f4", ElementType::F32},  {"<f8", ElementType::F64}};

static llvm::Expected<ElementType> getElementType(StringRef descr,
                                                  StringRef name) {
  for (const DescrCode &known : descrCodes)
    if (known.code == descr)
      return known.type;
  if (descr.contains('O'))
    return makeError("'" + name +
                     "' holds Python objects; save an array of numbers");
  if (descr.starts_with(">"))
    return makeError("'" + name + "' is big-endian ('" + descr +
                     "'); save it with a little-endian type");
  return makeError("'" + name + "' has the unsupported element type '" + descr +
                   "'");
}

llvm::Expected<Tensor> lowbit::parseNpy(llvm::ArrayRef<char> content,
                                        StringRef name) {
  StringRef rest(content.data(), content.size());
  if (!rest.consume_front(magic))
    return makeError("'" + name + "' is not a .npy file");
  if (rest.size() < 2)
    return makeError("'" + name + "' is truncated");
  int version = rest[0];
  if (version < 1 || version > 3)
    return makeError("'" + name + "' has the unknown .npy version " +
                     Twine(version));
  size_t lengthBytes = version == 1 ? 2 : 4;
  rest = rest.drop_front(2);
  if (rest.size() < lengthBytes)
    return makeError("'" + name + "' is truncated");
  size_t length = version == 1 ? llvm::support::endian::read16le(rest.data())
                               : llvm::support::endian::read32le(rest.data());
  rest = rest.drop_front(lengthBytes);
  if (rest.size() < length)
    return makeError("'" + name + "' is truncated");

  Header header;
  if (!HeaderParser(rest.take_front(length)).parse(header))
    return makeError("'" + name + "' has a malformed .npy header");
  llvm::Expected<ElementType> type = getElementType(header.descr, name);
  if (!type)
    return type.takeError();
  if (header.fortranOrder && header.shape.size() > 1)
    return makeError("'" + name +
                     "' is in Fortran order; save "
                     "numpy.ascontiguousarray(...) of it");

  std::optional<int64_t> size = getByteSize(*type);
  for (int64_t dim : header.shape)
    size = size ? llvm::checkedMul(*size, dim) : std::nullopt;
  rest = rest.drop_front(length);
  if (!size || uint64_t(*size) > rest.size())
    return makeError("'" + name + "' is truncated: it has " +
                     Twine(rest.size()) +
                     " bytes of elements, fewer than its shape takes");
  if (uint64_t(*size) < rest.size())
    return makeError("'" + name + "' has " +
                     Twine(rest.size() - uint64_t(*size)) +
                     " bytes after its last element");
  Tensor tensor(*type, header.shape);
  if (*size)
    std::memcpy(tensor.getBytes(), rest.data(), *size);
  return tensor;
}

llvm::Expected<Tensor> lowbit::readNpy(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return makeError("cannot read '" + path +
                     "': " + buffer.getError().message());
  return parseNpy({(*buffer)->getBufferStart(), (*buffer)->getBufferSize()},
                  path);
}

llvm::Expected<std::string> lowbit::serializeNpy(const Tensor &tensor) {
  const auto *code = llvm::find_if(descrCodes, [&](const DescrCode &known) {
    return known.type == tensor.getType();
  });
  if (code == std::end(descrCodes))
    return makeError("numpy has no element type " + getName(tensor.getType()));

  std::string header;
  llvm::raw_string_ostream os(header);
  os << "{'descr': '" << code->code << "', 'fortran_order': False, 'shape': (";
  for (int64_t dim : tensor.getShape())
    os << dim << ", ";
  os << "), }";
  // Elements start at a multiple of 64, as numpy's own files have it.
  size_t prefix = magic.size() + 2 + 2;
  header.append(
      llvm::offsetToAlignment(prefix + header.size() + 1, llvm::Align(64)),
      ' ');
  header += '\n';

  std::string content = magic.str();
  content += {'\1', '\0', char(header.size() & 0xff), char(header.size() >> 8)};
  content += header;
  content.append(tensor.getBytes(), tensor.getByteSize());
  return content;
}

llvm::Error lowbit::writeNpy(StringRef path, const Tensor &tensor) {
  llvm::Expected<std::string> content = serializeNpy(tensor);
  if (!content)
    return content.takeError();
  llvm::Expected<OutputFile> file = OutputFile::create(path);
  if (!file)
    return file.takeError();
  file->os() << *content;
  return file->commit();
}
