//===- AttentionRows.cpp - keys and values as kernels read them -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionRows.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lowbit;

AttentionRows::AttentionRows(KernelBuilder &k, ValueRange components,
                             std::optional<QuantTensorType> type)
    : k(k),
      size(type ? type->getDimSize(3)
                : cast<MemRefType>(components.front().getType()).getDimSize(3)),
      elements(components.front()) {
  if (!type)
    return;
  format = cast<UniformAttr>(type->getFormat());
  scales = components[1];
  if (format.getHasZeroPoint())
    zeros = components[2];
}

Value AttentionRows::getDim(int64_t dim) const {
  return memref::DimOp::create(k.b, elements, dim);
}

std::pair<Value, Value> AttentionRows::locate(Value element) const {
  const int64_t perByte = 8 / format.getBits();
  Value bit = k.mul(k.rem(element, k.index(perByte)), format.getBits());
  return {k.div(element, k.index(perByte)),
          arith::IndexCastOp::create(k.b, k.b.getI32Type(), bit)};
}

void AttentionRows::prefetch(ValueRange at) const {
  SmallVector<Value> place(at);
  if (format)
    place.back() = locate(at.back()).first;
  memref::PrefetchOp::create(k.b, elements, place, /*isWrite=*/false,
                             /*localityHint=*/3, /*isDataCache=*/true);
}

/// The codes as integers of 32 bits.
Value AttentionRows::loadCodes(int64_t width, ValueRange at) const {
  const int64_t bits = format.getBits(), perByte = 8 / bits;
  SmallVector<Value> place(at);
  place.back() = locate(at.back()).first;
  auto bytesType =
      VectorType::get({(width + perByte - 1) / perByte}, k.b.getI8Type());
  auto codesType = VectorType::get({width}, k.b.getI32Type());
  Value bytes = vector::LoadOp::create(k.b, bytesType, elements, place);
  if (bits == 8) {
    if (format.getIsSigned())
      return arith::ExtSIOp::create(k.b, codesType, bytes);
    return arith::ExtUIOp::create(k.b, codesType, bytes);
  }
  // Each code gets a copy of its byte, and moves to the top of the word.
  SmallVector<int64_t> sources;
  SmallVector<int32_t> shifts;
  for (int64_t i = 0; i < width; ++i) {
    sources.push_back(i / perByte);
    shifts.push_back(32 - bits * (i % perByte + 1));
  }
  Value words = arith::ExtUIOp::create(
      k.b, codesType, vector::ShuffleOp::create(k.b, bytes, bytes, sources));
  words = arith::ShLIOp::create(
      k.b, words, arith::ConstantOp::create(k.b, k.b.getI32VectorAttr(shifts)));
  Value down = k.splat(codesType, 32 - bits);
  if (format.getIsSigned())
    return arith::ShRSIOp::create(k.b, words, down);
  return arith::ShRUIOp::create(k.b, words, down);
}

/// The zero point of a group as an integer of 32 bits.
Value AttentionRows::loadZero(ValueRange group) const {
  const int64_t bits = format.getBits();
  Type i32 = k.b.getI32Type();
  SmallVector<Value> place(group);
  auto [byte, bit] = locate(group.back());
  place.back() = byte;
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIntOp::create(k.b, i32, value);
  };
  Value word = arith::ExtUIOp::create(
      k.b, i32, memref::LoadOp::create(k.b, zeros, place));
  Value up = arith::SubIOp::create(k.b, constant(32 - bits), bit);
  word = arith::ShLIOp::create(k.b, word, up);
  if (format.getIsSigned())
    return arith::ShRSIOp::create(k.b, word, constant(32 - bits));
  return arith::ShRUIOp::create(k.b, word, constant(32 - bits));
}

Value AttentionRows::load(int64_t width, ValueRange at) const {
  auto type = VectorType::get({width}, k.b.getF32Type());
  if (!format)
    return vector::LoadOp::create(k.b, type, elements, at);
  SmallVector<Value> group(at);
  group.back() = format.getGroupCols()
                     ? k.div(at.back(), k.index(format.getGroupCols()))
                     : k.index(0);
  auto spread = [&](Value scalar) -> Value {
    return vector::BroadcastOp::create(
        k.b, VectorType::get({width}, scalar.getType()), scalar);
  };
  Value codes = loadCodes(width, at);
  if (zeros)
    codes = arith::SubIOp::create(k.b, codes, spread(loadZero(group)));
  Value scale = memref::LoadOp::create(k.b, scales, group);
  if (!scale.getType().isF32())
    scale = arith::ExtFOp::create(k.b, k.b.getF32Type(), scale);
  return arith::MulFOp::create(k.b, spread(scale),
                               arith::SIToFPOp::create(k.b, type, codes));
}
