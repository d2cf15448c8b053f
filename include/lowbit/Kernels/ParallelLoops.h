//===- ParallelLoops.h - loop nests for several threads ---------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_KERNELS_PARALLELLOOPS_H
#define LOWBIT_KERNELS_PARALLELLOOPS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lowbit {

/// A rectangular loop nest from zero.
struct LoopNest {
  llvm::SmallVector<mlir::Value> upperBounds;
  llvm::SmallVector<int64_t> steps;
};

/// Builds an iteration, whose place is given, where the nest's builder stands
/// then.
using LoopBodyFn = llvm::function_ref<void(mlir::ValueRange)>;

/// Declares what the loops of `buildParallelNest` call.
void declareThreading(mlir::ModuleOp module);

/// Emits `nest`, whose iterations must be independent. It runs on all threads,
/// in equal contiguous shares, if `parallel` is set and `work`, the number of
/// scalar operations in it, is worth the start; nests inside of another one run
/// sequentially.
void buildParallelNest(mlir::ImplicitLocOpBuilder &b, const LoopNest &nest,
                       mlir::Value work, bool parallel, LoopBodyFn body);

/// The product of `values` as an index; one if there are none.
mlir::Value buildProduct(mlir::ImplicitLocOpBuilder &b,
                         mlir::ValueRange values);

} // namespace lowbit

#endif // LOWBIT_KERNELS_PARALLELLOOPS_H
