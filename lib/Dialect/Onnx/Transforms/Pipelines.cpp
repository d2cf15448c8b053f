//===- Pipelines.cpp - pipelines on onnx graphs ---------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Onnx/Transforms/Pipelines.h"
#include "lowbit/Dialect/Onnx/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace lowbit::onnx;

/// Leaves nothing that is known before the model runs.
static void buildCleanUp(OpPassManager &pm) {
  pm.addPass(createInferShapesPass());
  pm.addPass(createFoldConstantsPass());
  pm.addPass(createSimplifyShapesPass());
  pm.addPass(mlir::createCanonicalizerPass());
  pm.addPass(mlir::createCSEPass());
}

void lowbit::onnx::buildNormalizePipeline(OpPassManager &pm) {
  // Parts are recognized by their uses, which dead shape computations would
  // add to, and by equal operands, which CSE makes equal.
  buildCleanUp(pm);
  pm.addPass(createRecognizeLinearPass());
  // A LayerNorm contains what looks like an RMSNorm of a difference.
  pm.addPass(createRecognizeLayerNormPass());
  pm.addPass(createRecognizeRMSNormPass());
  pm.addPass(createRecognizeGeluPass());
  pm.addPass(createRecognizeSwishPass());
  // Repeated heads stand between rotary embeddings and attention.
  pm.addPass(createRecognizeRotaryEmbeddingPass());
  pm.addPass(createRecognizeAttentionPass());
  buildCleanUp(pm);
  pm.addPass(createNameLayersPass());
}

void lowbit::onnx::buildKvCachePipeline(OpPassManager &pm) {
  pm.addPass(createUpdateKvCacheInPlacePass());
  buildCleanUp(pm);
}

void lowbit::onnx::registerOnnxPipelines() {
  PassPipelineRegistration<>(
      "onnx-normalize",
      "Bring an ONNX graph, whichever exporter wrote it, into one form: shapes "
      "are inferred, constants folded, and norms, activations, rotary "
      "embeddings, attention and linear layers recognized",
      buildNormalizePipeline);
}
