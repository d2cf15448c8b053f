//===- FormatEmitter.cpp - builds what formats compute --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatEmitter.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace lowbit;

Value FormatEmitter::convert(Value value, Type type) {
  unsigned from = value.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (value.getType() == type)
    return value;
  if (from < to)
    return arith::ExtFOp::create(*this, type, value);
  return arith::TruncFOp::create(*this, type, value);
}

Value FormatEmitter::toInteger(Value value, Value lo, Value hi) {
  value = arith::MaxNumFOp::create(*this, value, lo);
  value = arith::MinNumFOp::create(*this, value, hi);
  value = math::RoundEvenOp::create(*this, value);
  return arith::FPToSIOp::create(*this, getI32Type(), value);
}

Value FormatEmitter::unpack(unsigned bits, bool isSigned, Value packed,
                            ArrayRef<Value> indices) {
  Type i32Type = getI32Type();
  SmallVector<Value> byteIndices(indices);
  if (bits == 8) {
    Value byte = tensor::ExtractOp::create(*this, packed, byteIndices);
    if (isSigned)
      return arith::ExtSIOp::create(*this, i32Type, byte);
    return arith::ExtUIOp::create(*this, i32Type, byte);
  }
  auto getByte = [&](Value index) -> Value {
    byteIndices.back() = index;
    Value byte = tensor::ExtractOp::create(*this, packed, byteIndices);
    return arith::ExtUIOp::create(*this, i32Type, byte);
  };
  Value bit = arith::MulIOp::create(*this, indices.back(), index(bits));
  Value byteIndex = arith::ShRUIOp::create(*this, bit, index(3));
  Value word = getByte(byteIndex);
  if (8 % bits != 0) {
    // The code may go on in the next byte, if there is one.
    int64_t last =
        cast<RankedTensorType>(packed.getType()).getShape().back() - 1;
    Value next = arith::AddIOp::create(*this, byteIndex, index(1));
    Value high = getByte(arith::MinUIOp::create(*this, next, index(last)));
    high = arith::ShLIOp::create(*this, high, i32(8));
    word = arith::OrIOp::create(*this, word, high);
  }
  Value shift = arith::AndIOp::create(*this, bit, index(7));
  shift = arith::IndexCastOp::create(*this, i32Type, shift);
  if (!isSigned) {
    word = arith::ShRUIOp::create(*this, word, shift);
    return arith::AndIOp::create(*this, word, i32((1 << bits) - 1));
  }
  // Moves the code to the top of the word, and back with its sign.
  Value up = arith::SubIOp::create(*this, i32(32 - bits), shift);
  word = arith::ShLIOp::create(*this, word, up);
  return arith::ShRSIOp::create(*this, word, i32(32 - bits));
}

SmallVector<Value> FormatEmitter::groupIndices(GroupShape group,
                                               ArrayRef<Value> indices) {
  auto getGroup = [&](Value value, int64_t size) -> Value {
    if (size == 1)
      return value;
    if (size == 0)
      return index(0);
    return arith::DivUIOp::create(*this, value, index(size));
  };
  SmallVector<Value> groups;
  for (Value value : indices.drop_back())
    groups.push_back(getGroup(value, group.rows));
  groups.push_back(getGroup(indices.back(), group.cols));
  return groups;
}

Value FormatEmitter::lookUp(ArrayRef<float> table, Value index) {
  auto type = RankedTensorType::get(table.size(), getF32Type());
  Value constant =
      arith::ConstantOp::create(*this, DenseElementsAttr::get(type, table));
  index = arith::IndexCastUIOp::create(*this, getIndexType(), index);
  return tensor::ExtractOp::create(*this, constant, index);
}
