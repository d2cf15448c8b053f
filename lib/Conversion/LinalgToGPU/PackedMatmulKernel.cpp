//===- PackedMatmulKernel.cpp - float times few-bit products --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Two kernels for each product, one for a single token and one for tiles of a
// few. Both run straight from the stored weight; the kinds of lanes differ in
// how they read it.

#include "WarpRowKernel.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace lowbit;

/// More tokens a warp read the weight less often and need more registers.
static constexpr int64_t kTokensPerWarp = 4;

/// A kernel whose warps take `tokens` tokens each.
static void buildKernel(OpBuilder &builder, Location loc,
                        const WarpRowProduct &product, const WarpRowKind &kind,
                        Value tokenCount, int64_t tokens) {
  Value tiles = buildCeilDiv(builder, loc, tokenCount, tokens);
  int64_t rowBlocks = llvm::divideCeil(product.rows, kWarps);
  SmallVector<OpFoldResult> grid{tiles, builder.getIndexAttr(rowBlocks)};
  SmallVector<Type> shared;
  if (product.getUnits()) {
    shared.push_back(
        WarpRowLane::getSharedInputsType(builder.getContext(), tokens));
    llvm::append_range(shared, kind.sharedTypes);
  }
  buildLaunch(builder, loc, "quant_matmul", buildProduct(builder, loc, grid),
              {kWarpSize, kWarps}, shared,
              [&](OpBuilder &builder, gpu::LaunchOp launch) {
                SmallVector<Value> block = buildDelinearize(
                    builder, loc, launch.getBlockIds().x, grid);
                Value firstRow = buildMulAdd(builder, loc, block[1], kWarps,
                                             buildIndex(builder, loc, 0));
                kind.makeLane(builder, launch, tokens)
                    ->build(firstRow, block[0], tokenCount);
              });
}

/// Gives components whose types have lost their sizes those of the weight: what
/// lanes may read at once follows from them.
static void restoreShapes(OpBuilder &builder, Location loc,
                          WarpRowProduct &product) {
  for (auto [component, type] : llvm::zip_equal(
           product.components, product.weight.getComponentTypes())) {
    auto memref = cast<MemRefType>(component.getType());
    if (memref.hasStaticShape())
      continue;
    MemRefType whole = MemRefType::Builder(memref).setShape(
        cast<RankedTensorType>(type).getShape());
    component = memref::CastOp::create(builder, loc, whole, component);
  }
}

LogicalResult lowbit::buildPackedMatmulKernel(OpBuilder &builder,
                                              PackedMatmulOp op) {
  auto weight = cast<QuantTensorType>(op.getWeightType());
  if (weight.getLayout())
    return op.emitOpError("has no GPU kernel for a packed weight: ") << weight;
  if (op.getInputType())
    return op.emitOpError("has no GPU kernel for a quantized input");
  if (weight.getElementType().getIntOrFloatBitWidth() > 32)
    return op.emitOpError("has no GPU kernel for elements of type ")
           << weight.getElementType();
  Location loc = op.getLoc();
  WarpRowProduct product(op);
  restoreShapes(builder, loc, product);
  std::optional<WarpRowKind> codes = getScaledCodesKind(product);
  WarpRowKind kind = codes ? *codes : getDecodedKind(product);
  Value tokenCount =
      memref::DimOp::create(builder, loc, product.input, int64_t(0));
  // One token a run is the common case of generation.
  Value isSingle =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, tokenCount,
                            buildIndex(builder, loc, 1));
  auto branch = scf::IfOp::create(builder, loc, isSingle,
                                  /*withElseRegion=*/true);
  OpBuilder single = branch.getThenBodyBuilder();
  buildKernel(single, loc, product, kind, tokenCount, 1);
  OpBuilder several = branch.getElseBodyBuilder();
  buildKernel(several, loc, product, kind, tokenCount, kTokensPerWarp);
  return success();
}
