//===- MatmulStrategy.h - options that choose a strategy --------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_KERNELS_MATMULSTRATEGY_H
#define LOWBIT_KERNELS_MATMULSTRATEGY_H

#include "lowbit/Dialect/Lowbit/IR/MatmulTile.h"
#include "llvm/Support/CommandLine.h"

namespace lowbit {

/// The values of an option that chooses a strategy.
llvm::cl::ValuesClass getMatmulStrategyValues();

} // namespace lowbit

#endif // LOWBIT_KERNELS_MATMULSTRATEGY_H
