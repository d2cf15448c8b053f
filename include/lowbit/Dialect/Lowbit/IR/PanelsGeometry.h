//===- PanelsGeometry.h - how a weight divides into panels --- -*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_PANELSGEOMETRY_H
#define LOWBIT_DIALECT_LOWBIT_IR_PANELSGEOMETRY_H

#include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <optional>

namespace lowbit {

/// Some bits of the codes, those from `base` on, stored together.
struct CodePlane {
  /// 1, 2, 4 or 8; 16 or 32 for floats.
  int64_t width;
  int64_t base;
  /// Where the plane begins in a chunk, in bytes.
  int64_t offset;

  /// The columns of one block of 16 x 4 bytes.
  int64_t getColumnsPerBlock() const { return 32 / width; }
};

/// The sizes of a weight in the `#lowbit.panels` layout. If elements are sums
/// of several products, the codes and scales of these follow each other in each
/// group; chunks and groups are counted as those of one product.
struct PanelsGeometry {
  static constexpr int64_t rowsPerPanel = 16;
  /// Sixteen lanes of four bytes.
  static constexpr int64_t bytesPerBlock = 64;

  /// `bits` are 1 to 8, or 16 or 32 for floats. `groupCols` may exceed `cols`;
  /// there is one group then.
  PanelsGeometry(int64_t rows, int64_t cols, unsigned bits, int64_t groupCols);
  /// Of codes.
  PanelsGeometry(int64_t rows, int64_t cols, const ScaledCodes &codes,
                 int64_t groupCols);
  /// Of a weight in a format that the layout serves.
  static std::optional<PanelsGeometry> get(QuantFormatAttrInterface format,
                                           llvm::ArrayRef<int64_t> shape);

  int64_t getChunks() const {
    return (groups - 1) * chunksPerGroup + chunksInLastGroup;
  }
  int64_t getStoredChunks() const { return terms * getChunks(); }
  int64_t getStoredGroups() const { return terms * groups; }
  /// The factors of a row's scales, and those of its offsets.
  int64_t getFactors() const {
    return (groups + groupsPerFactor - 1) / groupsPerFactor;
  }
  /// The columns of a row when every group is padded to whole chunks.
  int64_t getPaddedColumns() const { return getChunks() * columnsPerChunk; }
  /// The groups, from the first on, that are of the same size: all, or all but
  /// the last.
  int64_t getEqualGroups() const {
    return lastGroupColumns == groupColumns ? groups : groups - 1;
  }

  int64_t panels;
  /// How the codes' bits are split; whichever way takes the fewest bytes.
  llvm::SmallVector<CodePlane, 3> planes;
  int64_t columnsPerChunk, bytesPerChunk;
  int64_t groups;
  int64_t groupColumns, lastGroupColumns;
  int64_t chunksPerGroup, chunksInLastGroup;
  int64_t terms = 1;
  /// How many groups share a factor, if scales have such.
  int64_t groupsPerFactor = 1;
};

} // namespace lowbit

#endif // LOWBIT_DIALECT_LOWBIT_IR_PANELSGEOMETRY_H
