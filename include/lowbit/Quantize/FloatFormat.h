//===- FloatFormat.h - Floats, unscaled -------------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_FLOATFORMAT_H
#define LOWBIT_QUANTIZE_FLOATFORMAT_H

#include "lowbit/Quantize/BlockFormat.h"

namespace lowbit {

/// Values as floats of some type, rounded to nearest, ties to even.
class FloatFormat final : public BlockFormat {
public:
  struct Spec {
    /// F32, F16 or BF16.
    ElementType type = ElementType::F32;
    /// Whether columns, and not rows, are contiguous.
    bool transposed = false;
  };

  /// Fails with a message that names the wrong value.
  static llvm::Expected<FloatFormat> get(const Spec &spec);

  const Spec &getSpec() const { return spec; }
  /// Where an element of a matrix of this shape is stored, in elements.
  int64_t getOffset(int64_t rows, int64_t cols, int64_t row,
                    int64_t col) const {
    return spec.transposed ? col * rows + row : row * cols + col;
  }

  std::string describe() const override;
  llvm::SmallVector<ComponentSpec, 3>
  getComponents(int64_t rows, int64_t cols) const override;
  llvm::Expected<std::unique_ptr<MatrixEncoder>>
  createEncoder(ConstMatrixView weights,
                const RangeSearch &search) const override;
  using BlockFormat::decode;
  llvm::Error decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                     MatrixView decoded) const override;

private:
  explicit FloatFormat(const Spec &spec) : spec(spec) {}

  Spec spec;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_FLOATFORMAT_H
