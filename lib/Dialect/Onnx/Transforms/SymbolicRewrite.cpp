//===- SymbolicRewrite.cpp - rewriting with known shapes ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SymbolicRewrite.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace lowbit::onnx;

namespace {
struct ShapesListener final : RewriterBase::Listener {
  explicit ShapesListener(SymbolicShapes &shapes) : shapes(shapes) {}

  void notifyOperationInserted(Operation *op,
                               OpBuilder::InsertPoint previous) override {
    // An op that is only moved keeps its shapes. A contradiction between what a
    // pattern makes and what it replaces shows in the verifier.
    if (!previous.isSet())
      (void)inferShapes(op, shapes);
  }

  void notifyOperationErased(Operation *op) override {
    for (Value result : op->getResults())
      shapes.erase(result);
  }

  SymbolicShapes &shapes;
};
} // namespace

LogicalResult lowbit::onnx::applyWithShapes(
    Operation *module, StringRef what,
    function_ref<void(RewritePatternSet &, SymbolicShapes &)> populate) {
  for (Region &region : module->getRegions())
    for (auto function : region.getOps<func::FuncOp>()) {
      FailureOr<SymbolicShapes> shapes = inferShapes(function);
      if (failed(shapes))
        return failure();
      refineTypes(function, *shapes);
      RewritePatternSet patterns(module->getContext());
      populate(patterns, *shapes);
      ShapesListener listener(*shapes);
      GreedyRewriteConfig config;
      config.setListener(&listener);
      if (failed(applyPatternsGreedily(function, std::move(patterns), config)))
        return function.emitError() << what << " does not end";
    }
  return success();
}

void lowbit::onnx::refineType(Value value, const SymbolicShapes &shapes) {
  if (std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(value))
    value.setType(getTensorType(
        *dims, cast<TensorType>(value.getType()).getElementType()));
}
