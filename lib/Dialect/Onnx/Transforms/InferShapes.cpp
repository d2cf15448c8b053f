//===- InferShapes.cpp - refine types by shape inference ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The inference itself is an interface of the ops; see IR/ShapeInference.h.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Onnx/IR/ShapeInference.h"
#include "lowbit/Dialect/Onnx/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"

namespace lowbit::onnx {
#define GEN_PASS_DEF_INFERSHAPESPASS
#include "lowbit/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lowbit::onnx

using namespace mlir;
using namespace lowbit::onnx;

namespace {
struct InferShapesPass final
    : lowbit::onnx::impl::InferShapesPassBase<InferShapesPass> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      FailureOr<SymbolicShapes> shapes = inferShapes(function);
      if (failed(shapes))
        return signalPassFailure();
      refineTypes(function, *shapes);
    }
  }
};
} // namespace
