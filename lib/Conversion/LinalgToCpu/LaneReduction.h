//===- LaneReduction.h - reductions in a fixed number of lanes --*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_LINALGTOCPU_LANEREDUCTION_H
#define LOWBIT_LIB_CONVERSION_LINALGTOCPU_LANEREDUCTION_H

#include "lowbit/Kernels/Lanes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace lowbit {

/// The body of a linalg op on buffers that reduces along contiguous elements,
/// `reductionLanes` neighbours at once.
class LaneReduction {
public:
  /// Nothing if the body cannot be computed in lanes along dimension `dim`: an
  /// access is not contiguous, an operation has no vector form or an
  /// accumulator has no neutral value.
  static std::optional<LaneReduction> match(mlir::linalg::LinalgOp op,
                                            unsigned dim);

  /// Accumulators before the first element.
  llvm::SmallVector<mlir::Value>
  buildNeutral(mlir::ImplicitLocOpBuilder &b) const;
  /// The accumulators after the elements at `at` and their neighbours.
  llvm::SmallVector<mlir::Value> buildStep(mlir::ImplicitLocOpBuilder &b,
                                           llvm::ArrayRef<mlir::Value> at,
                                           mlir::ValueRange accumulators);
  /// Adds the accumulators to scalar ones.
  llvm::SmallVector<mlir::Value> combine(mlir::ImplicitLocOpBuilder &b,
                                         mlir::ValueRange accumulators,
                                         mlir::ValueRange scalars) const;

private:
  LaneReduction(mlir::linalg::LinalgOp op, unsigned dim) : op(op), dim(dim) {}

  mlir::linalg::LinalgOp op;
  unsigned dim;
  llvm::SmallVector<mlir::TypedAttr> neutral;
  llvm::SmallVector<mlir::vector::CombiningKind> kinds;
};

/// The indices of an operand's element at the iteration `at`.
llvm::SmallVector<mlir::Value>
getOperandIndices(mlir::ImplicitLocOpBuilder &b, mlir::linalg::LinalgOp op,
                  mlir::OpOperand &operand, llvm::ArrayRef<mlir::Value> at);

} // namespace lowbit

#endif // LOWBIT_LIB_CONVERSION_LINALGTOCPU_LANEREDUCTION_H
