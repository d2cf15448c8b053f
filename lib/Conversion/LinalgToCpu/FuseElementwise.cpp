//===- FuseElementwise.cpp - fusion that computes nothing twice -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lowbit {
#define GEN_PASS_DEF_FUSEELEMENTWISEPASS
#include "lowbit/Conversion/LinalgToCpu/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

/// Operations that cost about as much as the access to memory that fusing
/// saves.
static bool isCheap(linalg::LinalgOp op) {
  return llvm::all_of(
      op.getBlock()->without_terminator(), [](Operation &inner) {
        return !isa<math::MathDialect>(inner.getDialect()) &&
               !isa<arith::DivFOp, arith::DivSIOp, arith::DivUIOp,
                    arith::RemFOp, arith::RemSIOp, arith::RemUIOp>(inner) &&
               inner.getNumRegions() == 0;
      });
}

/// Whether to move the producer of `operand` into its consumer.
static bool shouldFuse(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!producer || !consumer || linalg::isaContractionOpInterface(consumer))
    return false;
  if (!producer->hasOneUse())
    return false;
  // A broadcast would repeat the computation for each of its copies.
  bool isOneToOne = consumer.getMatchingIndexingMap(operand).isPermutation();
  return isOneToOne || isCheap(producer);
}

namespace {
/// Named ops other than contractions, which `lowbit-lower-contractions` knows
/// by any name, and those that mean a fill or a copy.
struct GeneralizeElementwise final
    : OpInterfaceRewritePattern<linalg::LinalgOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;
  LogicalResult matchAndRewrite(linalg::LinalgOp op,
                                PatternRewriter &rewriter) const override {
    if (isa<linalg::GenericOp, linalg::FillOp, linalg::CopyOp>(op))
      return rewriter.notifyMatchFailure(op, "stays as it is");
    if (op.getNumReductionLoops() != 0)
      return rewriter.notifyMatchFailure(op, "has a reduction");
    return linalg::generalizeNamedOp(rewriter, op);
  }
};

struct DecomposeSoftmax final : OpRewritePattern<linalg::SoftmaxOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::SoftmaxOp op,
                                PatternRewriter &rewriter) const override {
    FailureOr<SmallVector<Value>> results = op.decomposeOperation(rewriter);
    if (failed(results))
      return rewriter.notifyMatchFailure(op, "cannot be decomposed");
    rewriter.replaceOp(op, *results);
    return success();
  }
};

struct FuseElementwisePass final
    : lowbit::impl::FuseElementwisePassBase<FuseElementwisePass> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    patterns.add<GeneralizeElementwise, DecomposeSoftmax>(context);
    tensor::populateDecomposeTensorConcatPatterns(patterns);
    linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, context);
    tensor::EmptyOp::getCanonicalizationPatterns(patterns, context);
    linalg::populateConstantFoldLinalgOperations(
        patterns, [](OpOperand *operand) { return shouldFuse(operand); });
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation().emitError("fusion of elementwise ops does not converge");
      signalPassFailure();
    }
  }
};
} // namespace
