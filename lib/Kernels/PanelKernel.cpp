//===- PanelKernel.cpp - what kernels on panels share ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PanelKernel.h"
#include "FloatLevels.h"
#include "lowbit/Dialect/QVec/IR/QVecOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace lowbit;

PanelKernelBuilder::PanelKernelBuilder(func::FuncOp function,
                                       const PanelMatmulSpec &spec,
                                       bool parallel)
    : KernelBuilder(function.getLoc(), function.getContext(), parallel),
      spec(spec), geometry(spec.geometry) {
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  unsigned next = 0;
  auto take = [&] { return Value(entry->getArgument(next++)); };
  input = take();
  if (spec.hasQuantizedInput())
    inputScales = take();
  // Or floats, which have no scales.
  codes = take();
  if (!spec.floatType)
    scales = take();
  if (spec.factorType)
    factors = take();
  if (spec.zeroType)
    zeros = take();
  if (spec.offsetType)
    offsets = take();
  if (spec.offsetFactorType)
    offsetFactors = take();
  if (spec.hasBias)
    bias = take();
  output = take();

  setLanes(lanes, /*scalable=*/false);
}

void PanelKernelBuilder::setLanes(int64_t count, bool scalable) {
  i32Lanes = VectorType::get({count}, b.getI32Type(), {scalable});
  f32Lanes = getLanes(b.getF32Type());
  byteLanes = getLanes(b.getI8Type(), bytesPerLane);
}

void PanelKernelBuilder::forEachLanes(int64_t atOnce, bool scalable,
                                      function_ref<void()> body) {
  if (atOnce == lanes && !scalable)
    return body();
  setLanes(atOnce, scalable);
  Value count = index(atOnce);
  if (scalable)
    count = mul(vector::VectorScaleOp::create(b).getResult(), count);
  loop(index(0), ceilDiv(index(lanes), count), 1, [&](Value part) {
    firstLane = mul(part, count);
    if (scalable) {
      // Registers may be longer than a panel.
      Value left = sub(index(lanes), firstLane);
      laneMask = vector::CreateMaskOp::create(b, getLanes(b.getI1Type()), left);
      byteMask = vector::CreateMaskOp::create(
          b, getLanes(b.getI1Type(), bytesPerLane), mul(left, bytesPerLane));
    }
    body();
  });
  firstLane = laneMask = byteMask = {};
  setLanes(lanes, /*scalable=*/false);
}

Value PanelKernelBuilder::loadLanes(VectorType type, Value from, Value panel,
                                    Value row, int64_t offset) {
  int64_t perLane = type.getDimSize(0) / i32Lanes.getDimSize(0);
  Value first =
      firstLane ? add(mul(firstLane, perLane), offset) : index(offset);
  SmallVector<Value> at = {panel, row, first};
  if (!type.isScalable())
    return vector::LoadOp::create(b, type, from, at);
  Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(type));
  return vector::MaskedLoadOp::create(
      b, type, from, at, perLane == 1 ? laneMask : byteMask, zeros);
}

void lowbit::prefetchBlock(KernelBuilder &k, const PanelMatmulSpec &spec,
                           Value codes, Value panel, Value chunk,
                           int64_t offset) {
  if (spec.prefetchBytes == 0)
    return;
  Value ahead = k.add(
      chunk,
      std::max<int64_t>(spec.prefetchBytes / spec.geometry.bytesPerChunk, 1));
  memref::PrefetchOp::create(k.b, codes,
                             ValueRange{panel, ahead, k.index(offset)},
                             /*isWrite=*/false, /*localityHint=*/3,
                             /*isDataCache=*/true);
}

PanelKernelBuilder::Values PanelKernelBuilder::loadBlocks(Value panel,
                                                          Value chunk) {
  Values blocks;
  for (int64_t offset = 0; offset < geometry.bytesPerChunk;
       offset += PanelsGeometry::bytesPerBlock) {
    prefetchBlock(*this, spec, codes, panel, chunk, offset);
    Value bytes = loadLanes(byteLanes, codes, panel, chunk, offset);
    blocks.push_back(vector::BitCastOp::create(b, i32Lanes, bytes));
  }
  return blocks;
}

