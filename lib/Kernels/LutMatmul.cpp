//===- LutMatmul.cpp - products by table lookup ---------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Park et al., "LUT-GEMM: Quantized Matrix Multiplication based on LUTs for
// Efficient Inference in Large-Scale Generative Language Models", ICLR 2024,
// with tables of 16 entries, which a byte shuffle looks up in.
//
// Half of byte j of a lane of a block (#lowbit.panels) holds the codes of some
// columns 4s + j: it is an index into the table of these columns. A byte
// shuffle looks up 16 indices in one table, so blocks are transposed first,
// until a register holds byte j of many lanes. Each panel's bytes are shuffled
// such that those of j stand in a dword that no other panel of the set uses for
// j; blends, which more ports execute than shuffles, then collect them. The
// same network leads back.
//
// A table's entries are split into low bits and the rest. Sums of both remain
// bytes for a segment of some lookups, whose number LutPlane bounds, and are
// exact: the result has the same bits as that of dot products.
//
//===----------------------------------------------------------------------===//

#include "LutMatmul.h"
#include "lowbit/Dialect/QVec/IR/QVecOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace lowbit;

namespace {
constexpr int64_t lanes = PanelsGeometry::rowsPerPanel;
constexpr int64_t blockBytes = PanelsGeometry::bytesPerBlock;
constexpr int64_t tablesPerHalf = LutPlane::tables;
/// Sums of low bits begin with the smallest byte, so that they may be read as
/// signed ones.
constexpr int64_t lowStart = -128;
/// Registers that the sums of one token and set take: low and high ones.
constexpr int64_t sumRegisters = 2 * tablesPerHalf;
} // namespace

