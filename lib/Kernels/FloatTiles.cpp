//===- FloatTiles.cpp - products of small f32 matrices --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FloatTiles.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace lowbit;

void FloatTileBuilder::forVectors(int64_t size, int64_t width,
                                  function_ref<void(Value, int64_t)> body) {
  int64_t whole = size / width * width;
  if (whole)
    loop(index(0), index(whole), width,
         [&](Value column) { body(column, width); });
  for (int64_t column = whole; column < size;) {
    int64_t rest = std::min(lanes, size - column);
    body(index(column), rest);
    column += rest;
  }
}

void FloatTileBuilder::transpose(MutableArrayRef<Value> rows) {
  // Pairs of rows exchange halves, then quarters, and so on.
  for (int64_t distance = lanes / 2; distance > 0; distance /= 2)
    for (int64_t row = 0; row < lanes; ++row) {
      if (row & distance)
        continue;
      SmallVector<int64_t> upper, lower;
      for (int64_t lane = 0; lane < lanes; ++lane) {
        bool isFirst = !(lane & distance);
        upper.push_back(isFirst ? lane : lanes + lane - distance);
        lower.push_back(isFirst ? lane + distance : lanes + lane);
      }
      Value x = rows[row], y = rows[row + distance];
      rows[row] = vector::ShuffleOp::create(b, x, y, upper);
      rows[row + distance] = vector::ShuffleOp::create(b, x, y, lower);
    }
}

void FloatTileBuilder::multiplyTile(const Product &product, Value firstRow,
                                    int64_t rows) {
  const int64_t width = product.width;
  Values tile, places;
  for (int64_t row = 0; row < rows; ++row) {
    places.push_back(add(firstRow, index(row)));
    tile.push_back(product.accumulate ? load(width, product.result,
                                             {places.back(), product.column})
                                      : spread(constant(0), width));
  }
  tile = loop(
      index(0), product.depth, 1, tile, [&](Value step, ValueRange carried) {
        Value right = product.right(step, product.column, width);
        Values updated;
        for (auto [place, sum] : llvm::zip_equal(places, carried)) {
          Value left =
              memref::LoadOp::create(b, product.left, ValueRange{place, step});
          updated.push_back(
              vector::FMAOp::create(b, spread(left, width), right, sum));
        }
        return updated;
      });
  for (auto [place, sum] : llvm::zip_equal(places, tile))
    store(sum, product.result, {place, product.column});
}

void FloatTileBuilder::multiplyRows(const Product &product) {
  Value whole = roundDown(product.rows, tileRows);
  loop(index(0), whole, tileRows,
       [&](Value row) { multiplyTile(product, row, tileRows); });
  loop(whole, product.rows, 1,
       [&](Value row) { multiplyTile(product, row, 1); });
}
