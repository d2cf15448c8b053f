//===- SymbolicRewrite.h - rewriting with known shapes ----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_SYMBOLICREWRITE_H
#define LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_SYMBOLICREWRITE_H

#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "lowbit/Dialect/Onnx/IR/ShapeInference.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

namespace lowbit::onnx {

/// Infers the shapes of every function of a module, applies the patterns that
/// `populate` adds, and keeps the shapes true while they rewrite: those of new
/// ops are inferred, those of erased ones forgotten. A failure is diagnosed.
llvm::LogicalResult applyWithShapes(
    mlir::Operation *module, llvm::StringRef what,
    llvm::function_ref<void(mlir::RewritePatternSet &, SymbolicShapes &)>
        populate);

/// Gives a result the type that the shapes tell.
void refineType(mlir::Value value, const SymbolicShapes &shapes);

/// Creates an op with one result whose shape is inferred. To be used from
/// patterns that `applyWithShapes` runs.
template <typename OpTy, typename... Args>
OpTy createInferred(mlir::PatternRewriter &rewriter,
                    const SymbolicShapes &shapes, mlir::Location loc,
                    mlir::Type elementType, Args &&...args) {
  auto op =
      OpTy::create(rewriter, loc, mlir::UnrankedTensorType::get(elementType),
                   std::forward<Args>(args)...);
  refineType(op->getResult(0), shapes);
  return op;
}

/// The base of patterns that look at symbolic shapes.
template <typename OpTy>
class SymbolicPattern : public mlir::OpRewritePattern<OpTy> {
public:
  SymbolicPattern(mlir::MLIRContext *context, SymbolicShapes &shapes)
      : mlir::OpRewritePattern<OpTy>(context), shapes(shapes) {}

protected:
  SymbolicShapes &shapes;
};

} // namespace lowbit::onnx

#endif // LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_SYMBOLICREWRITE_H
