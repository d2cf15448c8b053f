//===- MatmulCost.h - which strategy is the fastest -------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_KERNELS_MATMULCOST_H
#define LOWBIT_LIB_KERNELS_MATMULCOST_H

#include "PanelMatmul.h"

namespace lowbit {

/// Tokens and panels that a matrix unit multiplies.
inline constexpr MatmulTile unitTile = {{16, 2}, MatmulStrategy::Tiles};

/// What a strategy would take for 1024 weights and one token.
struct MatmulCost {
  MatmulTile tile;
  /// Cycles of a core that finds everything in its cache, and those in which it
  /// reads the weight.
  double compute, memory;
};

/// The costs of all strategies that serve `spec`, for each number of tokens
/// that there are tiles for; the best first.
llvm::SmallVector<llvm::SmallVector<MatmulCost>>
compareMatmulCosts(const PanelMatmulSpec &spec,
                   const CpuKernelOptions &options);

/// Cycles in which a core that finds everything in its cache computes a product
/// for one token, by the best strategy.
double getComputeCycles(const PanelMatmulSpec &spec,
                        const CpuKernelOptions &options);

/// Fails, with a reason, if the strategy cannot serve `spec`.
llvm::LogicalResult checkStrategy(const PanelMatmulSpec &spec,
                                  const CpuKernelOptions &options,
                                  MatmulStrategy strategy, std::string &reason);

/// The tiles of a kernel, from the most tokens to one. Fails, with a reason, if
/// the strategy that the options ask for cannot serve `spec`.
mlir::FailureOr<llvm::SmallVector<MatmulTile>>
chooseMatmulTiles(const PanelMatmulSpec &spec, const CpuKernelOptions &options,
                  std::string &reason);

} // namespace lowbit

#endif // LOWBIT_LIB_KERNELS_MATMULCOST_H
