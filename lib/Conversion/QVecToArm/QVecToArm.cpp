//===- QVecToArm.cpp - qvec to NEON and SVE -------------------------------===//
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

/// The name of an intrinsic of NEON or SVE that adds products of bytes to
/// 32-bit lanes.
std::string getIntrinsic(StringRef name, bool scalable) {
  return ("llvm.aarch64." + (scalable ? "sve." + name + ".nxv4i32"
                                      : "neon." + name + ".v4i32.v16i8"))
      .str();
}

/// `vector` of fixed length as the first lanes of a scalable one.
Value makeScalable(PatternRewriter &rewriter, Location loc, Value vector) {
  auto type = cast<VectorType>(vector.getType());
  auto scalable =
      VectorType::get(type.getShape(), type.getElementType(), {true});
  Value any = LLVM::PoisonOp::create(rewriter, loc, scalable);
  return LLVM::vector_insert::create(rewriter, loc, scalable, any, vector, 0);
}

/// `sdot`, or `usdot` for codes that do not fit seven bits. Processors with SVE
/// may lack those of NEON.
struct DotToRegister final : OpRewritePattern<qvec::DotOp> {
  DotToRegister(MLIRContext *context, bool hasSve)
      : OpRewritePattern(context), hasSve(hasSve) {}

  LogicalResult matchAndRewrite(qvec::DotOp op,
                                PatternRewriter &rewriter) const override {
    VectorType acc = op.getAcc().getType();
    if (acc.getDimSize(0) != neonLanes)
      return rewriter.notifyMatchFailure(op, "needs splitting first");
    bool isUnsigned = op.getLhsMax() > 127;
    if (!isUnsigned && !hasSve) {
      rewriter.replaceOpWithNewOp<arm_neon::SdotOp>(
          op, op.getType(), op.getAcc(), op.getLhs(), op.getRhs());
      return success();
    }
    Location loc = op.getLoc();
    SmallVector<Value> operands(op.getOperands());
    bool extends = hasSve && !acc.isScalable();
    if (extends)
      for (Value &operand : operands)
        operand = makeScalable(rewriter, loc, operand);
    Value sums = LLVM::CallIntrinsicOp::create(
                     rewriter, loc, operands.front().getType(),
                     rewriter.getStringAttr(
                         getIntrinsic(isUnsigned ? "usdot" : "sdot", hasSve)),
                     operands)
                     .getResult(0);
    if (extends)
      sums = LLVM::vector_extract::create(rewriter, loc, acc, sums, 0);
    rewriter.replaceOp(op, sums);
    return success();
  }

  bool hasSve;
};

/// `smmla` or `usmmla`, one for each register.
struct MmlaToRegisters final : OpRewritePattern<qvec::MmlaOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::MmlaOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    VectorType acc = op.getAcc().getType();
    bool isScalable = acc.isScalable();
    auto lanes = VectorType::get({neonLanes}, acc.getElementType(),
                                 acc.getScalableDims());
    auto bytes =
        VectorType::get({neonBytes}, op.getLhs().getType().getElementType(),
                        acc.getScalableDims());
    Value rhs = op.getRhs();
    if (isScalable) {
      // The same rows in each 128 bits.
      Value first = makeScalable(rewriter, loc, rhs);
      Value zero = LLVM::ConstantOp::create(rewriter, loc,
                                            rewriter.getI64IntegerAttr(0));
      rhs = LLVM::CallIntrinsicOp::create(
                rewriter, loc, bytes,
                rewriter.getStringAttr("llvm.aarch64.sve.dupq.lane.nxv16i8"),
                ValueRange{first, zero})
                .getResult(0);
    }
    auto name = rewriter.getStringAttr(
        getIntrinsic(op.getLhsMax() > 127 ? "usmmla" : "smmla", isScalable));
    Value result = op.getAcc();
    for (int64_t first = 0; first < acc.getDimSize(0); first += neonLanes) {
      Value sum = LLVM::vector_extract::create(rewriter, loc, lanes,
                                               op.getAcc(), first);
      Value lhs = LLVM::vector_extract::create(
          rewriter, loc, bytes, op.getLhs(), first * neonBytes / neonLanes);
      sum = LLVM::CallIntrinsicOp::create(rewriter, loc, lanes, name,
                                          ValueRange{sum, lhs, rhs})
                .getResult(0);
      result =
          LLVM::vector_insert::create(rewriter, loc, acc, result, sum, first);
    }
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// NEON and SVE shift bytes, too: no bits of a neighbour need to be cleared.
struct ShiftBytes final : OpRewritePattern<arith::AndIOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::AndIOp op,
                                PatternRewriter &rewriter) const override {
    auto type = dyn_cast<VectorType>(op.getType());
    auto shift = op.getLhs().getDefiningOp<arith::ShRUIOp>();
    DenseElementsAttr mask, amount;
    if (!type || !type.getElementType().isInteger(32) || !shift ||
        !matchPattern(op.getRhs(), m_Constant(&mask)) || !mask.isSplat() ||
        !matchPattern(shift.getRhs(), m_Constant(&amount)) || !amount.isSplat())
      return rewriter.notifyMatchFailure(op, "not a masked shift");
    uint64_t bits = amount.getSplatValue<APInt>().getZExtValue();
    uint32_t kept = mask.getSplatValue<APInt>().getZExtValue();
    if (bits >= 8 || kept != (0xffu >> bits) * 0x01010101u)
      return rewriter.notifyMatchFailure(op, "the mask clears other bits");
    Location loc = op.getLoc();
    auto bytes = VectorType::get({4 * type.getDimSize(0)}, rewriter.getI8Type(),
                                 type.getScalableDims());
    Value shifted = arith::ShRUIOp::create(
        rewriter, loc,
        vector::BitCastOp::create(rewriter, loc, bytes, shift.getLhs()),
        arith::ConstantOp::create(
            rewriter, loc,
            DenseElementsAttr::get(bytes, rewriter.getI8IntegerAttr(bits))));
    rewriter.replaceOpWithNewOp<vector::BitCastOp>(op, type, shifted);
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
    bool isKnown = llvm::is_contained({"neon", "i8mm", "sve", "sve-i8mm"},
                                      level.getValue());
    if (!isKnown) {
      emitError(getOperation()->getLoc())
          << "unknown level '" << level
          << "': expected neon, i8mm, sve or sve-i8mm";
      return signalPassFailure();
    }
    RewritePatternSet patterns(&getContext());
    qvec::populateSplitDotLanesPatterns(patterns, neonLanes);
    if (StringRef(level).ends_with("i8mm"))
      patterns.add<MmlaToRegisters>(&getContext());
    else
      qvec::populateSplitDotRangePatterns(patterns);
    patterns.add<LookupToTbl, ShiftBytes>(&getContext());
    patterns.add<DotToRegister>(&getContext(),
                                StringRef(level).starts_with("sve"));
    qvec::populateExpandMulAddPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation()->emitError("the conversion to ARM did not converge");
      signalPassFailure();
    }
  }
};

} // namespace
