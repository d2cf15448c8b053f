//===- FormatEmitter.cpp - what the code of formats is made of ------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lowbit;

Value FormatEmitter::index(int64_t value) {
  return arith::ConstantIndexOp::create(*this, value);
}

Value FormatEmitter::i32(int64_t value) {
  return arith::ConstantIntOp::create(*this, getI32Type(), value);
}

Value FormatEmitter::f32(float value) {
  return arith::ConstantFloatOp::create(*this, getF32Type(),
                                        llvm::APFloat(value));
}

Value FormatEmitter::convert(Value value, Type type) {
  unsigned from = value.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (value.getType() == type)
    return value;
  if (from < to)
    return arith::ExtFOp::create(*this, type, value);
  return arith::TruncFOp::create(*this, type, value);
}

Value FormatEmitter::extractF32(Value tensor, ValueRange indices) {
  return convert(tensor::ExtractOp::create(*this, tensor, indices),
                 getF32Type());
}

Value FormatEmitter::toInteger(Value value, Value lo, Value hi) {
  value = arith::MaxNumFOp::create(*this, value, lo);
  value = arith::MinNumFOp::create(*this, value, hi);
  value = math::RoundEvenOp::create(*this, value);
  return arith::FPToSIOp::create(*this, getI32Type(), value);
}

Value FormatEmitter::unpack(Value packed, unsigned bits, bool isSigned,
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

SmallVector<Value> FormatEmitter::groupIndices(int64_t groupRows,
                                               int64_t groupCols,
                                               ArrayRef<Value> indices) {
  auto getGroup = [&](Value position, int64_t size) -> Value {
    if (size == 1)
      return position;
    if (size == 0)
      return index(0);
    return arith::DivUIOp::create(*this, position, index(size));
  };
  SmallVector<Value> groups;
  for (Value position : indices.drop_back())
    groups.push_back(getGroup(position, groupRows));
  groups.push_back(getGroup(indices.back(), groupCols));
  return groups;
}