LutMatmul::LutMatmul(KernelBuilder &k, const PanelMatmulSpec &spec,
                     ArrayRef<MatmulTile> tiles,
                     const CpuInstructions &instructions, Value codes,
                     PanelActivations &activations)
    : k(k), spec(spec), planes(getLutPlanes(spec)),
      vectorBytes(instructions.vectorBytes),
      setPanels(tablesPerHalf * vectorBytes / blockBytes),
      registers(instructions.registers), codes(codes), activations(activations),
      tables(k, spec, tiles, planes, activations),
      i32Lanes(VectorType::get({lanes}, k.b.getI32Type())),
      byteLanes(VectorType::get({blockBytes}, k.b.getI8Type())),
      byteVector(VectorType::get({vectorBytes}, k.b.getI8Type())) {
  for (const LutPlane &plane : planes)
    codeOffset += plane.offset << plane.plane.base;
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

LutMatmul::Value LutMatmul::takePart(Value vector, int64_t offset,
                                     int64_t size) {
  return vector::ExtractStridedSliceOp::create(
      k.b, vector, ArrayRef<int64_t>{offset}, ArrayRef<int64_t>{size},
      ArrayRef<int64_t>{1});
}

LutMatmul::Value LutMatmul::loadBlock(Value panel, Value chunk, int64_t offset,
                                      int64_t size) {
  return vector::LoadOp::create(k.b, VectorType::get({size}, k.b.getI8Type()),
                                codes,
                                ValueRange{panel, chunk, k.index(offset)});
}

/// Moves byte j of each of the four lanes of 16 bytes to dword j + number,
/// modulo 4, of it.
LutMatmul::Value LutMatmul::shuffleBytes(Value bytes, int64_t number,
                                         bool back) {
  SmallVector<int64_t> mask(vectorBytes);
  for (int64_t lane = 0; lane < vectorBytes; lane += 16)
    for (int64_t row = 0; row < 4; ++row)
      for (int64_t byte = 0; byte < 4; ++byte) {
        int64_t from = lane + 4 * row + byte;
        int64_t to = lane + 4 * ((byte + number) % 4) + row;
        mask[back ? from : to] = back ? to : from;
      }
  return vector::ShuffleOp::create(k.b, bytes, bytes, mask);
}

/// Dword p of result j is dword p of register p - j, modulo 4.
LutMatmul::Quad LutMatmul::exchange(const Quad &registers) {
  int64_t dwords = vectorBytes / 4;
  auto type = VectorType::get({dwords}, k.b.getI32Type());
  auto blend = [&](Value x, Value y, function_ref<bool(int64_t)> takesSecond) {
    SmallVector<int64_t> mask;
    for (int64_t at = 0; at < dwords; ++at)
      mask.push_back(takesSecond(at % 4) ? dwords + at : at);
    return Value(vector::ShuffleOp::create(k.b, x, y, mask));
  };
  Quad words;
  for (auto [word, bytes] : llvm::zip_equal(words, registers))
    word = vector::BitCastOp::create(k.b, type, bytes);
  Quad result;
  for (int64_t first = 0; first < 4; first += 2) {
    // Results `first` and `first + 1` use different dwords of the same blends.
    Value pairs[2];
    for (int64_t odd = 0; odd < 2; ++odd)
      pairs[odd] = blend(words[odd], words[odd + 2], [&](int64_t at) {
        int64_t number = first + ((at & 1) ^ odd);
        return ((at - number) & 2) != 0;
      });
    for (int64_t number = first; number < first + 2; ++number)
      result[number] = vector::BitCastOp::create(
          k.b, byteVector, blend(pairs[0], pairs[1], [&](int64_t at) {
            return ((at - number) & 1) != 0;
          }));
  }
  return result;
}

LutMatmul::Quad LutMatmul::loadSet(const Pass &pass, int64_t set, Value chunk,
                                   int64_t offset) {
  if (pass.chunkOffset)
    chunk = k.add(chunk, pass.chunkOffset);
  // What is missing in the last set is read from its first panel, and dropped.
  auto panelOf = [&](int64_t inSet) {
    int64_t panel = set * setPanels + inSet;
    return k.add(pass.firstPanel,
                 panel < pass.shape.panels ? panel : set * setPanels);
  };
  if (pass.shape.tokens == 1)
    for (int64_t panel = set * setPanels;
         panel < std::min((set + 1) * setPanels, pass.shape.panels); ++panel)
      prefetchBlock(k, spec, codes, k.add(pass.firstPanel, panel), chunk,
                    offset);
  Quad result;
  if (vectorBytes * tablesPerHalf == blockBytes) {
    // One panel: loads can do it.
    Value block = loadBlock(panelOf(0), chunk, offset, blockBytes);
    for (int64_t byte = 0; byte < tablesPerHalf; ++byte) {
      SmallVector<int64_t> mask;
      for (int64_t lane = 0; lane < lanes; ++lane)
        mask.push_back(tablesPerHalf * lane + byte);
      result[byte] = vector::ShuffleOp::create(k.b, block, block, mask);
    }
    return result;
  }
  int64_t perPanel = tablesPerHalf / setPanels;
  for (int64_t number = 0; number < tablesPerHalf; ++number) {
    Value bytes =
        loadBlock(panelOf(number / perPanel), chunk,
                  offset + number % perPanel * vectorBytes, vectorBytes);
    result[number] = shuffleBytes(bytes, number, /*back=*/false);
  }
  return exchange(result);
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

LutMatmul::Values LutMatmul::sumBlock(const Pass &pass, unsigned number,
                                      Value chunk, int64_t block, Values sums) {
  const LutPlane &plane = planes[number];
  SmallVector<Quad> sets;
  for (int64_t set = 0; set < pass.sets; ++set)
    sets.push_back(
        loadSet(pass, set, chunk, plane.plane.offset + block * blockBytes));
  for (int64_t half = 0; half < 2; ++half)
    for (int64_t table = 0; table < tablesPerHalf; ++table) {
      Values indices;
      for (const Quad &set : sets)
        indices.push_back(
            half ? Value(arith::ShRUIOp::create(k.b, set[table],
                                                k.splat(byteVector, 4)))
                 : Value(arith::AndIOp::create(k.b, set[table],
                                               k.splat(byteVector, 15))));
      for (int64_t token = 0; token < pass.shape.tokens; ++token) {
        Value row =
            tables.getRow(pass.firstToken, pass.shape.tokens, token, chunk);
        for (bool high : {false, true}) {
          Value entries = tables.load(row, number, block, half, high, table);
          for (int64_t set = 0; set < pass.sets; ++set) {
            Value &sum = sums[(token * pass.sets + set) * sumRegisters +
                              high * tablesPerHalf + table];
            sum = arith::AddIOp::create(
                k.b, sum, qvec::LookupOp::create(k.b, entries, indices[set]));
          }
        }
      }
    }
  return sums;
}

void LutMatmul::addSegment(const LutPlane &plane, const Quad &low,
                           const Quad &high, MutableArrayRef<Value> sums) {
  int64_t base = plane.plane.base;
  auto scale = [&](Value value, VectorType type, int64_t bits) {
    return bits ? Value(arith::ShLIOp::create(k.b, value, k.splat(type, bits)))
                : value;
  };
  if (setPanels == 1) {
    auto words = VectorType::get({lanes}, k.b.getI16Type());
    auto addAll = [&](const Quad &bytes) {
      Value sum;
      for (Value part : bytes) {
        Value wide = arith::ExtSIOp::create(k.b, words, part);
        sum = sum ? Value(arith::AddIOp::create(k.b, sum, wide)) : wide;
      }
      return sum;
    };
    Value sum = arith::AddIOp::create(
        k.b, addAll(low), scale(addAll(high), words, plane.lowBits));
    sum = scale(arith::ExtSIOp::create(k.b, i32Lanes, sum), i32Lanes, base);
    sums[0] = arith::AddIOp::create(k.b, sums[0], sum);
    return;
  }
  // Back in lanes of four bytes, dot products with constants add these.
  Quad lowBytes = exchange(low), highBytes = exchange(high);
  int64_t perPanel = tablesPerHalf / setPanels;
  int64_t registerLanes = lanes / perPanel;
  auto part = VectorType::get({registerLanes}, k.b.getI32Type());
  for (auto [panel, total] : llvm::enumerate(sums))
    for (int64_t piece = 0; piece < perPanel; ++piece) {
      int64_t number = panel * perPanel + piece;
      Value old = perPanel == 1
                      ? total
                      : takePart(total, piece * registerLanes, registerLanes);
      Value sum = base ? k.splat(part, 0) : old;
      sum = qvec::DotOp::create(
          k.b, sum, k.splat(byteVector, 1),
          shuffleBytes(lowBytes[number], number, /*back=*/true), 1);
      sum = qvec::DotOp::create(
          k.b, sum, k.splat(byteVector, 1 << plane.lowBits),
          shuffleBytes(highBytes[number], number, /*back=*/true),
          1 << plane.lowBits);
      if (base)
        sum = arith::AddIOp::create(k.b, old, scale(sum, part, base));
      total =
          perPanel == 1
              ? sum
              : Value(vector::InsertStridedSliceOp::create(
                    k.b, sum, total, ArrayRef<int64_t>{piece * registerLanes},
                    ArrayRef<int64_t>{1}));
    }
}

LutMatmul::Values LutMatmul::sumSegment(const Pass &pass, unsigned number,
                                        Value firstChunk, int64_t chunks,
                                        Values sums) {
  const LutPlane &plane = planes[number];
  int64_t sets = pass.shape.tokens * pass.sets;
  Values bytes;
  for (int64_t i = 0; i < sets * sumRegisters; ++i)
    bytes.push_back(
        k.splat(byteVector, i % sumRegisters < tablesPerHalf ? lowStart : 0));
  bytes =
      k.loop(firstChunk, k.add(firstChunk, chunks), 1, bytes,
             [&](Value chunk, ValueRange carried) {
               Values sums(carried);
               for (int64_t block = 0; block < plane.blocksPerChunk; ++block)
                 sums = sumBlock(pass, number, chunk, block, sums);
               return sums;
             });
  for (int64_t i = 0; i < sets; ++i) {
    Quad low, high;
    ArrayRef<Value> all = ArrayRef(bytes).slice(i * sumRegisters, sumRegisters);
    llvm::copy(all.take_front(tablesPerHalf), low.begin());
    llvm::copy(all.drop_front(tablesPerHalf), high.begin());
    int64_t token = i / pass.sets, firstPanel = i % pass.sets * setPanels;
    int64_t count = std::min(setPanels, pass.shape.panels - firstPanel);
    addSegment(plane, low, high,
               MutableArrayRef(sums).slice(
                   token * pass.shape.panels + firstPanel, count));
  }
  return sums;
}

LutMatmul::Values LutMatmul::sumPlane(const Pass &pass, unsigned number,
                                      Value firstChunk, int64_t chunks,
                                      Values sums) {
  int64_t perSegment = planes[number].chunksPerSegment;
  int64_t whole = chunks / perSegment * perSegment;
  if (whole)
    sums = k.loop(firstChunk, k.add(firstChunk, whole), perSegment, sums,
                  [&](Value chunk, ValueRange carried) {
                    return sumSegment(pass, number, chunk, perSegment,
                                      Values(carried));
                  });
  if (whole != chunks)
    sums = sumSegment(pass, number, k.add(firstChunk, whole), chunks - whole,
                      sums);
  return sums;
}

LutMatmul::Values LutMatmul::sumGroup(Value firstToken, Value firstPanel,
                                      TileShape shape, Value group,
                                      Value firstChunk, int64_t chunks,
                                      Value chunkOffset) {
  // What the start of the sums of low bits adds.
  int64_t excess = 0;
  for (const LutPlane &plane : planes)
    excess += plane.getSegments(chunks) * lowStart * tablesPerHalf
              << plane.plane.base;
  Values corrections;
  for (int64_t token = 0; token < shape.tokens; ++token) {
    Value correction = k.splat(i32Lanes, -excess);
    if (codeOffset) {
      Value sum = activations.loadGroupSum(
          activations.getTile(firstToken, shape.tokens), token, group);
      Value lanes = vector::BroadcastOp::create(k.b, i32Lanes, sum);
      correction = arith::AddIOp::create(
          k.b, correction,
          arith::MulIOp::create(k.b, lanes, k.splat(i32Lanes, codeOffset)));
    }
    corrections.push_back(correction);
  }

  // Half of the registers hold sums.
  int64_t setsPerPass =
      std::max<int64_t>(registers / 2 / (sumRegisters * shape.tokens), 1);
  Values result(shape.size());
  for (int64_t first = 0; first < shape.panels;
       first += setsPerPass * setPanels) {
    int64_t panels = std::min(setsPerPass * setPanels, shape.panels - first);
    Pass pass = {firstToken,
                 k.add(firstPanel, first),
                 {shape.tokens, panels},
                 (panels + setPanels - 1) / setPanels,
                 chunkOffset};
    Values sums;
    for (Value correction : corrections)
      sums.append(panels, correction);
    for (unsigned plane = 0; plane < planes.size(); ++plane)
      sums = sumPlane(pass, plane, firstChunk, chunks, sums);
    for (int64_t i = 0; i < pass.shape.size(); ++i)
      result[i / panels * shape.panels + first + i % panels] = sums[i];
  }
  return result;
}
