//===- LutTables.h - tables of sums of activations --------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_KERNELS_LUTTABLES_H
#define LOWBIT_LIB_KERNELS_LUTTABLES_H

#include "MatmulCost.h"
#include "PanelActivations.h"

namespace lowbit {

/// How the products of one plane of codes are looked up.
///
/// Half of a byte of a block is the index: the codes of 4 / width columns. The
/// entry is the sum of (code - offset) * activation, which has `lowBits` bits
/// in one table and the rest, signed, in another; so are the sums of `lookups`
/// entries still bytes.
struct LutPlane {
  explicit LutPlane(const PanelsGeometry &geometry, const CodePlane &plane);

  /// Entries of a table, and tables that stand together: one for each byte of a
  /// lane.
  static constexpr int64_t entries = 16, tables = 4;
  /// The tables of a half of a block: low bits, then high ones.
  static constexpr int64_t bytesPerHalf = 2 * entries * tables;

  /// The segments that the sums over `chunks` chunks are made of.
  int64_t getSegments(int64_t chunks) const {
    return (chunks + chunksPerSegment - 1) / chunksPerSegment;
  }

  CodePlane plane;
  int64_t columns;
  int32_t offset;
  int64_t lowBits, lookups;
  int64_t blocksPerChunk;
  /// Chunks whose entries are summed in bytes.
  int64_t chunksPerSegment;
};

/// The planes of a weight that tables serve; none if they do not serve it.
llvm::SmallVector<LutPlane> getLutPlanes(const PanelMatmulSpec &spec);

/// The tables of all tokens that are computed by lookups, in the order in which
/// the kernel reads them.
class LutTables {
public:
  LutTables(KernelBuilder &k, const PanelMatmulSpec &spec,
            llvm::ArrayRef<MatmulTile> tiles, llvm::ArrayRef<LutPlane> planes,
            PanelActivations &activations);

  void build();
  void release();

  /// The tables of a token and chunk.
  mlir::Value getRow(mlir::Value firstToken, int64_t tokens, int64_t token,
                     mlir::Value chunk);
  /// One table of 16 bytes.
  mlir::Value load(mlir::Value row, unsigned plane, int64_t block, int64_t half,
                   bool high, int64_t table);

private:
  /// Where the tables of a half of a block begin in a row.
  int64_t getOffset(unsigned plane, int64_t block, int64_t half) const {
    return offsets[plane] + (2 * block + half) * LutPlane::bytesPerHalf;
  }
  void buildHalf(const LutPlane &plane, mlir::Value row, int64_t offset,
                 llvm::function_ref<mlir::Value(int64_t)> loadColumns);

  KernelBuilder &k;
  const PanelMatmulSpec &spec;
  llvm::ArrayRef<LutPlane> planes;
  PanelActivations &activations;
  /// Tokens that are computed by lookups.
  llvm::SmallVector<PanelActivations::Range> ranges;
  llvm::SmallVector<int64_t> offsets;
  mlir::Value firstToken, buffer;
};

} // namespace lowbit

#endif // LOWBIT_LIB_KERNELS_LUTTABLES_H
