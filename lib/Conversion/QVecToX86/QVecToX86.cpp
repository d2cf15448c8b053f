//===- QVecToX86.cpp - qvec to AVX2, AVX-512 VNNI and AMX -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TilesToAmx.h"
#include "lowbit/Conversion/QVec/Passes.h"
#include "lowbit/Dialect/QVec/IR/QVecOps.h"
#include "lowbit/Dialect/QVec/Transforms/DotPatterns.h"
#include "lowbit/Dialect/QVec/Transforms/LookupPatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lowbit {
#define GEN_PASS_DEF_CONVERTQVECTOX86
#include "lowbit/Conversion/QVec/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {

/// A call of an intrinsic with one result.
Value callIntrinsic(PatternRewriter &rewriter, Location loc, Type type,
                    StringRef name, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(rewriter, loc, type,
                                       rewriter.getStringAttr(name), operands)
      .getResult(0);
}

/// `vpdpbusd` in the width of the operands.
struct DotToVnni final : OpRewritePattern<qvec::DotOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::DotOp op,
                                PatternRewriter &rewriter) const override {
    int64_t bits = 32 * op.getAcc().getType().getNumElements();
    if (bits != 128 && bits != 256 && bits != 512)
      return rewriter.notifyMatchFailure(op, "no register of this width");
    std::string name = "llvm.x86.avx512.vpdpbusd." + std::to_string(bits);
    rewriter.replaceOp(op, callIntrinsic(rewriter, op.getLoc(), op.getType(),
                                         name, op.getOperands()));
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
        callIntrinsic(rewriter, loc, words, "llvm.x86.avx2.pmadd.ub.sw",
                      {op.getLhs(), op.getRhs()});
    Value ones = arith::ConstantOp::create(
        rewriter, loc,
        DenseElementsAttr::get(words, rewriter.getI16IntegerAttr(1)));
    Value sums = callIntrinsic(rewriter, loc, acc, "llvm.x86.avx2.pmadd.wd",
                               {pairs, ones});
    rewriter.replaceOpWithNewOp<arith::AddIOp>(op, op.getAcc(), sums);
    return success();
  }
};

/// `vpshufb`, which looks up in each 128-bit lane.
struct BytesToShuffle final : OpRewritePattern<qvec::LookupOp> {
  BytesToShuffle(MLIRContext *context, int64_t vectorBytes)
      : OpRewritePattern(context), vectorBytes(vectorBytes) {}

  LogicalResult matchAndRewrite(qvec::LookupOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getType().getElementType().isInteger(8))
      return rewriter.notifyMatchFailure(op, "not a table of bytes");
    Location loc = op.getLoc();
    qvec::splitLookup(
        rewriter, op, op.getIndices(), vectorBytes, [&](Value indices) {
          int64_t bytes = cast<VectorType>(indices.getType()).getNumElements();
          StringRef name = bytes == 64   ? "llvm.x86.avx512.pshuf.b.512"
                           : bytes == 32 ? "llvm.x86.avx2.pshuf.b"
                                         : "llvm.x86.ssse3.pshuf.b.128";
          return callIntrinsic(
              rewriter, loc, indices.getType(), name,
              {qvec::repeatTable(rewriter, loc, op.getTable(), bytes),
               indices});
        });
    return success();
  }

  int64_t vectorBytes;
};

/// Whether the second half of a table is the same as the first.
bool repeatsHalf(Value table) {
  DenseElementsAttr entries;
  if (!matchPattern(table, m_Constant(&entries)))
    return false;
  auto values = llvm::to_vector(entries.getValues<APFloat>());
  for (size_t i = 0; i < 8; ++i)
    if (!values[i].bitwiseIsEqual(values[i + 8]))
      return false;
  return true;
}

/// `indices` without a mask that keeps the lowest `bits` bits.
Value dropMask(Value indices, unsigned bits) {
  auto mask = indices.getDefiningOp<arith::AndIOp>();
  DenseElementsAttr kept;
  if (mask && matchPattern(mask.getRhs(), m_Constant(&kept)) &&
      kept.isSplat() && kept.getSplatValue<APInt>().countr_one() >= bits)
    return mask.getLhs();
  return indices;
}

/// One `vpermps` of 16 floats, or two of eight and a blend: `vpermps` reads no
/// more than the low bits of an index.
struct FloatsToPermute final : OpRewritePattern<qvec::LookupOp> {
  FloatsToPermute(MLIRContext *context, int64_t vectorBytes)
      : OpRewritePattern(context), vectorBytes(vectorBytes) {}

