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
#include "lowbit/Kernels/KernelBuilder.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lowbit {
#define GEN_PASS_DEF_CONVERTQVECTOVECTOR
#include "lowbit/Conversion/QVec/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {

/// The accumulators of `op` plus `count` products in each lane: of unsigned
/// bytes of the left operand and signed ones of the right one, whose places
/// `getPlaces` knows.
template <typename OpTy>
static LogicalResult expandProducts(
    OpTy op, PatternRewriter &rewriter, int64_t count,
    function_ref<std::pair<int64_t, int64_t>(int64_t lane, int64_t number)>
        getPlaces) {
  Location loc = op.getLoc();
  VectorType lanes = op.getAcc().getType();
  if (lanes.isScalable())
    return rewriter.notifyMatchFailure(op, "shuffles need a fixed length");
  auto pick = [&](Value bytes, ArrayRef<int64_t> places) -> Value {
    return vector::ShuffleOp::create(rewriter, loc, bytes, bytes, places);
  };
  Value result = op.getAcc();
  for (int64_t number = 0; number < count; ++number) {
    SmallVector<int64_t> left, right;
    for (int64_t lane = 0; lane < lanes.getNumElements(); ++lane) {
      auto [lhs, rhs] = getPlaces(lane, number);
      left.push_back(lhs);
      right.push_back(rhs);
    }
    Value lhs =
        arith::ExtUIOp::create(rewriter, loc, lanes, pick(op.getLhs(), left));
    Value rhs =
        arith::ExtSIOp::create(rewriter, loc, lanes, pick(op.getRhs(), right));
    result = arith::AddIOp::create(
        rewriter, loc, result, arith::MulIOp::create(rewriter, loc, lhs, rhs));
  }
  rewriter.replaceOp(op, result);
  return success();
}

struct ExpandDot final : OpRewritePattern<qvec::DotOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::DotOp op,
                                PatternRewriter &rewriter) const override {
    return expandProducts(op, rewriter, 4, [](int64_t lane, int64_t number) {
      return std::pair(4 * lane + number, 4 * lane + number);
    });
  }
};

struct ExpandMmla final : OpRewritePattern<qvec::MmlaOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::MmlaOp op,
                                PatternRewriter &rewriter) const override {
    return expandProducts(op, rewriter, 8, [](int64_t lane, int64_t number) {
      return std::pair(8 * (lane / 2) + number, 8 * (lane % 2) + number);
    });
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

/// There is no state to set up.
struct ExpandTiles final : OpRewritePattern<qvec::TilesOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::TilesOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.inlineBlockBefore(&op.getBody().front(), op);
    rewriter.eraseOp(op);
    return success();
  }
};

