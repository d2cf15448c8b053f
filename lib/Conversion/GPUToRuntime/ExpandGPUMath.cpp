//===- ExpandGPUMath.cpp - device math without a library ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// MLIR's way from `math` to NVVM calls libdevice, NVIDIA's bitcode library,
// which a machine without CUDA lacks. Kernels need few functions, in f32: what
// the hardware computes correctly rounded (sqrt, fma, rounding) is left to the
// conversion to NVVM; the others become the polynomials with which MLIR
// vectorizes them for CPUs, so that both sides agree to the last few bits.

#include "lowbit/Conversion/GPU/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lowbit {
#define GEN_PASS_DEF_EXPANDGPUMATH
#include "lowbit/Conversion/GPU/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

/// What a GPU does itself, or what LLVM's NVPTX backend expands in place.
static bool isHardwareOp(Operation *op) {
  return isa<math::SqrtOp, math::FmaOp, math::AbsFOp, math::AbsIOp,
             math::CopySignOp, math::FloorOp, math::CeilOp, math::TruncOp,
             math::RoundEvenOp, math::CountLeadingZerosOp,
             math::CountTrailingZerosOp, math::CtPopOp>(op);
}

namespace {
struct ExpandGPUMathPass : lowbit::impl::ExpandGPUMathBase<ExpandGPUMathPass> {
  void runOnOperation() override;
};
} // namespace

static LogicalResult expand(gpu::GPUModuleOp module) {
  RewritePatternSet patterns(module.getContext());
  math::populateExpansionPatterns(
      patterns, {"tan", "sinh", "cosh", "asinh", "acosh", "atanh", "powf",
                 "fpowi", "exp2", "round", "rsqrt", "clampf"});
  auto isExpanded = [](StringRef name) {
    // These have an exact form, see isHardwareOp.
    return !llvm::is_contained(
        {"math.sqrt", "math.absf", "math.ceil", "math.floor", "math.cbrt"},
        name);
  };
  populateMathF32ExpansionPatterns(patterns, isExpanded);
  populateMathPolynomialApproximationPatterns(patterns, isExpanded);
  return applyPatternsGreedily(module, std::move(patterns));
}

void ExpandGPUMathPass::runOnOperation() {
  gpu::GPUModuleOp module = getOperation();
  if (failed(expand(module))) {
    module.emitError("the expansion of math functions does not converge");
    return signalPassFailure();
  }
  WalkResult result = module.walk([&](Operation *op) {
    if (op->getName().getDialectNamespace() != "math" || isHardwareOp(op))
      return WalkResult::advance();
    op->emitOpError("has no form for a GPU in type ")
        << op->getResult(0).getType();
    return WalkResult::interrupt();
  });
  if (result.wasInterrupted())
    signalPassFailure();
}
