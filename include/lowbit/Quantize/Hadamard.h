//===- Hadamard.h - Orthogonal matrices of +1 and -1 ------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_HADAMARD_H
#define LOWBIT_QUANTIZE_HADAMARD_H

#include "lowbit/Quantize/MatrixView.h"
#include "llvm/ADT/ArrayRef.h"
#include <optional>
#include <vector>

namespace lowbit {

/// A matrix of +1 and -1 whose rows are orthogonal: the Kronecker product
/// P x S. S is Sylvester's, of a power of two. P is 1, or the smallest matrix
/// of one of Paley's constructions over a prime field such that the orders
/// multiply to the one asked for.
class HadamardMatrix {
public:
  /// The largest Paley matrix that is used. It is multiplied densely; past this
  /// order a layer would notice.
  static constexpr int64_t maxPaleyOrder = 256;

  /// Nothing if the construction has no matrix of this order.
  static std::optional<HadamardMatrix> get(int64_t order);
  /// The largest order that divides `width` and has a matrix.
  static int64_t getLargestOrder(int64_t width);

  int64_t getOrder() const { return paleyOrder * sylvesterOrder; }
  int64_t getPaleyOrder() const { return paleyOrder; }
  int64_t getSylvesterOrder() const { return sylvesterOrder; }
  /// P, row by row.
  llvm::ArrayRef<int8_t> getPaleyMatrix() const { return paley; }

  /// row = row * H / sqrt(order), or H^T instead of H.
  void apply(llvm::MutableArrayRef<double> row, bool transposed = false) const;

private:
  HadamardMatrix(int64_t paleyOrder, int64_t sylvesterOrder);

  int64_t paleyOrder;
  int64_t sylvesterOrder;
  std::vector<int8_t> paley;
};

/// An orthogonal matrix of one or more equal Hadamard blocks on the diagonal,
/// by which rows are multiplied; before that the signs of some channels may be
/// flipped. Without the flips a mean that all channels share would end up in a
/// single one.
class HadamardRotation {
public:
  /// Blocks of `block` channels, an order that has a matrix and divides
  /// `width`. Signs are drawn if there is a seed; they depend on it alone.
  HadamardRotation(int64_t width, int64_t block, std::optional<uint64_t> seed);

  int64_t getWidth() const { return width; }
  int64_t getBlock() const { return matrix.getOrder(); }

  /// Multiplies every row from the right, in double precision.
  void applyToRows(MatrixView rows, unsigned threads) const;

private:
  int64_t width;
  HadamardMatrix matrix;
  /// +1 and -1; empty if none is flipped.
  std::vector<int8_t> signs;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_HADAMARD_H
