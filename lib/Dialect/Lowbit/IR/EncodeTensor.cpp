//===- EncodeTensor.cpp - builds tensors of codes -------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EncodeTensor.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace lowbit;

Value lowbit::buildEmpty(FormatEmitter &b, RankedTensorType type,
                         Value source) {
  SmallVector<Value> sizes;
  for (auto [i, size] : llvm::enumerate(type.getShape()))
    if (ShapedType::isDynamic(size))
      sizes.push_back(tensor::DimOp::create(b, source, i));
  return tensor::EmptyOp::create(b, type, sizes);
}

Value lowbit::buildTensor(FormatEmitter &b, RankedTensorType type, Value source,
                          ElementBuilder element) {
  const int64_t rank = type.getRank();
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             b, type, /*inputs=*/ValueRange(), buildEmpty(b, type, source),
             b.getMultiDimIdentityMap(rank), iterators,
             [&](OpBuilder &nested, Location loc, ValueRange) {
               FormatEmitter body(loc, nested);
               SmallVector<Value> indices;
               for (int64_t dim = 0; dim < rank; ++dim)
                 indices.push_back(linalg::IndexOp::create(body, dim));
               linalg::YieldOp::create(body, element(body, indices));
             })
      .getResult(0);
}

Value lowbit::buildPack(FormatEmitter &b, unsigned bits, RankedTensorType type,
                        Value source, int64_t count, ElementBuilder code) {
  return buildTensor(
      b, type, source, [&](FormatEmitter &b, ArrayRef<Value> indices) -> Value {
        if (bits == 8)
          return arith::TruncIOp::create(b, b.getI8Type(), code(b, indices));
        // All codes that share bits with this byte, which lies in bits 8 to 15
        // of the word.
        Value bit = arith::MulIOp::create(b, indices.back(), b.index(8));
        Value first = arith::DivUIOp::create(b, bit, b.index(bits));
        SmallVector<Value> codeIndices(indices);
        Value word = b.i32(0);
        const int64_t numCodes = 8 % bits == 0 ? 8 / bits : 8 / bits + 2;
        for (int64_t i = 0; i < numCodes; ++i) {
          Value k = arith::AddIOp::create(b, first, b.index(i));
          Value inBounds = arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                                 k, b.index(count));
          codeIndices.back() = arith::MinUIOp::create(b, k, b.index(count - 1));
          Value bitsOfCode = arith::AndIOp::create(b, code(b, codeIndices),
                                                   b.i32((1 << bits) - 1));
          Value shift = arith::MulIOp::create(b, k, b.index(bits));
          shift = arith::SubIOp::create(b, shift, bit);
          shift = arith::AddIOp::create(b, shift, b.index(8));
          shift = arith::IndexCastOp::create(b, b.getI32Type(), shift);
          Value placed = arith::ShLIOp::create(b, bitsOfCode, shift);
          placed = arith::SelectOp::create(b, inBounds, placed, b.i32(0));
          word = arith::OrIOp::create(b, word, placed);
        }
        word = arith::ShRUIOp::create(b, word, b.i32(8));
        return arith::TruncIOp::create(b, b.getI8Type(), word);
      });
}

Value lowbit::buildScaleConstant(FormatEmitter &b, RankedTensorType type,
                                 float scale) {
  return arith::ConstantOp::create(
      b, DenseElementsAttr::get(
             type, Attribute(b.getFloatAttr(type.getElementType(), scale))));
}
