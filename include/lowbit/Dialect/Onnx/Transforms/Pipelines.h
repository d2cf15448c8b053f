//===- Pipelines.h - pipelines on onnx graphs -------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_ONNX_TRANSFORMS_PIPELINES_H
#define LOWBIT_DIALECT_ONNX_TRANSFORMS_PIPELINES_H

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace lowbit::onnx {

/// `--onnx-normalize`: brings a module of onnx graphs, whichever exporter wrote
/// it, into one form. It infers shapes, folds constants, removes computations
/// of shapes, recognizes norms, activations, rotary embeddings, attention and
/// linear layers, and names the layers. A normalized graph stays as it is.
void buildNormalizePipeline(mlir::OpPassManager &pm);

/// Makes the caches of a normalized decoder arguments that are updated in place
/// (`--onnx-update-kv-cache-in-place`), and removes what that leaves.
void buildKvCachePipeline(mlir::OpPassManager &pm);

void registerOnnxPipelines();

} // namespace lowbit::onnx

#endif // LOWBIT_DIALECT_ONNX_TRANSFORMS_PIPELINES_H
