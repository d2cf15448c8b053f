//===- SymbolicPatterns.h - rewrites that need symbolic shapes --*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_ONNX_TRANSFORMS_SYMBOLICPATTERNS_H
#define LOWBIT_DIALECT_ONNX_TRANSFORMS_SYMBOLICPATTERNS_H

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace lowbit::onnx {
class SymbolicShapes;

/// The patterns of the passes of the same names (Passes.td) that look at
/// symbolic shapes. Whoever applies them keeps `shapes` true: it must know
/// every op that is created and forget every one that is erased.
void populateRecognizeAttentionPatterns(mlir::RewritePatternSet &patterns,
                                        SymbolicShapes &shapes);
void populateRecognizeLinearPatterns(mlir::RewritePatternSet &patterns,
                                     SymbolicShapes &shapes);
void populateRecognizeRotaryEmbeddingPatterns(mlir::RewritePatternSet &patterns,
                                              SymbolicShapes &shapes);
void populateSimplifyShapesPatterns(mlir::RewritePatternSet &patterns,
                                    SymbolicShapes &shapes);

} // namespace lowbit::onnx

#endif // LOWBIT_DIALECT_ONNX_TRANSFORMS_SYMBOLICPATTERNS_H
