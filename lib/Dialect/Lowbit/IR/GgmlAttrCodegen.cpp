//===- GgmlAttrCodegen.cpp - what #lowbit.ggml means in IR ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The same operations as in `GgmlFormat::decode`. A code generator may fuse the
// products into the sums: every product has at most 22 significant bits (11 of
// an f16, 6 of a scale, 5 of a code) and is exact.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace lowbit;

namespace {
/// Builds the reads of one element's block. Integers are i32.
class BlockReader : public ImplicitLocOpBuilder {
public:
  /// The element at `indices` of a tensor stored in `blocks`.
  BlockReader(Location loc, OpBuilder &builder, const GgmlLayout &layout,
              Value blocks, ValueRange indices)
      : ImplicitLocOpBuilder(loc, builder), layout(layout), blocks(blocks),
        indices(indices) {
    Value col = this->indices.back();
    inBlock = arith::RemUIOp::create(*this, col, index(layout.blockCols));
    Value block = arith::DivUIOp::create(*this, col, index(layout.blockCols));
    firstByte = arith::MulIOp::create(*this, block, index(layout.blockBytes));
    group = arith::DivUIOp::create(*this, inBlock, index(layout.groupCols));
  }

  Value getLevel();
  /// What levels are multiplied by.
  Value getScale();
  /// What is added to the product.
  Value getMin();

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(*this, value);
  }
  Value i32(int64_t value) {
    return arith::ConstantIntOp::create(*this, getI32Type(), value);
  }
  Value getByte(Value index);
  Value readHalf(int64_t byte);
  Value readPlane(const GgmlPlane &plane, Value index);
  Value readPlanes(const GgmlPlane &low, const GgmlPlane &high, Value index);
  Value readSixBits(bool isMin);
  Value readScale(bool isMin);
  Value shiftLeft(Value value, int64_t bits) {
    return arith::ShLIOp::create(*this, value, i32(bits));
  }
  Value shiftRight(Value value, int64_t bits) {
    return arith::ShRUIOp::create(*this, value, i32(bits));
  }
  Value mask(Value value, int64_t bits) {
    return arith::AndIOp::create(*this, value, i32((1 << bits) - 1));
  }
  /// From the bits of a signed byte.
  Value signExtend(Value byte) {
    byte = arith::TruncIOp::create(*this, getI8Type(), byte);
    return arith::ExtSIOp::create(*this, getI32Type(), byte);
  }
  Value toFloat(Value value) {
    return arith::SIToFPOp::create(*this, getF32Type(), value);
  }

  const GgmlLayout &layout;
  Value blocks;
  SmallVector<Value> indices;
  /// The element in its block, its block's first byte, its group.
  Value inBlock, firstByte, group;
};
} // namespace

/// Byte `index` of the block.
Value BlockReader::getByte(Value index) {
  SmallVector<Value> place(indices);
  place.back() = arith::AddIOp::create(*this, firstByte, index);
  Value byte = tensor::ExtractOp::create(*this, blocks, place);
  return arith::ExtUIOp::create(*this, getI32Type(), byte);
}

Value BlockReader::readHalf(int64_t byte) {
  Value high = shiftLeft(getByte(index(byte + 1)), 8);
  Value bits = arith::OrIOp::create(*this, getByte(index(byte)), high);
  bits = arith::TruncIOp::create(*this, getI16Type(), bits);
  Value half = arith::BitcastOp::create(*this, getF16Type(), bits);
  return arith::ExtFOp::create(*this, getF32Type(), half);
}

Value BlockReader::readPlane(const GgmlPlane &plane, Value place) {
  const int64_t stride = plane.stride, perByte = 8 / plane.bits;
  Value chunk = arith::DivUIOp::create(*this, place, index(stride * perByte));
  Value byte = arith::MulIOp::create(*this, chunk, index(stride));
  byte = arith::AddIOp::create(
      *this, byte, arith::RemUIOp::create(*this, place, index(stride)));
  byte = getByte(arith::AddIOp::create(*this, byte, index(plane.base)));
  if (perByte == 1)
    return byte;
  Value part = arith::DivUIOp::create(*this, place, index(stride));
  part = arith::RemUIOp::create(*this, part, index(perByte));
  Value shift = arith::MulIOp::create(*this, part, index(plane.bits));
  shift = arith::IndexCastOp::create(*this, getI32Type(), shift);
  return mask(arith::ShRUIOp::create(*this, byte, shift), plane.bits);
}

