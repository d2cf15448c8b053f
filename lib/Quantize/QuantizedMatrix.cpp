//===- QuantizedMatrix.cpp - A matrix as its format stores it -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/QuantizedMatrix.h"
#include "llvm/ADT/STLExtras.h"

using namespace lowbit;

int64_t ComponentSpec::getByteSize() const {
  int64_t size = lowbit::getByteSize(type);
  for (int64_t dim : shape)
    size *= dim;
  return size;
}

const Component *QuantizedMatrix::getComponent(llvm::StringRef name) const {
  const auto *it = llvm::find_if(components, [&](const Component &component) {
    return component.spec.name == name;
  });
  return it == components.end() ? nullptr : it;
}

llvm::SmallVector<llvm::ArrayRef<uint8_t>, 3>
QuantizedMatrix::getBytes() const {
  llvm::SmallVector<llvm::ArrayRef<uint8_t>, 3> bytes;
  for (const Component &component : components)
    bytes.push_back(component.bytes);
  return bytes;
}

double QuantizedMatrix::getBitsPerWeight() const {
  double bytes = 0;
  for (const Component &component : components)
    bytes += component.bytes.size();
  return 8.0 * bytes / (static_cast<double>(rows) * cols);
}
