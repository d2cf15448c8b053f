//===- Patterns.h - rewrites of onnx graphs ---------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_ONNX_TRANSFORMS_PATTERNS_H
#define LOWBIT_DIALECT_ONNX_TRANSFORMS_PATTERNS_H

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace lowbit::onnx {

/// The patterns of the passes of the same names; see Passes.td.
void populateRecognizeGeluPatterns(mlir::RewritePatternSet &patterns);
void populateRecognizeLayerNormPatterns(mlir::RewritePatternSet &patterns);
void populateRecognizeRMSNormPatterns(mlir::RewritePatternSet &patterns);
void populateRecognizeSwishPatterns(mlir::RewritePatternSet &patterns);

} // namespace lowbit::onnx

#endif // LOWBIT_DIALECT_ONNX_TRANSFORMS_PATTERNS_H
