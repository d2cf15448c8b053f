//===- Gptq.h - Rounding with error feedback --------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// GPTQ (Frantar, Ashkboos, Hoefler, Alistarh, 2022, arXiv 2210.17323): columns
// are coded one after the other, and the columns not yet coded absorb the error
// made so far in the way that changes the layer's output least.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_GPTQ_H
#define LOWBIT_QUANTIZE_GPTQ_H

#include "lowbit/Quantize/Hessian.h"
#include "lowbit/Quantize/PruningOptions.h"
#include "lowbit/Quantize/Solver.h"

namespace lowbit {

struct GptqOptions {
  /// Added to the diagonal of the Hessian, relative to its mean.
  double damping = 0.01;
  /// Codes the columns with the largest diagonal of the Hessian first.
  bool actOrder = false;
  /// Finds the parameters of all groups before any column is coded, on the
  /// original columns. With `actOrder` and without this, the groups are formed
  /// in the order of coding, and columns are stored in that order.
  bool staticGroups = false;
  /// Columns between two updates of the columns that follow them. Changes
  /// results by rounding errors only.
  int64_t blockSize = 128;
  /// Passes over the finished codes in which each group's scale is fitted to
  /// its codes, and each code is chosen anew with all others fixed (coordinate
  /// descent). Every pass lowers the loss.
  int64_t refinements = 0;
  /// Codes weights that are zero, as those that were pruned, as zeros again,
  /// instead of what would make up best for the errors of others.
  bool keepZeros = false;
  /// Weights to code as zeros, chosen as SparseGPT does while columns are
  /// coded: pruning and quantization in one.
  std::optional<PruningOptions> pruning;
  /// 0 takes all processors. Results do not depend on it.
  unsigned threads = 0;

  /// An error that names the first option that is out of its range.
  llvm::Error check() const;
};

/// What GPTQ needs of a Hessian: the order of the columns and a Cholesky
/// factor. Layers that share their input (query, key and value, say) share one.
class GptqFactor {
public:
  /// Factorizes in the memory of `hessian`. When the damped Hessian is not
  /// positive definite, the damping is doubled (from 0.01 at least) until it
  /// is.
  static llvm::Expected<GptqFactor> compute(Hessian hessian,
                                            const GptqOptions &options);

  int64_t getWidth() const { return hessian.width; }
  /// The column that is coded at each step.
  llvm::ArrayRef<int64_t> getOrder() const { return order; }
  /// Whether a column's inputs were all zero. Such columns are coded as zeros.
  bool isDead(int64_t column) const { return dead[column]; }
  /// Whether no input was seen at all: there is nothing to minimize.
  bool isEmpty() const { return empty; }
  /// The damping that was needed, relative and absolute.
  double getDamping() const { return damping; }
  double getDiagonalShift() const { return shift; }

  /// The factor G of the damped Hessian H = G Gᵀ in *reverse* order of coding:
  /// row and column i stand for the step width - 1 - i. Lower triangular; above
  /// the diagonal lies Gᵀ, so that rows of G are contiguous, too.
  ///
  /// With it column i is coded from w_i + sum_{j>i} (w_j - ŵ_j) G_ji / G_ii.
  /// That is the same as GPTQ's usual form with the upper factor U of the
  /// inverse (in reverse order U = G⁻¹), but takes one factorization instead of
  /// three.
  const float *getFactor() const { return hessian.values.data(); }

private:
  Hessian hessian;
  std::vector<int64_t> order;
  std::vector<bool> dead;
  bool empty = false;
  double damping = 0;
  double shift = 0;
};

struct GptqResult : SolverResult {
  /// Half of tr((W - Ŵ) H (W - Ŵ)ᵀ) for the damped Hessian, which without
  /// refinements is the sum of (w - ŵ)² / (2 U_ii²) over all columns as they
  /// were coded.
  double loss = 0;
};

/// Quantizes `weights` [out, in] for the inputs that `factor` was made from.
/// Falls back to rounding to nearest where no input was seen. `options` are
/// those that the factor was made with.
llvm::Expected<GptqResult> gptq(const BlockFormat &format,
                                ConstMatrixView weights,
                                const GptqFactor &factor,
                                const RangeSearch &search,
                                const GptqOptions &options);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_GPTQ_H
