//===- QVecToVector.cpp - qvec to upstream operations ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/QVec/Passes.h"
#include "lowbit/Dialect/QVec/IR/QVecOps.h"
#include "lowbit/Dialect/QVec/Transforms/DotPatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lowbit {
#define GEN_PASS_DEF_CONVERTQVECTOVECTOR
#include "lowbit/Conversion/QVec/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {

struct ExpandDot final : OpRewritePattern<qvec::DotOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::DotOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    VectorType lanes = op.getAcc().getType();
    int64_t n = lanes.getNumElements();
    Value result = op.getAcc();
    for (int64_t j = 0; j < 4; ++j) {
      SmallVector<int64_t> mask;
      for (int64_t i = 0; i < n; ++i)
        mask.push_back(4 * i + j);
      auto pick = [&](Value bytes) -> Value {
        return vector::ShuffleOp::create(rewriter, loc, bytes, bytes, mask);
      };
      Value lhs =
          arith::ExtUIOp::create(rewriter, loc, lanes, pick(op.getLhs()));
      Value rhs =
          arith::ExtSIOp::create(rewriter, loc, lanes, pick(op.getRhs()));
      result =
          arith::AddIOp::create(rewriter, loc, result,
                                arith::MulIOp::create(rewriter, loc, lhs, rhs));
    }
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// One comparison for each entry.
struct ExpandLookup final : OpRewritePattern<qvec::LookupOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::LookupOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    VectorType indices = op.getIndices().getType();
    Value result;
    for (int64_t entry = 0; entry < 16; ++entry) {
      Value value = vector::BroadcastOp::create(
          rewriter, loc, op.getType(),
          vector::ExtractOp::create(rewriter, loc, op.getTable(), entry));
      if (!result) {
        result = value;
        continue;
      }
      Value number = arith::ConstantOp::create(
          rewriter, loc,
          DenseElementsAttr::get(
              indices,
              rewriter.getIntegerAttr(indices.getElementType(), entry)));
      Value isHere = arith::CmpIOp::create(
          rewriter, loc, arith::CmpIPredicate::eq, op.getIndices(), number);
      result = arith::SelectOp::create(rewriter, loc, isHere, value, result);
    }
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct ConvertQVecToVectorPass
    : lowbit::impl::ConvertQVecToVectorBase<ConvertQVecToVectorPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandDot, ExpandLookup>(&getContext());
    qvec::populateExpandMulAddPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation()->emitError("the expansion of qvec did not converge");
      signalPassFailure();
    }
  }
};

} // namespace
