//===- Inference.h - what the ops' shape inference shares -------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_DIALECT_ONNX_IR_SHAPEINFERENCE_INFERENCE_H
#define LOWBIT_LIB_DIALECT_ONNX_IR_SHAPEINFERENCE_INFERENCE_H

#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"

namespace lowbit::onnx {

using mlir::AffineExpr;

/// Elements are kept of tensors up to this size: shapes, axes and the like.
inline constexpr int64_t kMaxElements = 256;

/// An axis counted from the front; nothing if it is out of range.
inline std::optional<int64_t> normalizeAxis(int64_t axis, int64_t rank) {
  if (axis < 0)
    axis += rank;
  if (axis < 0 || axis >= rank)
    return std::nullopt;
  return axis;
}

/// Dimensions as a message names them: "(s0, 4, 64)".
std::string getText(llvm::ArrayRef<AffineExpr> dims);

/// The number of elements, if it is a constant up to kMaxElements.
std::optional<int64_t> getSmallSize(llvm::ArrayRef<AffineExpr> dims);

/// The axes that an operand lists, counted from the front of `rank` dimensions;
/// nothing if they are not constant or out of range.
std::optional<llvm::SmallVector<int64_t>>
getAxes(const SymbolicShapes &shapes, mlir::Value axes, int64_t rank);

/// The dimension of two that must be equal: the one that says more. Null, with
/// a diagnostic, if they differ.
AffineExpr unifyDims(mlir::Operation *op, SymbolicShapes &shapes, AffineExpr a,
                     AffineExpr b);

/// Numpy's broadcasting. Null, with a diagnostic, if the shapes do not fit.
std::optional<SymbolicShapes::Expressions>
broadcastDims(mlir::Operation *op, SymbolicShapes &shapes,
              llvm::ArrayRef<AffineExpr> a, llvm::ArrayRef<AffineExpr> b);

/// The first result has the shape to which the operands broadcast. Elements, if
/// those of the operands are known, are computed by `fold`, which may return
/// null for what is not known.
using ElementFolder =
    llvm::function_ref<AffineExpr(llvm::ArrayRef<AffineExpr> operands)>;
llvm::LogicalResult inferBroadcast(mlir::Operation *op, SymbolicShapes &shapes,
                                   ElementFolder fold = nullptr);

/// The results have the shape of the first operand.
llvm::LogicalResult inferSameShape(mlir::Operation *op, SymbolicShapes &shapes);

/// The result has the elements of the first operand in another shape.
void inferSameElements(mlir::Value from, mlir::Value to,
                       SymbolicShapes &shapes);

/// So many dimensions of which nothing is known.
SymbolicShapes::Expressions makeDims(SymbolicShapes &shapes, int64_t rank);

/// The dimensions that the elements of a shape operand are. Those that may be
/// negative (-1 stands for something else) become new symbols.
std::optional<SymbolicShapes::Expressions>
getShapeOperand(SymbolicShapes &shapes, mlir::Value shape);

/// Gives the lowbit dialect's operations, which must be loaded, their
/// ShapeInferenceOpInterface.
void attachQuantizedOpShapes(mlir::MLIRContext &context);

} // namespace lowbit::onnx

#endif // LOWBIT_LIB_DIALECT_ONNX_IR_SHAPEINFERENCE_INFERENCE_H
