//===- Tensor.cpp - dense tensors in the host's memory --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/Tensor.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>
#include <cstring>
#include <new>

using namespace lowbit;

namespace {
struct ElementTypeInfo {
  llvm::StringRef name;
  unsigned byteSize;
};
} // namespace

/// In the order of the enumeration.
static constexpr ElementTypeInfo elementTypes[] = {
    {"bool", 1},   {"int8", 1},    {"uint8", 1},    {"int16", 2},
    {"uint16", 2}, {"int32", 4},   {"uint32", 4},   {"int64", 8},
    {"uint64", 8}, {"float16", 2}, {"bfloat16", 2}, {"float32", 4},
    {"float64", 8}};

unsigned lowbit::getByteSize(ElementType type) {
  return elementTypes[unsigned(type)].byteSize;
}

llvm::StringRef lowbit::getName(ElementType type) {
  return elementTypes[unsigned(type)].name;
}

std::optional<ElementType> lowbit::parseElementType(llvm::StringRef name) {
  const auto *found = llvm::find_if(
      elementTypes, [&](const ElementTypeInfo &i) { return i.name == name; });
  if (found == std::end(elementTypes))
    return std::nullopt;
  return ElementType(found - elementTypes);
}

/// The widest vector register and a cache line of the targets that we know.
static constexpr size_t alignment = 64;

Tensor::Tensor(ElementType type, llvm::ArrayRef<int64_t> shape)
    : type(type), shape(shape) {
  size_t size = llvm::alignTo(std::max<uint64_t>(getByteSize(), 1), alignment);
  elements = static_cast<char *>(std::aligned_alloc(alignment, size));
  if (!elements)
    llvm::report_bad_alloc_error("cannot allocate a tensor");
  std::memset(elements, 0, size);
  owner = std::shared_ptr<void>(elements, std::free);
}

Tensor::Tensor(ElementType type, llvm::ArrayRef<int64_t> shape, char *elements,
               std::shared_ptr<void> owner)
    : type(type), shape(shape), elements(elements), owner(std::move(owner)) {}

int64_t Tensor::getNumElements() const {
  int64_t count = 1;
  for (int64_t dim : shape)
    count *= dim;
  return count;
}

std::string Tensor::describe() const {
  std::string text = getName(type).str();
  llvm::raw_string_ostream os(text);
  os << '[';
  llvm::interleaveComma(shape, os);
  os << ']';
  return text;
}
