//===- LowerContractions.cpp - matrix products to packed vector loops -----===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"
#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "lowbit/Kernels/ParallelLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace lowbit {
#define GEN_PASS_DEF_LOWERCONTRACTIONSPASS
#include "lowbit/Conversion/LinalgToCpu/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

/// With fewer rows than this, packing costs more than it saves.
static constexpr int64_t minPackedRows = 4;

/// Chooses the form by the number of rows, at run time if it has to.
static void lower(ImplicitLocOpBuilder &b, Contraction &c,
                  const VectorShape &shape) {
  c.buildSizes(b);
  if (!canBuildRowLoops(c))
    return buildPackedLoops(b, c, shape);
  SmallVector<unsigned> rowDims = c.otherRows;
  rowDims.push_back(c.m);
  Value rows = buildProduct(b, c.getSizes(rowDims));
  if (std::optional<int64_t> known = getConstantIntValue(rows))
    return *known < minPackedRows ? buildRowLoops(b, c, shape)
                                  : buildPackedLoops(b, c, shape);
  Value limit = arith::ConstantIndexOp::create(b, minPackedRows);
  Value isFew =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, rows, limit);
  auto choice = scf::IfOp::create(b, isFew, /*withElseRegion=*/true);
  b.setInsertionPointToStart(choice.thenBlock());
  buildRowLoops(b, c, shape);
  b.setInsertionPointToStart(choice.elseBlock());
  buildPackedLoops(b, c, shape);
}

namespace {
struct LowerContractionsPass final
    : lowbit::impl::LowerContractionsPassBase<LowerContractionsPass> {
  using LowerContractionsPassBase::LowerContractionsPassBase;

  LogicalResult initialize(MLIRContext *context) override {
    if (vectorBytes < 16 || vectorBytes > 64 ||
        !llvm::isPowerOf2_32(vectorBytes))
      return emitError(UnknownLoc::get(context))
             << "vector-bytes must be 16, 32 or 64, got "
             << vectorBytes.getValue();
    if (vectorRegisters != 16 && vectorRegisters != 32)
      return emitError(UnknownLoc::get(context))
             << "vector-registers must be 16 or 32, got "
             << vectorRegisters.getValue();
    return success();
  }

  void runOnOperation() override {
    int64_t lanes = vectorBytes / sizeof(float);
    // 6 rows of 4 registers leave 8 of 32; 6 rows of 2 leave 4 of 16.
    int64_t registersPerRow = vectorRegisters / 8;
    VectorShape shape{lanes, lanes * registersPerRow, parallel};
    if (parallel)
      declareThreading(getOperation());
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : ops) {
      rewriter.setInsertionPoint(op);
      FailureOr<Contraction> contraction = Contraction::match(op, rewriter);
      if (failed(contraction))
        continue;
      ImplicitLocOpBuilder b(op.getLoc(), rewriter);
      lower(b, *contraction, shape);
      rewriter.eraseOp(op);
      ++numLowered;
    }
  }
};
} // namespace