Value PanelKernelBuilder::getPlaneBits(const CodePlane &plane,
                                       ArrayRef<Value> blocks, int64_t slice) {
  int64_t perBlock = plane.getColumnsPerBlock() / bytesPerLane;
  Value bits =
      blocks[plane.offset / PanelsGeometry::bytesPerBlock + slice / perBlock];
  auto type = cast<VectorType>(bits.getType());
  int64_t shift = slice % perBlock * plane.width - plane.base;
  if (shift > 0)
    return arith::ShRUIOp::create(b, bits, splat(type, shift));
  if (shift < 0)
    return arith::ShLIOp::create(b, bits, splat(type, -shift));
  return bits;
}

Value PanelKernelBuilder::getSlice(ArrayRef<Value> blocks, int64_t slice) {
  Value codes;
  for (const CodePlane &plane : geometry.planes) {
    Value bits = getPlaneBits(plane, blocks, slice);
    if (plane.width < 8) {
      uint32_t mask = ((1u << plane.width) - 1) << plane.base;
      bits = arith::AndIOp::create(
          b, bits,
          splat(cast<VectorType>(bits.getType()), int32_t(mask * 0x01010101u)));
    }
    codes = codes ? Value(arith::OrIOp::create(b, codes, bits)) : bits;
  }
  return spec.bytes ? translate(codes) : codes;
}

Value PanelKernelBuilder::translate(Value codes) {
  auto lanes = cast<VectorType>(codes.getType());
  auto bytes =
      VectorType::get({bytesPerLane * lanes.getNumElements()}, b.getI8Type());
  ArrayRef<uint8_t> levels = spec.bytes->bytes;
  if (spec.identifier)
    levels = levels.take_front(levels.size() / 2);
  Value indices = vector::BitCastOp::create(b, bytes, codes);
  auto lookUp = [&](ArrayRef<uint8_t> levels) -> Value {
    SmallVector<int8_t> table(levels.begin(), levels.end());
    table.resize(16);
    Value entries = arith::ConstantOp::create(
        b, DenseElementsAttr::get(VectorType::get({16}, b.getI8Type()),
                                  ArrayRef<int8_t>(table)));
    return qvec::LookupOp::create(b, entries, indices);
  };
  Value found = lookUp(levels);
  if (spec.identifier) {
    // The codes of each pair change places.
    Value right = arith::AndIOp::create(
        b, arith::ShRUIOp::create(b, codes, splat(lanes, 8)),
        splat(lanes, 0x00ff00ff));
    Value left = arith::AndIOp::create(
        b, arith::ShLIOp::create(b, codes, splat(lanes, 8)),
        splat(lanes, int32_t(0xff00ff00)));
    Value neighbours = vector::BitCastOp::create(
        b, bytes, arith::OrIOp::create(b, right, left));
    Value isChanged =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, neighbours,
                              splat(bytes, *spec.identifier));
    found = arith::SelectOp::create(
        b, isChanged,
        lookUp(ArrayRef<uint8_t>(spec.bytes->bytes).drop_front(levels.size())),
        found);
  }
  return vector::BitCastOp::create(b, lanes, found);
}

Value PanelKernelBuilder::decodeE8M0(Value bytes) {
  // The byte is the exponent of an f32, but for 2^-127, which is subnormal.
  // With all bits set it is NaN, which needs a bit of the mantissa, too.
  Value exponents = arith::ExtUIOp::create(b, i32Lanes, bytes);
  Value bits = arith::ShLIOp::create(b, exponents, splat(i32Lanes, 23));
  bits = arith::MaxUIOp::create(b, bits, splat(i32Lanes, 1 << 22));
  Value isNaN = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, exponents,
                                      splat(i32Lanes, 255));
  bits = arith::SelectOp::create(b, isNaN, splat(i32Lanes, 0x7fc00000), bits);
  return arith::BitcastOp::create(b, f32Lanes, bits);
}

Value PanelKernelBuilder::loadFloats(Value from, Type type, Value panel,
                                     Value row) {
  bool isByte = type.getIntOrFloatBitWidth() == 8;
  Value stored =
      loadLanes(getLanes(isByte ? b.getI8Type() : type), from, panel, row);
  if (isa<Float8E8M0FNUType>(type))
    return decodeE8M0(stored);
  if (isa<Float8E4M3FNType>(type))
    return decodeFloat8(*this, type,
                        arith::ExtUIOp::create(b, i32Lanes, stored),
                        /*byte=*/0);
  if (type.isSignedInteger())
    return arith::SIToFPOp::create(b, f32Lanes,
                                   arith::ExtSIOp::create(b, i32Lanes, stored));
  if (type.isUnsignedInteger())
    return arith::SIToFPOp::create(b, f32Lanes,
                                   arith::ExtUIOp::create(b, i32Lanes, stored));
  return type.isF32() ? stored : arith::ExtFOp::create(b, f32Lanes, stored);
}

