//===- AttentionRows.h - keys and values as kernels read them ---*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_KERNELS_ATTENTIONROWS_H
#define LOWBIT_LIB_KERNELS_ATTENTIONROWS_H

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Kernels/KernelBuilder.h"

namespace lowbit {

/// The keys or the values of `lowbit.attention`, [batch, heads, rows, size]:
/// floats, or codes that become floats in registers, of the same bits as
/// `lowbit.dequantize` makes.
class AttentionRows {
public:
  /// `components` are the buffers of a tensor of `type`, or if there is none
  /// one of floats. Operations go where `k` stands when they are asked for.
  AttentionRows(KernelBuilder &k, mlir::ValueRange components,
                std::optional<QuantTensorType> type);

  bool isQuantized() const { return bool(format); }
  /// The number of columns.
  int64_t getSize() const { return size; }
  mlir::Value getDim(int64_t dim) const;

  /// `width` columns from `at`, [batch, head, row, column], on. Quantized ones
  /// must lie in one group and begin at a byte.
  mlir::Value load(int64_t width, mlir::ValueRange at) const;
  /// Asks for what `load` would read. It may lie beyond the end of the buffer.
  void prefetch(mlir::ValueRange at) const;

private:
  mlir::Value loadCodes(int64_t width, mlir::ValueRange at) const;
  mlir::Value loadZero(mlir::ValueRange group) const;
  /// Where the code of an element begins: in which byte, in which bit of it.
  std::pair<mlir::Value, mlir::Value> locate(mlir::Value element) const;

  KernelBuilder &k;
  /// Null if the rows are floats.
  UniformAttr format;
  int64_t size;
  /// The floats, or the codes.
  mlir::Value elements;
  /// Of codes; the zero points may be null.
  mlir::Value scales, zeros;
};

} // namespace lowbit

#endif // LOWBIT_LIB_KERNELS_ATTENTIONROWS_H
