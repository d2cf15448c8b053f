//===- Lanes.h - how many partial results a reduction has -------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_KERNELS_LANES_H
#define LOWBIT_KERNELS_LANES_H

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lowbit {

/// Partial results that a contiguous reduction keeps. The number is the same on
/// every target, whatever its vectors: so are the bits of the result.
constexpr int64_t reductionLanes = 16;

/// Combines the lanes with each other, by halves, and then with `init`.
mlir::Value combineLanes(mlir::ImplicitLocOpBuilder &b,
                         mlir::vector::CombiningKind kind, mlir::Value lanes,
                         mlir::Value init);

} // namespace lowbit

#endif // LOWBIT_KERNELS_LANES_H
