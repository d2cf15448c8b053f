//===- LutMatmul.h - products by table lookup -------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_KERNELS_LUTMATMUL_H
#define LOWBIT_LIB_KERNELS_LUTMATMUL_H

#include "LutTables.h"

namespace lowbit {

/// Sums of codes times int8 activations, looked up in tables that are made of
/// the activations: each lookup yields the sum over several columns, so that
/// the cost grows with the bits of the codes.
class LutMatmul {
public:
  using Value = mlir::Value;
  using Values = KernelBuilder::Values;

  /// `tiles` are those of `activations`, with the strategy of each.
  LutMatmul(KernelBuilder &k, const PanelMatmulSpec &spec,
            llvm::ArrayRef<MatmulTile> tiles,
            const CpuInstructions &instructions, Value codes,
            PanelActivations &activations);

  void buildTables() { tables.build(); }
  void release() { tables.release(); }

  /// The sums of a group in i32 lanes, token-major: exactly those that dot
  /// products of the codes with the activations yield. Codes are `chunkOffset`
  /// chunks behind those of their activations, or none if that is null.
  Values sumGroup(Value firstToken, Value firstPanel, TileShape shape,
                  Value group, Value firstChunk, int64_t chunks,
                  Value chunkOffset);

private:
  /// Four registers of bytes.
  using Quad = std::array<Value, 4>;
  /// Panels whose sums are kept in registers together.
  struct Pass {
    Value firstToken, firstPanel;
    TileShape shape;
    int64_t sets;
    Value chunkOffset;
  };

  Values sumPlane(const Pass &pass, unsigned number, Value firstChunk,
                  int64_t chunks, Values sums);
  Values sumSegment(const Pass &pass, unsigned number, Value firstChunk,
                    int64_t chunks, Values sums);
  Values sumBlock(const Pass &pass, unsigned number, Value chunk, int64_t block,
                  Values sums);
  /// A block of each panel of a set; in register j the byte j of all lanes.
  Quad loadSet(const Pass &pass, int64_t set, Value chunk, int64_t offset);
  /// Adds the sums of a segment, which are bytes, to those of the group.
  void addSegment(const LutPlane &plane, const Quad &low, const Quad &high,
                  llvm::MutableArrayRef<Value> sums);

  // Bytes of lanes to registers of equal bytes, and back.
  Quad exchange(const Quad &registers);
  Value shuffleBytes(Value bytes, int64_t number, bool back);

  Value takePart(Value vector, int64_t offset, int64_t size);
  Value loadBlock(Value panel, Value chunk, int64_t offset, int64_t size);

  KernelBuilder &k;
  const PanelMatmulSpec &spec;
  llvm::SmallVector<LutPlane> planes;
  /// What is subtracted from each code.
  int64_t codeOffset = 0;
  /// Bytes of a register, and panels that four registers hold a block of.
  int64_t vectorBytes, setPanels;
  int64_t registers;
  Value codes;
  PanelActivations &activations;
  LutTables tables;
  mlir::VectorType i32Lanes, byteLanes, byteVector;
};

} // namespace lowbit

#endif // LOWBIT_LIB_KERNELS_LUTMATMUL_H
