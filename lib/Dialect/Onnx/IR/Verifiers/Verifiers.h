//===- Verifiers.h - checks that several verifiers need ---------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_DIALECT_ONNX_IR_VERIFIERS_VERIFIERS_H
#define LOWBIT_LIB_DIALECT_ONNX_IR_VERIFIERS_VERIFIERS_H

#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"

namespace lowbit::onnx {

/// The value's type if its rank is known. (A missing operand has no rank.)
inline mlir::RankedTensorType getRanked(mlir::Value value) {
  return llvm::dyn_cast<mlir::RankedTensorType>(value.getType());
}

/// The value's dimension if it is known to be a number; negative indices count
/// from the end.
inline std::optional<int64_t> getStaticDim(mlir::Value value, int64_t index) {
  mlir::RankedTensorType type = getRanked(value);
  if (!type)
    return std::nullopt;
  int64_t rank = type.getRank();
  if (index < 0)
    index += rank;
  if (index < 0 || index >= rank || type.isDynamicDim(index))
    return std::nullopt;
  return type.getDimSize(index);
}

/// Checks -rank <= axis < rank, where a rank that is not known accepts all.
/// `extra` is added to the rank (1 where the axis names a position between
/// dimensions).
llvm::LogicalResult verifyAxis(mlir::Operation *op, llvm::StringRef name,
                               int64_t axis, mlir::Value value,
                               int64_t extra = 0);

/// Checks the rank of a value, if it is known.
llvm::LogicalResult verifyRank(mlir::Operation *op, llvm::StringRef name,
                               mlir::Value value, int64_t rank);

/// Checks that two known dimensions are equal.
llvm::LogicalResult verifySameDim(mlir::Operation *op, llvm::StringRef what,
                                  std::optional<int64_t> a,
                                  std::optional<int64_t> b);

/// Checks that the operands' shapes broadcast as in numpy, to the result's.
llvm::LogicalResult verifyBroadcast(mlir::Operation *op);

} // namespace lowbit::onnx

#endif // LOWBIT_LIB_DIALECT_ONNX_IR_VERIFIERS_VERIFIERS_H