Value BlockReader::readPlanes(const GgmlPlane &low, const GgmlPlane &high,
                              Value place) {
  Value value = readPlane(low, place);
  if (high.bits == 0)
    return value;
  return arith::OrIOp::create(*this, value,
                              shiftLeft(readPlane(high, place), low.bits));
}

Value BlockReader::readSixBits(bool isMin) {
  auto getScaleByte = [&](Value place) {
    return getByte(
        arith::AddIOp::create(*this, place, index(layout.scaleLow.base)));
  };
  Value four = index(4);
  Value isFirst =
      arith::CmpIOp::create(*this, arith::CmpIPredicate::ult, group, four);
  Value own = getScaleByte(group);
  Value ahead = getScaleByte(arith::AddIOp::create(*this, group, four));
  if (isMin) {
    Value last = arith::OrIOp::create(*this, shiftRight(ahead, 4),
                                      shiftLeft(shiftRight(own, 6), 4));
    return arith::SelectOp::create(*this, isFirst, mask(ahead, 6), last);
  }
  // For the first four groups any byte will do.
  Value behind = getScaleByte(arith::RemUIOp::create(*this, group, four));
  Value last = arith::OrIOp::create(*this, mask(ahead, 4),
                                    shiftLeft(shiftRight(behind, 6), 4));
  return arith::SelectOp::create(*this, isFirst, mask(own, 6), last);
}

/// The scale or the min of the group, as a float.
Value BlockReader::readScale(bool isMin) {
  if (layout.scales == GgmlLayout::Scales::SixBits)
    return toFloat(readSixBits(isMin));
  Value place = group;
  if (isMin)
    place = arith::AddIOp::create(*this, group, index(layout.getNumGroups()));
  Value scale = readPlanes(layout.scaleLow, layout.scaleHigh, place);
  if (layout.hasSignedScales())
    scale = signExtend(scale);
  if (layout.scaleOffset != 0)
    scale = arith::SubIOp::create(*this, scale, i32(layout.scaleOffset));
  return toFloat(scale);
}

Value BlockReader::getLevel() {
  Value code = readPlanes(layout.low, layout.high, inBlock);
  if (layout.hasSignedCodes())
    return toFloat(signExtend(code));
  if (!layout.hasTable)
    return toFloat(
        layout.codeOffset == 0
            ? code
            : arith::SubIOp::create(*this, code, i32(layout.codeOffset))
                  .getResult());
  // The table as two integers, so that it needs no memory on any target.
  auto getHalf = [&](size_t first) -> Value {
    uint64_t bits = 0;
    for (size_t i = 0; i < 8; ++i)
      bits |= static_cast<uint64_t>(static_cast<uint8_t>(ggmlTable[first + i]))
              << (8 * i);
    return arith::ConstantIntOp::create(*this, getI64Type(),
                                        static_cast<int64_t>(bits));
  };
  Value isLow =
      arith::CmpIOp::create(*this, arith::CmpIPredicate::ult, code, i32(8));
  Value half = arith::SelectOp::create(*this, isLow, getHalf(0), getHalf(8));
  Value shift = shiftLeft(mask(code, 3), 3);
  shift = arith::ExtUIOp::create(*this, getI64Type(), shift);
  half = arith::ShRUIOp::create(*this, half, shift);
  Value entry = arith::TruncIOp::create(*this, getI8Type(), half);
  return toFloat(arith::ExtSIOp::create(*this, getI32Type(), entry));
}

Value BlockReader::getScale() {
  Value scale = readHalf(layout.scaleByte);
  if (layout.scales == GgmlLayout::Scales::None)
    return scale;
  return arith::MulFOp::create(*this, scale, readScale(/*isMin=*/false));
}

Value BlockReader::getMin() {
  Value min = readHalf(layout.minByte);
  if (layout.addsMin())
    return min;
  min = arith::MulFOp::create(*this, min, readScale(/*isMin=*/true));
  return arith::NegFOp::create(*this, min);
}

Value GgmlAttr::buildDecode(OpBuilder &builder, Location loc,
                            RankedTensorType expressed, ValueRange components,
                            ValueRange indices) const {
  BlockReader b(loc, builder, getLayout(), components.front(), indices);
  Value value = arith::MulFOp::create(b, b.getScale(), b.getLevel());
  if (getLayout().hasMin())
    value = arith::AddFOp::create(b, value, b.getMin());
  Type type = expressed.getElementType();
  const unsigned width = type.getIntOrFloatBitWidth();
  if (width < 32)
    return arith::TruncFOp::create(b, type, value);
  if (width > 32)
    return arith::ExtFOp::create(b, type, value);
  return value;
}
