//===- MatmulStrategy.h - how a product is computed -------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_KERNELS_MATMULSTRATEGY_H
#define LOWBIT_KERNELS_MATMULSTRATEGY_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/CommandLine.h"

namespace lowbit {

/// How a kernel multiplies activations by the codes of a weight.
enum class MatmulStrategy {
  /// Whichever of the others is the fastest for the tokens at hand.
  Auto,
  /// Integer dot products of int8 activations and codes.
  Dot,
  /// Codes become f32, which float activations are multiplied by.
  Dequantize,
  /// Sums of products with int8 activations, looked up by codes of at most four
  /// bits.
  Lut,
  /// Integer products of tiles of 16 tokens by a matrix unit; dot products for
  /// the tokens that are left.
  Tiles,
};

/// The name that options know it by.
llvm::StringRef stringifyMatmulStrategy(MatmulStrategy strategy);

/// The values of an option that chooses a strategy.
llvm::cl::ValuesClass getMatmulStrategyValues();

} // namespace lowbit

#endif // LOWBIT_KERNELS_MATMULSTRATEGY_H