Value PanelKernelBuilder::multiplyByFactor(Value numbers, Value factors,
                                           Type type, Value panel,
                                           Value group) {
  if (!type)
    return numbers;
  Value row = div(group, index(geometry.groupsPerFactor));
  return arith::MulFOp::create(b, numbers,
                               loadFloats(factors, type, panel, row));
}

Value PanelKernelBuilder::loadScales(Value panel, Value group) {
  Value values =
      multiplyByFactor(loadFloats(scales, spec.scaleType, panel, group),
                       factors, spec.factorType, panel, group);
  if (!spec.bytes || spec.bytes->unit == 1)
    return values;
  Value unit = arith::ConstantOp::create(
      b, DenseElementsAttr::get(f32Lanes, spec.bytes->unit));
  return arith::MulFOp::create(b, values, unit);
}

Value PanelKernelBuilder::loadMinusZeros(Value panel, Value group) {
  if (spec.hasFloatZeros())
    return arith::SubFOp::create(
        b, splat(f32Lanes, -spec.codeOffset),
        loadFloats(zeros, spec.zeroType, panel, group));
  Value zeros;
  if (spec.zeroType)
    zeros = arith::ExtUIOp::create(
        b, i32Lanes,
        loadLanes(getLanes(b.getI8Type()), this->zeros, panel, group));
  else if (spec.codeOffset)
    zeros = splat(i32Lanes, spec.codeOffset);
  else
    return {};
  Value minus = arith::SubIOp::create(b, splat(i32Lanes, 0), zeros);
  if (spec.hasQuantizedInput())
    return minus;
  return arith::SIToFPOp::create(b, f32Lanes, minus);
}

Value PanelKernelBuilder::addProduct(Value sum, Value factor, Value groupSum) {
  if (isa<FloatType>(cast<VectorType>(factor.getType()).getElementType())) {
    if (spec.hasQuantizedInput())
      groupSum = arith::SIToFPOp::create(b, factor.getType(), groupSum);
    return vector::FMAOp::create(b, factor, groupSum, sum);
  }
  // A group of 255 activations of at most 128 sums up to less than 2^15.
  if (geometry.groupColumns <= 255)
    return qvec::MulAddOp::create(b, sum, factor, groupSum);
  return arith::AddIOp::create(b, sum,
                               arith::MulIOp::create(b, factor, groupSum));
}

PanelKernelBuilder::Channels PanelKernelBuilder::getChannels(Value panel,
                                                             bool withBias) {
  Channels channels;
  channels.column = mul(panel, lanes);
  if (firstLane)
    channels.column = add(channels.column, firstLane);
  channels.mask = laneMask;
  if (spec.n % lanes != 0) {
    Value left = arith::SubIOp::create(b, index(spec.n), channels.column);
    if (laneMask)
      left = min(left, sub(index(lanes), firstLane));
    channels.mask =
        vector::CreateMaskOp::create(b, getLanes(b.getI1Type()), left);
  }
  if (!bias || !withBias)
    return channels;
  channels.bias = channels.mask
                      ? Value(vector::MaskedLoadOp::create(
                            b, f32Lanes, bias, ValueRange{channels.column},
                            channels.mask, splat(f32Lanes, 0)))
                      : Value(vector::LoadOp::create(
                            b, f32Lanes, bias, ValueRange{channels.column}));
  return channels;
}

void PanelKernelBuilder::storeSums(const Channels &channels, Value token,
                                   Value sums) {
  if (spec.hasRowInputScale()) {
    Value row = spec.hasTensorInputScale ? index(0) : token;
    sums =
        arith::MulFOp::create(b, sums,
                              broadcast(memref::LoadOp::create(
                                  b, inputScales, ValueRange{row, index(0)})));
  }
  if (channels.bias)
    sums = arith::AddFOp::create(b, sums, channels.bias);
  SmallVector<Value> at = {token, channels.column};
  if (channels.mask)
    vector::MaskedStoreOp::create(b, output, at, channels.mask, sums);
  else
    vector::StoreOp::create(b, sums, output, at);
}
