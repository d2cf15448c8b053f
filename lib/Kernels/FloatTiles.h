//===- FloatTiles.h - products of small f32 matrices ------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_KERNELS_FLOATTILES_H
#define LOWBIT_LIB_KERNELS_FLOATTILES_H

#include "lowbit/Kernels/KernelBuilder.h"
#include "lowbit/Kernels/Lanes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace lowbit {

/// What kernels that compute with blocks of f32 are built of.
class FloatTileBuilder : protected KernelBuilder {
public:
  using KernelBuilder::KernelBuilder;

  /// Neighbours that are loaded at once where nothing else is asked for; the
  /// same on every target.
  static constexpr int64_t lanes = reductionLanes;
  /// Rows of a register tile.
  static constexpr int64_t tileRows = 4;

protected:
  //===--------------------------------------------------------------------===//
  // Vectors
  //===--------------------------------------------------------------------===//

  mlir::VectorType getVector(int64_t width) {
    return mlir::VectorType::get({width}, b.getF32Type());
  }
  Value spread(Value scalar, int64_t width = lanes) {
    return mlir::vector::BroadcastOp::create(
        b, mlir::VectorType::get({width}, scalar.getType()), scalar);
  }
  Value load(int64_t width, Value buffer, ValueRange at) {
    return mlir::vector::LoadOp::create(b, getVector(width), buffer, at);
  }
  void store(Value vector, Value buffer, ValueRange at) {
    mlir::vector::StoreOp::create(b, vector, buffer, at);
  }
  /// Transposes a square of `lanes` vectors of as many elements.
  void transpose(llvm::MutableArrayRef<Value> rows);

  /// Runs `body` for the place and width of vectors that cover `size` elements:
  /// those of `width` elements, then narrower ones.
  void forVectors(int64_t size, int64_t width,
                  llvm::function_ref<void(Value, int64_t)> body);

  //===--------------------------------------------------------------------===//
  // Products
  //===--------------------------------------------------------------------===//

  /// result[row, column..] = sum of left[row, step] * right(step), over `depth`
  /// steps in their order, for `width` columns of all rows.
  struct Product {
    Value rows;
    Value left;
    Value depth;
    /// Loads a vector of the right operand, given a step, column and width.
    llvm::function_ref<Value(Value, Value, int64_t)> right;
    Value result;
    Value column;
    int64_t width;
    /// Whether the sums start from the result.
    bool accumulate;
  };
  void multiplyRows(const Product &product);

private:
  void multiplyTile(const Product &product, Value firstRow, int64_t rows);
};

} // namespace lowbit

#endif // LOWBIT_LIB_KERNELS_FLOATTILES_H
