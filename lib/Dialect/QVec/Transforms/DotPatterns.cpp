//===- DotPatterns.cpp - bringing dot products to a target's shape --------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/QVec/Transforms/DotPatterns.h"
#include "lowbit/Dialect/QVec/IR/QVecOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lowbit::qvec;

namespace {

constexpr int64_t bytesPerLane = 4;
constexpr int32_t lowBitsMax = 127;
constexpr int32_t lowBitsWidth = 7;

struct SplitDotLanes final : OpRewritePattern<DotOp> {
  SplitDotLanes(MLIRContext *context, int64_t lanes)
      : OpRewritePattern(context), lanes(lanes) {}

  LogicalResult matchAndRewrite(DotOp op,
                                PatternRewriter &rewriter) const override {
    VectorType acc = op.getAcc().getType();
    int64_t total = acc.getDimSize(0);
    if (acc.isScalable() || total <= lanes)
      return rewriter.notifyMatchFailure(op, "fits the target's registers");
    if (total % lanes != 0)
      return rewriter.notifyMatchFailure(op, "is no multiple of the registers");
    Location loc = op.getLoc();
    auto slice = [&](Value vector, int64_t offset, int64_t size) -> Value {
      return vector::ExtractStridedSliceOp::create(
          rewriter, loc, vector, ArrayRef<int64_t>{offset},
          ArrayRef<int64_t>{size}, ArrayRef<int64_t>{1});
    };
    Value result = op.getAcc();
    for (int64_t offset = 0; offset < total; offset += lanes) {
      Value part = DotOp::create(
          rewriter, loc, slice(op.getAcc(), offset, lanes),
          slice(op.getLhs(), offset * bytesPerLane, lanes * bytesPerLane),
          slice(op.getRhs(), offset * bytesPerLane, lanes * bytesPerLane),
          op.getLhsMax());
      result = vector::InsertStridedSliceOp::create(rewriter, loc, part, result,
                                                    ArrayRef<int64_t>{offset},
                                                    ArrayRef<int64_t>{1});
    }
    rewriter.replaceOp(op, result);
    return success();
  }

  int64_t lanes;
};

struct SplitDotRange final : OpRewritePattern<DotOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DotOp op,
                                PatternRewriter &rewriter) const override {
    if (static_cast<int32_t>(op.getLhsMax()) <= lowBitsMax)
      return rewriter.notifyMatchFailure(op, "the codes fit seven bits");
    Location loc = op.getLoc();
    auto constant = [&](VectorType type, int32_t value) -> Value {
      return arith::ConstantOp::create(
          rewriter, loc,
          DenseElementsAttr::get(
              type, rewriter.getIntegerAttr(type.getElementType(), value)));
    };
    VectorType bytes = op.getLhs().getType(), lanes = op.getAcc().getType();
    Value low = arith::AndIOp::create(rewriter, loc, op.getLhs(),
                                      constant(bytes, lowBitsMax));
    Value high = arith::ShRUIOp::create(rewriter, loc, op.getLhs(),
                                        constant(bytes, lowBitsWidth));
    Value highDot = DotOp::create(rewriter, loc, constant(lanes, 0), high,
                                  op.getRhs(), /*lhs_max=*/1);
    Value acc = arith::AddIOp::create(
        rewriter, loc, op.getAcc(),
        arith::ShLIOp::create(rewriter, loc, highDot,
                              constant(lanes, lowBitsWidth)));
    rewriter.replaceOpWithNewOp<DotOp>(op, acc, low, op.getRhs(), lowBitsMax);
    return success();
  }
};

struct ExpandMulAdd final : OpRewritePattern<MulAddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulAddOp op,
                                PatternRewriter &rewriter) const override {
    Value product =
        arith::MulIOp::create(rewriter, op.getLoc(), op.getLhs(), op.getRhs());
    rewriter.replaceOpWithNewOp<arith::AddIOp>(op, op.getAcc(), product);
    return success();
  }
};

} // namespace

void lowbit::qvec::populateSplitDotLanesPatterns(RewritePatternSet &patterns,
                                                 int64_t lanes) {
  patterns.add<SplitDotLanes>(patterns.getContext(), lanes);
}

void lowbit::qvec::populateSplitDotRangePatterns(RewritePatternSet &patterns) {
  patterns.add<SplitDotRange>(patterns.getContext());
}

void lowbit::qvec::populateExpandMulAddPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandMulAdd>(patterns.getContext());
}