struct ExpandTileDot final : OpRewritePattern<qvec::TileDotOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::TileDotOp op,
                                PatternRewriter &rewriter) const override {
    KernelBuilder k(op.getLoc(), getContext());
    k.b.setInsertionPoint(op);
    auto loop = [&](int64_t end, function_ref<void(Value)> body) {
      k.loop(k.index(0), k.index(end), 1, body);
    };
    loop(op.getLhs().getType().getDimSize(0), [&](Value m) {
      loop(op.getRhs().getType().getDimSize(0), [&](Value n) {
        loop(16, [&](Value token) {
          Value sums = op.isFloat() ? sumFloats(k, op, m, n, token)
                                    : sumBytes(k, op, m, n, token);
          vector::StoreOp::create(
              k.b, sums, op.getSums(),
              ValueRange{k.add(k.mul(m, 16), token), n, k.index(0)});
        });
      });
    });
    rewriter.eraseOp(op);
    return success();
  }

  /// The sums of one token and 16 channels, of products of bf16.
  Value sumFloats(KernelBuilder &k, qvec::TileDotOp op, Value m, Value n,
                  Value token) const {
    ArrayRef<int64_t> tiles = op.getRhs().getType().getShape();
    auto lanes = VectorType::get({16}, k.b.getF32Type());
    auto pairs = VectorType::get({32}, k.b.getBF16Type());
    auto multiplyRow = [&](Value lhsTile, Value row, ValueRange partial) {
      Value rhsTile = k.div(lhsTile, k.index(op.getNumParts()));
      Value values = vector::LoadOp::create(
          k.b, pairs, op.getRhs(), ValueRange{n, rhsTile, row, k.index(0)});
      KernelBuilder::Values sums;
      for (int64_t i = 0; i < 2; ++i) {
        Value x = memref::LoadOp::create(
            k.b, op.getLhs(),
            ValueRange{m, lhsTile, token, k.add(k.mul(row, 2), i)});
        x = vector::BroadcastOp::create(
            k.b, lanes, arith::ExtFOp::create(k.b, k.b.getF32Type(), x));
        SmallVector<int64_t> mask;
        for (int64_t lane = 0; lane < 16; ++lane)
          mask.push_back(2 * lane + i);
        Value w = vector::ShuffleOp::create(k.b, values, values, mask);
        w = arith::ExtFOp::create(k.b, lanes, w);
        sums.push_back(vector::FMAOp::create(k.b, x, w, partial[i]));
      }
      return sums;
    };
    Value zero = k.splat(lanes, 0);
    return k.loop(k.index(0), k.index(tiles[1] * op.getNumParts()), 1, zero,
                  [&](Value lhsTile, ValueRange carried) {
                    KernelBuilder::Values partial =
                        k.loop(k.index(0), k.index(tiles[2]), 1, {zero, zero},
                               [&](Value row, ValueRange partial) {
                                 return multiplyRow(lhsTile, row, partial);
                               });
                    Value sum =
                        arith::AddFOp::create(k.b, partial[0], partial[1]);
                    sum = arith::AddFOp::create(k.b, carried[0], sum);
                    return KernelBuilder::Values{sum};
                  })[0];
  }

  /// The same of products of bytes.
  Value sumBytes(KernelBuilder &k, qvec::TileDotOp op, Value m, Value n,
                 Value token) const {
    ArrayRef<int64_t> tiles = op.getRhs().getType().getShape();
    auto lanes = VectorType::get({16}, k.b.getI32Type());
    auto bytes = VectorType::get({64}, k.b.getI8Type());
    return k.loop(
        k.index(0), k.index(tiles[1] * tiles[2]), 1, k.splat(lanes, 0),
        [&](Value step, ValueRange carried) {
          Value tile = k.div(step, k.index(tiles[2]));
          Value row = k.rem(step, k.index(tiles[2]));
          Value codes = vector::LoadOp::create(
              k.b, bytes, op.getRhs(), ValueRange{n, tile, row, k.index(0)});
          Value sum = carried[0];
          for (int64_t i = 0; i < 4; ++i) {
            Value byte = memref::LoadOp::create(
                k.b, op.getLhs(),
                ValueRange{m, tile, token, k.add(k.mul(row, 4), i)});
            Value x = vector::BroadcastOp::create(
                k.b, lanes,
                arith::ExtSIOp::create(k.b, k.b.getI32Type(), byte));
            SmallVector<int64_t> mask;
            for (int64_t lane = 0; lane < 16; ++lane)
              mask.push_back(4 * lane + i);
            Value picked = vector::ShuffleOp::create(k.b, codes, codes, mask);
            Value w = op.getRhsUnsigned()
                          ? Value(arith::ExtUIOp::create(k.b, lanes, picked))
                          : Value(arith::ExtSIOp::create(k.b, lanes, picked));
            sum = k.add(sum, Value(arith::MulIOp::create(k.b, x, w)));
          }
          return KernelBuilder::Values{sum};
        })[0];
  }
};

struct ConvertQVecToVectorPass
    : lowbit::impl::ConvertQVecToVectorBase<ConvertQVecToVectorPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns
        .add<ExpandDot, ExpandMmla, ExpandLookup, ExpandTiles, ExpandTileDot>(
            &getContext());
    qvec::populateExpandMulAddPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation()->emitError("the expansion of qvec did not converge");
      signalPassFailure();
    }
  }
};

} // namespace
