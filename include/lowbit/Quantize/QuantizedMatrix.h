//===- QuantizedMatrix.h - A matrix as its format stores it -----*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_QUANTIZEDMATRIX_H
#define LOWBIT_QUANTIZE_QUANTIZEDMATRIX_H

#include "lowbit/Support/Tensor.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <string>
#include <vector>

namespace lowbit {

/// The shape of one of the dense tensors that a format stores a matrix in.
struct ComponentSpec {
  /// "codes", "scales", "zeros", ...
  std::string name;
  ElementType type;
  llvm::SmallVector<int64_t, 2> shape;

  int64_t getByteSize() const;
};

/// One component tensor with its bytes, row-major and little-endian.
struct Component {
  ComponentSpec spec;
  std::vector<uint8_t> bytes;
};

/// A quantized matrix: its logical shape, and the component tensors in the
/// order in which its format lists them.
struct QuantizedMatrix {
  int64_t rows = 0;
  int64_t cols = 0;
  llvm::SmallVector<Component, 3> components;

  /// The component's bytes; null when there is no component of that name.
  const Component *getComponent(llvm::StringRef name) const;
  /// The bytes of every component, as `BlockFormat::decode` takes them.
  llvm::SmallVector<llvm::ArrayRef<uint8_t>, 3> getBytes() const;
  /// Everything that is stored, padding included, divided by the number of
  /// weights.
  double getBitsPerWeight() const;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_QUANTIZEDMATRIX_H
