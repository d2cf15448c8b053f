//===- MatmulTile.h - what a kernel computes together -----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_MATMULTILE_H
#define LOWBIT_DIALECT_LOWBIT_IR_MATMULTILE_H

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/Hashing.h"

#include "lowbit/Dialect/Lowbit/IR/MatmulStrategyEnum.h.inc"

namespace lowbit {

/// Tokens and panels of 16 output channels that a kernel computes together.
struct TileShape {
  int64_t tokens, panels;

  int64_t size() const { return tokens * panels; }
  bool operator==(const TileShape &other) const {
    return tokens == other.tokens && panels == other.panels;
  }
};

/// The same, and how.
struct MatmulTile {
  TileShape shape;
  MatmulStrategy strategy;

  bool operator==(const MatmulTile &other) const {
    return shape == other.shape && strategy == other.strategy;
  }
};

inline llvm::hash_code hash_value(const MatmulTile &tile) {
  return llvm::hash_combine(tile.shape.tokens, tile.shape.panels,
                            tile.strategy);
}

/// "dot 12 x 2"
llvm::raw_ostream &operator<<(llvm::raw_ostream &os, const MatmulTile &tile);

} // namespace lowbit

#endif // LOWBIT_DIALECT_LOWBIT_IR_MATMULTILE_H
