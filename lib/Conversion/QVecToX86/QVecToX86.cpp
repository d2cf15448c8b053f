//===- QVecToX86.cpp - qvec to AVX2 and AVX-512 VNNI ----------------------===//
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
#define GEN_PASS_DEF_CONVERTQVECTOX86
#include "lowbit/Conversion/QVec/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {

/// `vpdpbusd` in the width of the operands.
struct DotToVnni final : OpRewritePattern<qvec::DotOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::DotOp op,
                                PatternRewriter &rewriter) const override {
    int64_t bits = 32 * op.getAcc().getType().getNumElements();
    if (bits != 128 && bits != 256 && bits != 512)
      return rewriter.notifyMatchFailure(op, "no register of this width");
    std::string name = "llvm.x86.avx512.vpdpbusd." + std::to_string(bits);
    rewriter.replaceOpWithNewOp<LLVM::CallIntrinsicOp>(
        op, op.getType(), rewriter.getStringAttr(name),
        ValueRange{op.getAcc(), op.getLhs(), op.getRhs()});
    return success();
  }
};

/// `vpmaddubsw`, `vpmaddwd` by ones, `vpaddd`. The first adds two products in
/// 16 bits with saturation, which codes of seven bits cannot reach.
struct DotToAvx2 final : OpRewritePattern<qvec::DotOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::DotOp op,
                                PatternRewriter &rewriter) const override {
    VectorType acc = op.getAcc().getType();
    if (acc.getNumElements() != 8 || op.getLhsMax() > 127)
      return rewriter.notifyMatchFailure(op, "needs splitting first");
    Location loc = op.getLoc();
    auto words = VectorType::get({16}, rewriter.getI16Type());
    Value pairs =
        LLVM::CallIntrinsicOp::create(
            rewriter, loc, words,
            rewriter.getStringAttr("llvm.x86.avx2.pmadd.ub.sw"),
            ValueRange{op.getLhs(), op.getRhs()})
            .getResult(0);
    Value ones = arith::ConstantOp::create(
        rewriter, loc,
        DenseElementsAttr::get(words, rewriter.getI16IntegerAttr(1)));
    Value sums = LLVM::CallIntrinsicOp::create(
                     rewriter, loc, acc,
                     rewriter.getStringAttr("llvm.x86.avx2.pmadd.wd"),
                     ValueRange{pairs, ones})
                     .getResult(0);
    rewriter.replaceOpWithNewOp<arith::AddIOp>(op, op.getAcc(), sums);
    return success();
  }
};

struct ConvertQVecToX86Pass
    : lowbit::impl::ConvertQVecToX86Base<ConvertQVecToX86Pass> {
  using ConvertQVecToX86Base::ConvertQVecToX86Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    if (level == "avx512vnni") {
      qvec::populateSplitDotLanesPatterns(patterns, 16);
      patterns.add<DotToVnni>(&getContext());
    } else if (level == "avx2") {
      qvec::populateSplitDotLanesPatterns(patterns, 8);
      qvec::populateSplitDotRangePatterns(patterns);
      patterns.add<DotToAvx2>(&getContext());
    } else {
      emitError(getOperation()->getLoc())
          << "unknown level '" << level << "': expected avx2 or avx512vnni";
      return signalPassFailure();
    }
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation()->emitError("the conversion to x86 did not converge");
      signalPassFailure();
    }
  }
};

} // namespace
