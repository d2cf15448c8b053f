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

/// A copy of some of a kernel's activations. Tokens that are computed together
/// stand together: of each unit, which is four or eight columns (int8), one
/// (float) or the row of a matrix unit's tile, those of all tokens of a tile
/// follow each other, so that a tile reads one stream.
/// (Rows would be a power of two apart and evict each other from the cache.)
/// Every group is padded with zeros. Floats for a matrix unit that multiplies
/// bf16 are split into parts of this type, which follow each other unit by
/// unit. Beside the copy are what
/// each token's groups have: their sums, and the scales of int8 activations
/// unless these have one a row; of each group, those of all tokens of a tile.
class PanelActivations {
public:
  /// Tokens [begin, end) that are computed in tiles of some shape.
  struct Range {
    mlir::Value begin, end;
    TileShape tile;
  };

  /// How the columns of a token are arranged.
  struct Layout {
    /// Columns of a token that stand together.
    int64_t unit;
    /// Columns of a group, and of the last one, with their padding.
    int64_t groupColumns, lastGroupColumns;
    bool hasGroupSums;
    /// Numbers of type bf16 whose sum a float is; 0 if it stays what it is.
    int64_t bf16Parts = 0;
    /// If not 0, columns of two chunks: a unit is a slice of both.
    int64_t pairColumns = 0;
  };
  /// For kernels that multiply codes as they are in panels; if `pairs` is set,
  /// those of two chunks at once.
  static Layout getPanelLayout(const PanelMatmulSpec &spec, bool pairs = false);

  /// Tokens [begin, end) of `input`; the last of `tiles` must divide what the
  /// others leave. `inputScales` is null for float activations.
  PanelActivations(KernelBuilder &k, const PanelMatmulSpec &spec,
                   const Layout &layout, llvm::ArrayRef<TileShape> tiles,
                   mlir::Value input, mlir::Value inputScales,
                   mlir::Value begin, mlir::Value end);

  /// Copies the tokens.
  void build();
  /// Frees the copy.
  void release();

  const Layout &getLayout() const { return layout; }
  /// All tokens: as many as possible in the first shape of tiles.
  llvm::ArrayRef<Range> getRanges() const { return ranges; }

  /// A tile that begins with `firstToken`.
  struct Tile {
    /// In the copy, and in what groups have.
    mlir::Value start, groupStart;
    int64_t tokens;
  };
  Tile getTile(mlir::Value firstToken, int64_t tokens);
  /// Where the units of a chunk begin.
  mlir::Value getColumn(mlir::Value group, mlir::Value chunk);
  /// Four int8 activations of a token, as one 32-bit word: those `offset` bytes
  /// behind the unit at `column`.
  mlir::Value loadBytes(const Tile &tile, int64_t token, mlir::Value column,
                        int64_t offset);
  /// The same of a slice of any chunk.
  mlir::Value loadSlice(const Tile &tile, int64_t token, mlir::Value chunk,
                        int64_t slice);
  /// The units of eight int8 activations of a token and the next one.
  mlir::Value loadPair(const Tile &tile, int64_t token, mlir::Value column,
                       int64_t offset);
  /// The float activation at column + offset.
  mlir::Value loadFloat(const Tile &tile, int64_t token, mlir::Value column,
                        int64_t offset);
  mlir::Value loadGroupSum(const Tile &tile, mlir::Value token,
                           mlir::Value group) {
    return loadGroupValue(groupSums, tile, token, group);
  }
  mlir::Value loadGroupSum(const Tile &tile, int64_t token, mlir::Value group) {
    return loadGroupSum(tile, k.index(token), group);
  }
  /// Those of `count` tokens, as a vector.
  mlir::Value loadGroupSums(const Tile &tile, int64_t token, mlir::Value group,
                            int64_t count) {
    return loadGroupValues(groupSums, tile, token, group, count);
  }
  /// Only if scales are not those of whole rows.
  mlir::Value loadGroupScale(const Tile &tile, mlir::Value token,
                             mlir::Value group) {
    return loadGroupValue(groupScales, tile, token, group);
  }
  mlir::Value loadGroupScales(const Tile &tile, int64_t token,
                              mlir::Value group, int64_t count) {
    return loadGroupValues(groupScales, tile, token, group, count);
  }

  /// The units of `tiles` tiles from `firstToken` on as matrices of the tokens
  /// of a tile and the columns of a unit: tiles x units x tokens x unit. Each
  /// part of the activations has units of its own.
  mlir::Value getMatrices(mlir::Value firstToken, int64_t tiles,
                          mlir::Value column, int64_t units);

private:
  /// Where a token's copy and what its groups have begin, and the distance of
  /// its units and groups.
  struct Place {
    mlir::Value start, groupStart, distance;
  };
  Place getPlace(mlir::Value token);
  int64_t getPaddedColumns() const {
    return (spec.geometry.groups - 1) * layout.groupColumns +
           layout.lastGroupColumns;
  }
  /// Elements of the copy that a token takes.
  int64_t getCopiedElements() const {
    return getPaddedColumns() * getElementsPerColumn();
  }
  int64_t getElementsPerColumn() const {
    return std::max<int64_t>(layout.bf16Parts, 1);
  }
  mlir::Value getIndex(const Place &place, mlir::Value column,
                       int64_t part = 0);
  /// What the copy has of `value`, a float or several: its parts.
  llvm::SmallVector<mlir::Value> split(mlir::Value value);
  void copyToken(mlir::Value token);
  void copyGroup(mlir::Value token, const Place &place, mlir::Value group,
                 int64_t size, int64_t paddedSize);
  mlir::Value loadWord(mlir::Value at);
  void copyVector(const Place &place, mlir::Value column, mlir::Value values);
  mlir::Value add(mlir::Value sum, mlir::Value value);
  mlir::Value loadGroupValue(mlir::Value values, const Tile &tile,
                             mlir::Value token, mlir::Value group);
  mlir::Value loadGroupValues(mlir::Value values, const Tile &tile,
                              int64_t token, mlir::Value group, int64_t count);

  KernelBuilder &k;
  const PanelMatmulSpec &spec;
  Layout layout;
  mlir::Value input, inputScales, begin, tokens;
  mlir::Value copy, groupSums, groupScales;
  mlir::Type inputType, copyType, sumType;
  int64_t unit;
  llvm::SmallVector<Range> ranges;
};

} // namespace lowbit

#endif // LOWBIT_LIB_KERNELS_PANELACTIVATIONS_H
