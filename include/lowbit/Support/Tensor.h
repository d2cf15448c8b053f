//===- Tensor.h - dense tensors in the host's memory --------- -*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_SUPPORT_TENSOR_H
#define LOWBIT_SUPPORT_TENSOR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lowbit {

/// The element types that cross the border between compiled code and the host.
enum class ElementType : uint8_t {
  Bool,
  I8,
  U8,
  I16,
  U16,
  I32,
  U32,
  I64,
  U64,
  F16,
  BF16,
  F32,
  F64,
};

unsigned getByteSize(ElementType type);
/// The name that numpy gives the type: "bool", "int8", "float32", ...
llvm::StringRef getName(ElementType type);
std::optional<ElementType> parseElementType(llvm::StringRef name);

template <typename T>
constexpr ElementType getElementTypeOf();
template <>
constexpr ElementType getElementTypeOf<bool>() {
  return ElementType::Bool;
}
template <>
constexpr ElementType getElementTypeOf<int8_t>() {
  return ElementType::I8;
}
template <>
constexpr ElementType getElementTypeOf<uint8_t>() {
  return ElementType::U8;
}
template <>
constexpr ElementType getElementTypeOf<int32_t>() {
  return ElementType::I32;
}
template <>
constexpr ElementType getElementTypeOf<int64_t>() {
  return ElementType::I64;
}
template <>
constexpr ElementType getElementTypeOf<float>() {
  return ElementType::F32;
}
template <>
constexpr ElementType getElementTypeOf<double>() {
  return ElementType::F64;
}

/// A dense row-major tensor. Copies share the elements; `data` gives access to
/// them without a check that nobody else does.
class Tensor {
public:
  Tensor() = default;
  /// Zero-initialized elements, aligned for any vector type.
  Tensor(ElementType type, llvm::ArrayRef<int64_t> shape);
  /// Elements that something else owns; `owner` keeps them alive.
  Tensor(ElementType type, llvm::ArrayRef<int64_t> shape, char *elements,
         std::shared_ptr<void> owner);

  template <typename T>
  static Tensor get(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<T> values) {
    Tensor tensor(getElementTypeOf<T>(), shape);
    assert(int64_t(values.size()) == tensor.getNumElements());
    std::copy(values.begin(), values.end(), tensor.data<T>());
    return tensor;
  }

  ElementType getType() const { return type; }
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  int64_t getRank() const { return shape.size(); }
  int64_t getNumElements() const;
  uint64_t getByteSize() const {
    return getNumElements() * lowbit::getByteSize(type);
  }

  char *getBytes() const { return elements; }
  template <typename T>
  T *data() const {
    assert(getElementTypeOf<T>() == type && "tensor of another type");
    return reinterpret_cast<T *>(elements);
  }
  template <typename T>
  llvm::ArrayRef<T> values() const {
    return {data<T>(), size_t(getNumElements())};
  }

  /// The type and shape as users see them: "float32[2, 64]".
  std::string describe() const;

private:
  ElementType type = ElementType::F32;
  llvm::SmallVector<int64_t, 4> shape;
  char *elements = nullptr;
  std::shared_ptr<void> owner;
};

/// Tensors with their names, in the order of a signature or a file.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

} // namespace lowbit

#endif // LOWBIT_SUPPORT_TENSOR_H
