//===- QVecToArm.cpp - qvec to NEON dot products --------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/QVec/Passes.h"
#include "lowbit/Dialect/QVec/IR/QVecOps.h"
#include "lowbit/Dialect/QVec/Transforms/DotPatterns.h"
#include "lowbit/Dialect/QVec/Transforms/LookupPatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lowbit {
#define GEN_PASS_DEF_CONVERTQVECTOARM
#include "lowbit/Conversion/QVec/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {

constexpr int64_t neonLanes = 4;
constexpr int64_t neonBytes = 16;

struct DotToSdot final : OpRewritePattern<qvec::DotOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::DotOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getAcc().getType().getNumElements() != neonLanes ||
        op.getLhsMax() > 127)
      return rewriter.notifyMatchFailure(op, "needs splitting first");
    rewriter.replaceOpWithNewOp<arm_neon::SdotOp>(op, op.getType(), op.getAcc(),
                                                  op.getLhs(), op.getRhs());
    return success();
  }
};

struct DotToUsdot final : OpRewritePattern<qvec::DotOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::DotOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getAcc().getType().getNumElements() != neonLanes ||
        op.getLhsMax() <= 127)
      return rewriter.notifyMatchFailure(op, "sdot serves it");
    rewriter.replaceOpWithNewOp<LLVM::CallIntrinsicOp>(
        op, op.getType(),
        rewriter.getStringAttr("llvm.aarch64.neon.usdot.v4i32.v16i8"),
        ValueRange{op.getAcc(), op.getLhs(), op.getRhs()});
    return success();
  }
};

/// `tbl` with as many registers as the table takes: one of bytes, four of
/// floats, whose bytes are looked up one by one.
struct LookupToTbl final : OpRewritePattern<qvec::LookupOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::LookupOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto bytes = VectorType::get({neonBytes}, rewriter.getI8Type());
    bool isFloat = op.getType().getElementType().isF32();
    SmallVector<Value> operands;
    if (!isFloat)
      operands.push_back(op.getTable());
    for (int64_t first = 0; isFloat && first < 16; first += neonLanes)
      operands.push_back(vector::BitCastOp::create(
          rewriter, loc, bytes,
          vector::ExtractStridedSliceOp::create(
              rewriter, loc, op.getTable(), ArrayRef<int64_t>{first},
              ArrayRef<int64_t>{neonLanes}, ArrayRef<int64_t>{1})));
    std::string name =
        "llvm.aarch64.neon.tbl" + std::to_string(operands.size()) + ".v16i8";
    qvec::splitLookup(
        rewriter, op, op.getIndices(), neonBytes, [&](Value indices) -> Value {
          auto type = cast<VectorType>(indices.getType());
          auto splat = [&](int32_t value) -> Value {
            return arith::ConstantOp::create(
                rewriter, loc,
                DenseElementsAttr::get(type,
                                       rewriter.getI32IntegerAttr(value)));
          };
          if (isFloat) {
            // Byte b of entry i is byte 4i + b of the table.
            indices = arith::MulIOp::create(rewriter, loc, indices,
                                            splat(0x04040404));
            indices = arith::AddIOp::create(rewriter, loc, indices,
                                            splat(0x03020100));
            indices = vector::BitCastOp::create(rewriter, loc, bytes, indices);
          }
          SmallVector<Value> all = operands;
          all.push_back(indices);
          Value found =
              LLVM::CallIntrinsicOp::create(rewriter, loc, bytes,
                                            rewriter.getStringAttr(name), all)
                  .getResult(0);
          if (!isFloat)
            return found;
          return vector::BitCastOp::create(
              rewriter, loc,
              VectorType::get(type.getShape(), rewriter.getF32Type()), found);
        });
    return success();
  }
};

struct ConvertQVecToArmPass
    : lowbit::impl::ConvertQVecToArmBase<ConvertQVecToArmPass> {
  using ConvertQVecToArmBase::ConvertQVecToArmBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    qvec::populateSplitDotLanesPatterns(patterns, neonLanes);
    if (i8mm)
      patterns.add<DotToUsdot>(&getContext());
    else
      qvec::populateSplitDotRangePatterns(patterns);
    patterns.add<DotToSdot, LookupToTbl>(&getContext());
    qvec::populateExpandMulAddPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation()->emitError("the conversion to NEON did not converge");
      signalPassFailure();
    }
  }
};

} // namespace
