//===- Contraction.h - what is known of a contraction -----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_LINALGTOCPU_CONTRACTION_H
#define LOWBIT_LIB_CONVERSION_LINALGTOCPU_CONTRACTION_H

#include "lowbit/Kernels/KernelBuilder.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace lowbit {

/// What the generated code has to fit.
struct VectorShape {
  /// Elements of one vector register.
  int64_t lanes;
  /// Width of a register tile in elements: with `tileRows` rows it fills the
  /// registers but for the operands.
  int64_t tileColumns;
  bool parallel;
};

/// A buffer and the loop that each of its dimensions follows.
struct ContractionOperand {
  mlir::Value buffer;
  llvm::SmallVector<unsigned> dims;

  /// True if consecutive iterations of `dim` are neighbours in memory.
  bool isContiguousIn(unsigned dim) const;
};

/// result[batch, m.., n..] += lhs[batch, m.., k..] * rhs[batch, n.., k..], in
/// f32, with the dimensions of each operand in any order. The roles of the two
/// inputs are such that neighbours of the result along `n` are neighbours in
/// memory.
struct Contraction {
  static mlir::FailureOr<Contraction> match(mlir::linalg::LinalgOp op,
                                            mlir::RewriterBase &rewriter);

  mlir::linalg::LinalgOp op;
  ContractionOperand lhs, rhs, result;
  /// The dimensions that form the tiles.
  unsigned m, n, k;
  /// The dimensions that select the panel of `rhs`; independent of each other.
  llvm::SmallVector<unsigned> outer;
  /// Further rows that multiply the same panel, and further dimensions to sum
  /// over.
  llvm::SmallVector<unsigned> otherRows, otherSums;
  /// The number of iterations of each dimension as far as it is known.
  llvm::SmallVector<int64_t> staticSizes;
  /// The same as values; filled in by `buildSizes`.
  llvm::SmallVector<mlir::Value> sizes;

  void buildSizes(mlir::ImplicitLocOpBuilder &b);
  /// The number of iterations if it is known, else `ShapedType::kDynamic`.
  int64_t getStaticSize(unsigned dim) const;
  /// The sizes of some dimensions.
  llvm::SmallVector<mlir::Value> getSizes(llvm::ArrayRef<unsigned> dims) const;
};

/// The place of the loops that surround the code being emitted: an index for
/// each dimension of the contraction.
using LoopIndices = llvm::SmallVector<mlir::Value>;

/// The indices of an operand's element.
llvm::SmallVector<mlir::Value> getIndices(const ContractionOperand &operand,
                                          const LoopIndices &at);

/// Sequential loops over whole dimensions. `body` receives `at` with their
/// induction variables in place.
void buildLoopsOver(
    mlir::ImplicitLocOpBuilder &b, const Contraction &c,
    llvm::ArrayRef<unsigned> dims, LoopIndices at,
    llvm::function_ref<void(mlir::ImplicitLocOpBuilder &, LoopIndices)> body);

/// What builders of a contraction's loops have in common.
struct ContractionBuilder : KernelBuilder {
  ContractionBuilder(const mlir::ImplicitLocOpBuilder &b, const Contraction &c,
                     const VectorShape &shape)
      : KernelBuilder(b), c(c), shape(shape) {}

  const Contraction &c;
  const VectorShape &shape;
};

/// Packs panels of the right operand and computes in register tiles.
void buildPackedLoops(mlir::ImplicitLocOpBuilder &b, const Contraction &c,
                      const VectorShape &shape);

/// Whether `buildRowLoops` can read the right operand in place.
bool canBuildRowLoops(const Contraction &c);
/// Reads the right operand in place, once for each row.
void buildRowLoops(mlir::ImplicitLocOpBuilder &b, const Contraction &c,
                   const VectorShape &shape);

} // namespace lowbit

#endif // LOWBIT_LIB_CONVERSION_LINALGTOCPU_CONTRACTION_H
