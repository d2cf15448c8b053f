//===- LinalgToGPU.cpp - a kernel for each linalg operation ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Chooses a kernel for every structured operation on buffers; the builders in
// the other files of this folder write them. Operations that compute shapes (a
// few integers, sizes known) stay on the host, whose control flow reads them.

#include "lowbit/Conversion/GPU/Kernels.h"
#include "lowbit/Conversion/GPU/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace lowbit {
#define GEN_PASS_DEF_CONVERTLINALGTOGPU
#include "lowbit/Conversion/GPU/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

/// Shapes have few dimensions; more elements than this are data.
static constexpr int64_t kMaxHostElements = 64;

/// A reduction shorter than a warp leaves lanes idle.
static constexpr int64_t kMinWarpReduction = 32;

static bool isSmallHostBuffer(Value value) {
  auto type = dyn_cast<MemRefType>(value.getType());
  if (!type)
    return true;
  return type.getElementType().isIntOrIndex() && type.hasStaticShape() &&
         type.getNumElements() <= kMaxHostElements &&
         // A function's arguments are the user's tensors, which kernels read.
         !isa<BlockArgument>(value);
}

static bool isHostOp(linalg::LinalgOp op) {
  return llvm::all_of(op->getOperands(), isSmallHostBuffer);
}

/// Whether lanes that stride over the reduction dimensions read neighbours: the
/// fastest dimension of the largest input is one of them.
static bool reducesContiguously(linalg::LinalgOp op) {
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  int64_t size = 1;
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  for (auto [iterator, range] : llvm::zip_equal(iterators, ranges))
    if (iterator == utils::IteratorType::reduction)
      size = ShapedType::isDynamic(range) || ShapedType::isDynamic(size)
                 ? ShapedType::kDynamic
                 : size * range;
  if (size != ShapedType::kDynamic && size < kMinWarpReduction)
    return false;
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    if (!map.getNumResults())
      continue;
    auto dim = dyn_cast<AffineDimExpr>(map.getResults().back());
    if (dim && iterators[dim.getPosition()] == utils::IteratorType::reduction)
      return true;
  }
  return false;
}

static void convert(IRRewriter &rewriter, linalg::LinalgOp op) {
  rewriter.setInsertionPoint(op);
  if (succeeded(buildContractionKernel(rewriter, op)))
    return;
  if (op.getNumReductionLoops() && reducesContiguously(op) &&
      succeeded(buildWarpReductionKernel(rewriter, op)))
    return;
  buildMapKernel(rewriter, op);
}

namespace {
struct ConvertLinalgToGPUPass
    : lowbit::impl::ConvertLinalgToGPUBase<ConvertLinalgToGPUPass> {
  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    WalkResult result = getOperation().walk([&](Operation *op) {
      auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
      if (!linalgOp)
        return WalkResult::advance();
      if (!linalgOp.hasPureBufferSemantics()) {
        op->emitError("must be bufferized before it can become a kernel");
        return WalkResult::interrupt();
      }
      ops.push_back(linalgOp);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : ops) {
      if (isHostOp(op)) {
        rewriter.setInsertionPoint(op);
        if (failed(linalg::linalgOpToLoops(rewriter, op))) {
          op->emitError("cannot be written as loops");
          return signalPassFailure();
        }
      } else {
        convert(rewriter, op);
      }
      rewriter.eraseOp(op);
    }
    SmallVector<PackedMatmulOp> products;
    getOperation().walk([&](PackedMatmulOp op) { products.push_back(op); });
    for (PackedMatmulOp op : products) {
      rewriter.setInsertionPoint(op);
      if (failed(buildPackedMatmulKernel(rewriter, op)))
        return signalPassFailure();
      rewriter.eraseOp(op);
    }
    nameKernels(getOperation());
  }
};
} // namespace
