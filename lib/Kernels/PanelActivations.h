//===- PanelActivations.h - activations as panel kernels read them - C++ *-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_KERNELS_PANELACTIVATIONS_H
#define LOWBIT_LIB_KERNELS_PANELACTIVATIONS_H

#include "PanelMatmul.h"
#include "lowbit/Kernels/KernelBuilder.h"

namespace lowbit {

/// A copy of a kernel's activations. Tokens that are computed together stand
/// together: of each four columns (int8) or of each column (float), those of
/// all tokens of a tile follow each other, so that a tile reads one stream.
/// (Rows would be a power of two apart and evict each other from the cache.)
/// Every group is padded with zeros to whole chunks. Beside the copy are the
/// sums of each token's groups.
class PanelActivations {
public:
  /// Tokens [begin, end) that are computed in tiles of some shape.
  struct Range {
    mlir::Value begin, end;
    TileShape tile;
  };

  PanelActivations(KernelBuilder &k, const PanelMatmulSpec &spec,
                   llvm::ArrayRef<TileShape> tiles, mlir::Value input);

  /// Copies all tokens.
  void build();
  /// Frees the copy.
  void release();

  /// All tokens: as many as possible in the first shape of tiles.
  llvm::ArrayRef<Range> getRanges() const { return ranges; }

  /// A tile that begins with `firstToken`.
  struct Tile {
    mlir::Value start;
    int64_t tokens;
  };
  Tile getTile(mlir::Value firstToken, int64_t tokens);
  /// Int8 activations [column + offset, column + offset + 4) of a token, as one
  /// 32-bit word.
  mlir::Value loadBytes(const Tile &tile, int64_t token, mlir::Value column,
                        int64_t offset);
  /// The float activation at column + offset.
  mlir::Value loadFloat(const Tile &tile, int64_t token, mlir::Value column,
                        int64_t offset);
  mlir::Value loadGroupSum(mlir::Value token, mlir::Value group);

private:
  /// Where a token's copy begins, and the distance of its units.
  struct Place {
    mlir::Value start, distance;
  };
  Place getPlace(mlir::Value token);
  mlir::Value getIndex(const Place &place, mlir::Value column);
  void copyToken(mlir::Value token);
  void copyGroup(mlir::Value token, const Place &place, mlir::Value group,
                 int64_t size, int64_t paddedSize);
  void copyVector(const Place &place, mlir::Value column, mlir::Value values);
  mlir::Value add(mlir::Value sum, mlir::Value value);

  KernelBuilder &k;
  const PanelMatmulSpec &spec;
  mlir::Value input, tokens, copy, groupSums;
  mlir::Type elementType, sumType;
  /// Columns of a token that stand together.
  int64_t unit;
  llvm::SmallVector<Range> ranges;
};

} // namespace lowbit

#endif // LOWBIT_LIB_KERNELS_PANELACTIVATIONS_H
