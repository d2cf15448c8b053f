//===- TilesToAmx.cpp - tiles of qvec to AMX ------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The tile registers are named here and not left to LLVM's register allocator:
// a product takes all eight of them, and where values of a tile type must be
// copied (equal zeros, say), LLVM goes through memory. Tiles 0 to 3 are sums, 4
// and 5 rows of the left operand, 6 and 7 of the right one.
//
//===----------------------------------------------------------------------===//

#include "TilesToAmx.h"
#include "lowbit/Dialect/QVec/IR/QVecOps.h"
#include "lowbit/Kernels/KernelBuilder.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace lowbit;

namespace {

constexpr int64_t tileRows = 16;
constexpr int64_t tileBytes = 64;
constexpr int firstLeft = 4;
constexpr int firstRight = 6;
constexpr int numTiles = 8;
/// Tiles of a product that are written one after the other instead of in a
/// loop.
constexpr int64_t maxUnrolled = 4;

/// What `ldtilecfg` reads: the palette, and the bytes of a row and the rows of
/// each tile.
SmallVector<int8_t> getConfiguration(int64_t depth) {
  SmallVector<int8_t> bytes(64, 0);
  bytes[0] = 1;
  for (int tile = 0; tile < numTiles; ++tile) {
    bool isLeft = tile >= firstLeft && tile < firstRight;
    bytes[16 + 2 * tile] = isLeft ? depth : tileBytes;
    bytes[48 + tile] = tile >= firstRight ? depth / 4 : tileRows;
  }
  return bytes;
}

/// Emits tile instructions.
class AmxBuilder : public KernelBuilder {
public:
  using KernelBuilder::KernelBuilder;

  void emit(StringRef name, ValueRange operands) {
    LLVM::CallIntrinsicOp::create(b, b.getStringAttr("llvm.x86." + name),
                                  operands);
  }
  Value tile(int64_t number) {
    return LLVM::ConstantOp::create(b, b.getI8IntegerAttr(number));
  }
  Value i64(int64_t value) {
    return LLVM::ConstantOp::create(b, b.getI64IntegerAttr(value));
  }
};

/// A buffer of tiles: where each begins, and how far its rows are apart.
class TileBuffer {
public:
  TileBuffer(AmxBuilder &k, TypedValue<MemRefType> buffer, unsigned rowDim)
      : k(k), bytes(buffer.getType().getElementTypeBitWidth() / 8) {
    MemRefType type = buffer.getType();
    int64_t offset;
    (void)type.getStridesAndOffset(strides, offset);
    auto metadata = memref::ExtractStridedMetadataOp::create(k.b, buffer);
    start = memref::ExtractAlignedPointerAsIndexOp::create(k.b, buffer);
    start = k.add(start, k.mul(metadata.getOffset(), bytes));
    for (auto [dim, stride] : llvm::enumerate(strides))
      distances.push_back(ShapedType::isDynamic(stride)
                              ? k.mul(metadata.getStrides()[dim], bytes)
                              : k.index(stride * bytes));
    rowDistance = k.i64(strides[rowDim] * bytes);
  }

  /// The operands of a load or store of the tile at these indices.
  SmallVector<Value> getTile(int64_t number, ValueRange indices) {
    Value address = start;
    for (auto [index, distance] : llvm::zip(indices, distances))
      address = k.add(address, k.mul(index, distance));
    Value integer = arith::IndexCastOp::create(k.b, k.b.getI64Type(), address);
    Value pointer = LLVM::IntToPtrOp::create(
        k.b, LLVM::LLVMPointerType::get(k.b.getContext()), integer);
    return {k.tile(number), pointer, rowDistance};
  }

private:
  AmxBuilder &k;
  int64_t bytes;
  SmallVector<int64_t> strides;
  Value start, rowDistance;
  SmallVector<Value> distances;
};

struct TilesToAmx final : OpRewritePattern<qvec::TilesOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::TilesOp op,
                                PatternRewriter &rewriter) const override {
    auto function = op->getParentOfType<FunctionOpInterface>();
    if (!function)
      return rewriter.notifyMatchFailure(op, "needs a function around it");
    AmxBuilder k(op.getLoc(), getContext());
    k.b.setInsertionPointToStart(&function.getFunctionBody().front());
    auto pointer = LLVM::LLVMPointerType::get(getContext());
    auto type = VectorType::get({64}, rewriter.getI8Type());
    Value configuration =
        LLVM::AllocaOp::create(k.b, pointer, type, k.i64(1), /*alignment=*/64);
    Value bytes = LLVM::ConstantOp::create(
        k.b, type,
        DenseElementsAttr::get(type,
                               ArrayRef(getConfiguration(op.getDepth()))));
    LLVM::StoreOp::create(k.b, bytes, configuration);

    k.b.setInsertionPoint(op);
    k.emit("ldtilecfg", configuration);
    rewriter.inlineBlockBefore(&op.getBody().front(), op);
    k.emit("tilerelease", {});
    rewriter.eraseOp(op);
    return success();
  }
};

struct TileDotToAmx final : OpRewritePattern<qvec::TileDotOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qvec::TileDotOp op,
                                PatternRewriter &rewriter) const override {
    AmxBuilder k(op.getLoc(), getContext());
    k.b.setInsertionPoint(op);
    TileBuffer lhs(k, op.getLhs(), 2), rhs(k, op.getRhs(), 2),
        sums(k, op.getSums(), 0);
    int64_t m = op.getLhs().getType().getDimSize(0);
    int64_t n = op.getRhs().getType().getDimSize(0);
    int64_t count = op.getRhs().getType().getDimSize(1);
    int64_t parts = op.getNumParts();
    StringRef product = op.isFloat()          ? "tdpbf16ps"
                        : op.getRhsUnsigned() ? "tdpbsud"
                                              : "tdpbssd";
    auto getSum = [&](int64_t row, int64_t column) { return row + m * column; };

    for (int64_t i = 0; i < m * n; ++i)
      k.emit("tilezero", k.tile(i));
    auto multiply = [&](Value t) {
      // A tile is loaded just before it is needed first.
      for (int64_t part = 0; part < parts; ++part)
        for (int64_t column = 0; column < n; ++column) {
          if (part == 0)
            k.emit("tileloadd64",
                   rhs.getTile(firstRight + column, {k.index(column), t}));
          for (int64_t row = 0; row < m; ++row) {
            if (column == 0)
              k.emit("tileloadd64",
                     lhs.getTile(firstLeft + row,
                                 {k.index(row), k.add(k.mul(t, parts), part)}));
            k.emit(product,
                   {k.tile(getSum(row, column)), k.tile(firstLeft + row),
                    k.tile(firstRight + column)});
          }
        }
    };
    if (count * parts <= maxUnrolled)
      for (int64_t t = 0; t < count; ++t)
        multiply(k.index(t));
    else
      k.loop(k.index(0), k.index(count), 1, multiply);
    for (int64_t column = 0; column < n; ++column)
      for (int64_t row = 0; row < m; ++row)
        k.emit("tilestored64",
               sums.getTile(getSum(row, column),
                            {k.index(tileRows * row), k.index(column)}));
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void lowbit::populateTilesToAmxPatterns(RewritePatternSet &patterns) {
  patterns.add<TilesToAmx, TileDotToAmx>(patterns.getContext());
}
