//===- ConstantEvaluation.h - onnx ops on constants -------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_CONSTANTEVALUATION_H
#define LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_CONSTANTEVALUATION_H

#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"

namespace lowbit::onnx {

/// Results up to this size are kept in the IR.
inline constexpr int64_t kMaxInlineBytes = 64 * 1024;

/// Whether a tensor of this type may be made a constant of the IR.
bool mayBeInline(mlir::Type type);

/// The result of an op with one result whose operands are `operands` (null for
/// a missing one), as a tensor of `type`. Null if the op is not evaluated here.
mlir::TypedAttr evaluateElementwise(mlir::Operation *op,
                                    mlir::RankedTensorType type,
                                    llvm::ArrayRef<mlir::Attribute> operands);
mlir::TypedAttr evaluateMovement(mlir::Operation *op,
                                 mlir::RankedTensorType type,
                                 llvm::ArrayRef<mlir::Attribute> operands);

} // namespace lowbit::onnx

#endif // LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_CONSTANTEVALUATION_H
