//===- KernelUtils.cpp - shared by the kernel builders --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelUtils.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace lowbit;

gpu::LaunchOp
lowbit::buildLaunch(OpBuilder &builder, Location loc, StringRef name,
                    Value blocks, ArrayRef<int64_t> threads,
                    TypeRange sharedBuffers,
                    function_ref<void(OpBuilder &, gpu::LaunchOp)> buildBody) {
  assert(threads.size() == 2 && "blocks are two-dimensional");
  Value one = buildIndex(builder, loc, 1);
  auto launch = gpu::LaunchOp::create(
      builder, loc, blocks, one, one, buildIndex(builder, loc, threads[0]),
      buildIndex(builder, loc, threads[1]), one,
      /*dynamicSharedMemorySize=*/nullptr, /*asyncTokenType=*/nullptr,
      /*asyncDependencies=*/ValueRange(), sharedBuffers);
  // The outliner takes the kernel's name from this attribute and makes no
  // effort to keep names apart; the pass that calls us renames.
  launch.setFunctionAttr(FlatSymbolRefAttr::get(builder.getContext(), name));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&launch.getBody().front());
  buildBody(builder, launch);
  builder.setInsertionPointToEnd(&launch.getBody().back());
  gpu::TerminatorOp::create(builder, loc);
  return launch;
}

void lowbit::nameKernels(ModuleOp module) {
  unsigned number = 0;
  SmallVector<gpu::LaunchOp> unnamed;
  module.walk([&](gpu::LaunchOp launch) {
    if (launch.getModuleAttr())
      ++number;
    else
      unnamed.push_back(launch);
  });
  MLIRContext *context = module.getContext();
  for (gpu::LaunchOp launch : unnamed) {
    StringRef base = launch.getFunctionAttr()
                         ? launch.getFunctionAttr().getValue()
                         : StringRef("kernel");
    launch.setModuleAttr(FlatSymbolRefAttr::get(context, "kernels"));
    launch.setFunctionAttr(
        FlatSymbolRefAttr::get(context, (base + "_" + Twine(number++)).str()));
  }
}

SmallVector<OpFoldResult> lowbit::getLoopSizes(OpBuilder &builder,
                                               linalg::LinalgOp op) {
  return llvm::map_to_vector(
      op.createLoopRanges(builder, op.getLoc()),
      [](const mlir::Range &range) { return range.size; });
}

Value lowbit::buildProduct(OpBuilder &builder, Location loc,
                           ArrayRef<OpFoldResult> sizes) {
  Value product;
  int64_t constant = 1;
  for (OpFoldResult size : sizes) {
    if (std::optional<int64_t> known = getConstantIntValue(size)) {
      constant *= *known;
      continue;
    }
    Value value = cast<Value>(size);
    product =
        product
            ? arith::MulIOp::create(builder, loc, product, value).getResult()
            : value;
  }
  if (!product)
    return buildIndex(builder, loc, constant);
  if (constant == 1)
    return product;
  return arith::MulIOp::create(builder, loc, product,
                               buildIndex(builder, loc, constant));
}

Value lowbit::buildCeilDiv(OpBuilder &builder, Location loc, Value value,
                           int64_t divisor) {
  return builder.createOrFold<arith::CeilDivUIOp>(
      loc, value, buildIndex(builder, loc, divisor));
}

Value lowbit::buildMulAdd(OpBuilder &builder, Location loc, Value lhs,
                          int64_t factor, Value rhs) {
  Value product = builder.createOrFold<arith::MulIOp>(
      loc, lhs, buildIndex(builder, loc, factor));
  return builder.createOrFold<arith::AddIOp>(loc, product, rhs);
}

Value lowbit::buildLess(OpBuilder &builder, Location loc, Value lhs,
                        Value rhs) {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, lhs,
                               rhs);
}

SmallVector<Value> lowbit::buildDelinearize(OpBuilder &builder, Location loc,
                                            Value linear,
                                            ArrayRef<OpFoldResult> sizes) {
  // Unsigned division, unlike that of affine maps, needs no care for negative
  // numbers; the first coordinate needs no remainder.
  SmallVector<Value> coordinates(sizes.size());
  for (size_t i = sizes.size(); i-- > 1;) {
    Value size = getValueOrCreateConstantIndexOp(builder, loc, sizes[i]);
    coordinates[i] = arith::RemUIOp::create(builder, loc, linear, size);
    linear = arith::DivUIOp::create(builder, loc, linear, size);
  }
  if (!sizes.empty())
    coordinates[0] = linear;
  return coordinates;
}

SmallVector<Value> lowbit::buildCoordinates(OpBuilder &builder,
                                            linalg::LinalgOp op,
                                            OpOperand &operand,
                                            ValueRange ivs) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  SmallVector<Value> coordinates;
  for (AffineExpr expr : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      coordinates.push_back(ivs[dim.getPosition()]);
      continue;
    }
    coordinates.push_back(affine::makeComposedAffineApply(
        builder, op.getLoc(),
        AffineMap::get(map.getNumDims(), 0, expr, builder.getContext()),
        getAsOpFoldResult(ivs)));
  }
  return coordinates;
}

Value lowbit::buildOperandLoad(OpBuilder &builder, linalg::LinalgOp op,
                               OpOperand &operand, ValueRange ivs) {
  if (op.isScalar(&operand))
    return operand.get();
  return memref::LoadOp::create(builder, op.getLoc(), operand.get(),
                                buildCoordinates(builder, op, operand, ivs));
}

SmallVector<Value> lowbit::buildScalarBody(OpBuilder &builder,
                                           linalg::LinalgOp op, ValueRange ivs,
                                           ValueRange scalars) {
  Block *body = op.getBlock();
  IRMapping mapping;
  mapping.map(body->getArguments(), scalars);
  for (Operation &inner : body->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      mapping.map(index.getResult(), ivs[index.getDim()]);
      continue;
    }
    Operation *clone = builder.clone(inner, mapping);
    // Nested regions (scf.if) may ask for the position, too.
    SmallVector<linalg::IndexOp> nested;
    clone->walk([&](linalg::IndexOp index) { nested.push_back(index); });
    for (linalg::IndexOp index : nested) {
      index.replaceAllUsesWith(ivs[index.getDim()]);
      index.erase();
    }
  }
  return llvm::map_to_vector(
      body->getTerminator()->getOperands(),
      [&](Value value) { return mapping.lookupOrDefault(value); });
}

SmallVector<unsigned> lowbit::getLoops(linalg::LinalgOp op,
                                       utils::IteratorType kind) {
  SmallVector<unsigned> loops;
  for (auto [position, iterator] : llvm::enumerate(op.getIteratorTypesArray()))
    if (iterator == kind)
      loops.push_back(position);
  return loops;
}
