//===- SeparateInits.cpp - an initial tensor of its own for every op ------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace lowbit {
#define GEN_PASS_DEF_SEPARATEINITSPASS
#include "lowbit/Conversion/LinalgToCpu/Passes.h.inc"
} // namespace lowbit

using namespace mlir;

/// Gives each use of `op` but the last, which may keep it, a clone.
static void cloneForUses(Operation *op) {
  SmallVector<OpOperand *> uses;
  for (OpOperand &use : op->getUses())
    uses.push_back(&use);
  // Uses are listed from the last one that was added on.
  for (OpOperand *use : llvm::drop_begin(uses)) {
    OpBuilder b(use->getOwner());
    use->set(b.clone(*op)->getResult(0));
  }
}

namespace {
struct SeparateInitsPass final
    : lowbit::impl::SeparateInitsPassBase<SeparateInitsPass> {
  void runOnOperation() override {
    SmallVector<Operation *> fills, empties;
    getOperation()->walk([&](linalg::FillOp op) {
      if (op->getNumResults() == 1 &&
          op.getOutputs().front().getDefiningOp<tensor::EmptyOp>())
        fills.push_back(op);
    });
    llvm::for_each(fills, cloneForUses);
    // The fills now need one each.
    getOperation()->walk([&](tensor::EmptyOp op) { empties.push_back(op); });
    llvm::for_each(empties, cloneForUses);
  }
};
} // namespace
