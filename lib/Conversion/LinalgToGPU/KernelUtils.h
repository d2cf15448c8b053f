//===- KernelUtils.h - shared by the kernel builders ---------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_LINALGTOGPU_KERNELUTILS_H
#define LOWBIT_LIB_CONVERSION_LINALGTOGPU_KERNELUTILS_H

#include "lowbit/Conversion/GPU/Kernels.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace lowbit {

inline mlir::Value buildIndex(mlir::OpBuilder &builder, mlir::Location loc,
                              int64_t value) {
  return mlir::arith::ConstantIndexOp::create(builder, loc, value);
}

/// The sizes of the iteration space of `op`, by loop.
llvm::SmallVector<mlir::OpFoldResult> getLoopSizes(mlir::OpBuilder &builder,
                                                   mlir::linalg::LinalgOp op);

/// The product of `sizes`; 1 if there are none.
mlir::Value buildProduct(mlir::OpBuilder &builder, mlir::Location loc,
                         llvm::ArrayRef<mlir::OpFoldResult> sizes);

mlir::Value buildCeilDiv(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value value, int64_t divisor);

/// `lhs * factor + rhs`.
mlir::Value buildMulAdd(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value lhs, int64_t factor, mlir::Value rhs);

mlir::Value buildLess(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value lhs, mlir::Value rhs);

/// Splits `linear` into coordinates of a space of these sizes, last one
/// fastest.
llvm::SmallVector<mlir::Value>
buildDelinearize(mlir::OpBuilder &builder, mlir::Location loc,
                 mlir::Value linear, llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// Where `operand` is accessed when the loops stand at `ivs`.
llvm::SmallVector<mlir::Value> buildCoordinates(mlir::OpBuilder &builder,
                                                mlir::linalg::LinalgOp op,
                                                mlir::OpOperand &operand,
                                                mlir::ValueRange ivs);

/// The element of `operand` at `ivs`, or the operand itself if it is a scalar.
mlir::Value buildOperandLoad(mlir::OpBuilder &builder,
                             mlir::linalg::LinalgOp op,
                             mlir::OpOperand &operand, mlir::ValueRange ivs);

/// Clones the body of `op` for the loops at `ivs`, with `scalars` in place of
/// its block arguments, and returns what it yields.
llvm::SmallVector<mlir::Value> buildScalarBody(mlir::OpBuilder &builder,
                                               mlir::linalg::LinalgOp op,
                                               mlir::ValueRange ivs,
                                               mlir::ValueRange scalars);

/// The positions of the loops of one kind.
llvm::SmallVector<unsigned> getLoops(mlir::linalg::LinalgOp op,
                                     mlir::utils::IteratorType kind);

/// The elements of `values` at `positions`.
template <typename T>
llvm::SmallVector<T> gather(llvm::ArrayRef<T> values,
                            llvm::ArrayRef<unsigned> positions) {
  llvm::SmallVector<T> result;
  for (unsigned position : positions)
    result.push_back(values[position]);
  return result;
}

/// Puts `values` at `positions` of `all`.
inline void scatter(llvm::MutableArrayRef<mlir::Value> all,
                    llvm::ArrayRef<unsigned> positions,
                    mlir::ValueRange values) {
  for (auto [position, value] : llvm::zip_equal(positions, values))
    all[position] = value;
}

} // namespace lowbit

#endif // LOWBIT_LIB_CONVERSION_LINALGTOGPU_KERNELUTILS_H