  LogicalResult matchAndRewrite(qvec::LookupOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getType().getElementType().isF32())
      return rewriter.notifyMatchFailure(op, "not a table of floats");
    Location loc = op.getLoc();
    Value table = op.getTable();
    const bool onePermute = vectorBytes == 64 || repeatsHalf(table);
    Value indices = op.getIndices();
    if (onePermute)
      indices = dropMask(indices, vectorBytes == 64 ? 4 : 3);
    auto build = [&](Value indices) -> Value {
      auto type = cast<VectorType>(indices.getType());
      auto part = VectorType::get(type.getShape(), rewriter.getF32Type());
      if (type.getNumElements() == 16)
        return callIntrinsic(rewriter, loc, part,
                             "llvm.x86.avx512.permvar.sf.512",
                             {table, indices});
      auto permute = [&](int64_t first) {
        Value entries = vector::ExtractStridedSliceOp::create(
            rewriter, loc, table, ArrayRef<int64_t>{first},
            ArrayRef<int64_t>{8}, ArrayRef<int64_t>{1});
        return callIntrinsic(rewriter, loc, part, "llvm.x86.avx2.permps",
                             {entries, indices});
      };
      if (onePermute)
        return permute(0);
      Value isUpper = arith::CmpIOp::create(
          rewriter, loc, arith::CmpIPredicate::sgt, indices,
          arith::ConstantOp::create(
              rewriter, loc,
              DenseElementsAttr::get(type, rewriter.getI32IntegerAttr(7))));
      return arith::SelectOp::create(rewriter, loc, isUpper, permute(8),
                                     permute(0));
    };
    qvec::splitLookup(rewriter, op, indices, vectorBytes, build);
    return success();
  }

  int64_t vectorBytes;
};

/// `vpdpwssd`, or `vpmaddwd` and `vpaddd`: products of the halves of a lane,
/// which are faster than `vpmulld`. The upper half of `lhs` is made zero.
struct MulAddToWords final : OpRewritePattern<qvec::MulAddOp> {
  MulAddToWords(MLIRContext *context, int64_t lanes)
      : OpRewritePattern(context), lanes(lanes) {}

  LogicalResult matchAndRewrite(qvec::MulAddOp op,
                                PatternRewriter &rewriter) const override {
    VectorType type = op.getType();
    int64_t total = type.getNumElements();
    if (total % lanes)
      return rewriter.notifyMatchFailure(op, "no multiple of the registers");
    Location loc = op.getLoc();
    Value low = arith::AndIOp::create(
        rewriter, loc, op.getLhs(),
        arith::ConstantOp::create(
            rewriter, loc,
            DenseElementsAttr::get(type, rewriter.getI32IntegerAttr(0xffff))));
    Value result = op.getAcc();
    for (int64_t first = 0; first < total; first += lanes) {
      auto slice = [&](Value vector) -> Value {
        return vector::ExtractStridedSliceOp::create(
            rewriter, loc, vector, ArrayRef<int64_t>{first},
            ArrayRef<int64_t>{lanes}, ArrayRef<int64_t>{1});
      };
      Value part = build(rewriter, loc, slice(op.getAcc()), slice(low),
                         slice(op.getRhs()));
      result = vector::InsertStridedSliceOp::create(rewriter, loc, part, result,
                                                    ArrayRef<int64_t>{first},
                                                    ArrayRef<int64_t>{1});
    }
    rewriter.replaceOp(op, result);
    return success();
  }

private:
  Value build(PatternRewriter &rewriter, Location loc, Value acc, Value lhs,
              Value rhs) const {
    auto words = VectorType::get({2 * lanes}, rewriter.getI16Type());
    lhs = vector::BitCastOp::create(rewriter, loc, words, lhs);
    rhs = vector::BitCastOp::create(rewriter, loc, words, rhs);
    if (lanes == 16)
      return callIntrinsic(rewriter, loc, acc.getType(),
                           "llvm.x86.avx512.vpdpwssd.512", {acc, lhs, rhs});
    Value product = callIntrinsic(rewriter, loc, acc.getType(),
                                  "llvm.x86.avx2.pmadd.wd", {lhs, rhs});
    return arith::AddIOp::create(rewriter, loc, acc, product);
  }

  int64_t lanes;
};

struct ConvertQVecToX86Pass
    : lowbit::impl::ConvertQVecToX86Base<ConvertQVecToX86Pass> {
  using ConvertQVecToX86Base::ConvertQVecToX86Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    if (level == "avx512vnni" || level == "amx") {
      qvec::populateSplitDotLanesPatterns(patterns, 16);
      patterns.add<DotToVnni>(&getContext());
      patterns.add<BytesToShuffle, FloatsToPermute>(&getContext(), 64);
      patterns.add<MulAddToWords>(&getContext(), 16);
      if (level == "amx")
        populateTilesToAmxPatterns(patterns);
    } else if (level == "avx2") {
      qvec::populateSplitDotLanesPatterns(patterns, 8);
      qvec::populateSplitDotRangePatterns(patterns);
      patterns.add<DotToAvx2>(&getContext());
      patterns.add<BytesToShuffle, FloatsToPermute>(&getContext(), 32);
      patterns.add<MulAddToWords>(&getContext(), 8);
    } else {
      emitError(getOperation()->getLoc())
          << "unknown level '" << level
          << "': expected avx2, avx512vnni or amx";
      return signalPassFailure();
    }
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation()->emitError("the conversion to x86 did not converge");
      signalPassFailure();
    }
  }
};

} // namespace
