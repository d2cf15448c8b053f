//===- SimplifyShapes.cpp - shapes that need no computation ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exporters compute at run time what symbolic shapes tell before: the target of
// a reshape is a constant with a 0 for each dimension that stays and a -1 for
// at most one other; an expansion is to ones where nothing is repeated. What is
// left of the computation is dead. Movements of data that undo each other, or
// that change nothing, go as well.
//
//===----------------------------------------------------------------------===//

#include "Matchers.h"
#include "SymbolicRewrite.h"
#include "lowbit/Dialect/Onnx/Transforms/Passes.h"
#include "lowbit/Dialect/Onnx/Transforms/SymbolicPatterns.h"

namespace lowbit::onnx {
#define GEN_PASS_DEF_SIMPLIFYSHAPESPASS
#include "lowbit/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lowbit::onnx

using namespace mlir;
using namespace lowbit::onnx;

/// The operand of a reshape (without allowzero) from `from` to `to`; nothing if
/// it would have to be computed.
static std::optional<SmallVector<int64_t>>
getReshapeTarget(ArrayRef<AffineExpr> from, ArrayRef<AffineExpr> to) {
  SmallVector<int64_t> target;
  bool hasInferred = false;
  for (auto [axis, dim] : llvm::enumerate(to)) {
    auto constant = dyn_cast<AffineConstantExpr>(dim);
    if (constant && constant.getValue() != 0) {
      target.push_back(constant.getValue());
    } else if (axis < from.size() && from[axis] == dim) {
      target.push_back(0);
    } else if (!hasInferred && !constant) {
      target.push_back(-1);
      hasInferred = true;
    } else {
      return std::nullopt;
    }
  }
  return target;
}

/// An op that gives its first operand's elements another shape.
static bool isReshaping(Operation *op) {
  return isa_and_nonnull<ReshapeOp, UnsqueezeOp, SqueezeOp, FlattenOp>(op);
}

namespace {
struct SimplifyReshape final : SymbolicPattern<ReshapeOp> {
  using SymbolicPattern::SymbolicPattern;

  LogicalResult matchAndRewrite(ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<ArrayRef<AffineExpr>> to = shapes.getDims(op.getReshaped());
    if (!to)
      return rewriter.notifyMatchFailure(op, "the rank is not known");
    if (shapes.haveEqualDims(op.getData(), op.getReshaped()) &&
        op.getData().getType() == op.getType()) {
      rewriter.replaceOp(op, op.getData());
      return success();
    }
    // Through what only reshapes, if the source leaves nothing to compute.
    Value source = op.getData();
    while (isReshaping(source.getDefiningOp()))
      source = source.getDefiningOp()->getOperand(0);
    for (Value data : {source, Value(op.getData())}) {
      std::optional<ArrayRef<AffineExpr>> from = shapes.getDims(data);
      std::optional<SmallVector<int64_t>> target =
          from ? getReshapeTarget(*from, *to) : std::nullopt;
      if (!target)
        continue;
      if (data == op.getData() && getIntegers(op.getShape()))
        break;
      Value shape = createIntegers(rewriter, op.getShape().getLoc(), *target);
      rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), data, shape,
                                             rewriter.getI64IntegerAttr(0));
      return success();
    }
    return rewriter.notifyMatchFailure(op, "constant, or must be computed");
  }
};

struct SimplifyExpand final : SymbolicPattern<ExpandOp> {
  using SymbolicPattern::SymbolicPattern;

  LogicalResult matchAndRewrite(ExpandOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<ArrayRef<AffineExpr>> from = shapes.getDims(op.getInput());
    std::optional<ArrayRef<AffineExpr>> to = shapes.getDims(op.getOutput());
    if (!from || !to)
      return rewriter.notifyMatchFailure(op, "the ranks are not known");
    if (*from == *to && op.getInput().getType() == op.getType()) {
      rewriter.replaceOp(op, op.getInput());
      return success();
    }
    if (getIntegers(op.getShape()))
      return rewriter.notifyMatchFailure(op, "the shape is a constant");
    SmallVector<int64_t> target;
    size_t offset = to->size() - from->size();
    for (auto [axis, dim] : llvm::enumerate(*to)) {
      auto constant = dyn_cast<AffineConstantExpr>(dim);
      if (constant)
        target.push_back(constant.getValue());
      else if (axis >= offset && (*from)[axis - offset] == dim)
        target.push_back(1);
      else
        return rewriter.notifyMatchFailure(op, "repeats an unknown number");
    }
    Value shape = createIntegers(rewriter, op.getShape().getLoc(), target);
    rewriter.replaceOpWithNewOp<ExpandOp>(op, op.getType(), op.getInput(),
                                          shape);
    return success();
  }
};

/// Drops a slice that keeps everything.
struct SimplifySlice final : SymbolicPattern<SliceOp> {
  using SymbolicPattern::SymbolicPattern;

  LogicalResult matchAndRewrite(SliceOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<SmallVector<int64_t>> steps;
    if (isPresent(op.getSteps()))
      steps = getIntegers(op.getSteps());
    else
      steps.emplace();
    // A reversal keeps the size, too.
    if (!steps || llvm::any_of(*steps, [](int64_t step) { return step < 1; }))
      return rewriter.notifyMatchFailure(op, "may reverse");
    if (!shapes.haveEqualDims(op.getData(), op.getOutput()) ||
        op.getData().getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "may cut");
    rewriter.replaceOp(op, op.getData());
    return success();
  }
};

/// Transpose(Transpose(x)).
struct ComposeTransposes final : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getData().getDefiningOp<TransposeOp>();
    if (!inner || !inner.getPerm() || !op.getPerm())
      return rewriter.notifyMatchFailure(op, "not two known permutations");
    ArrayRef<int64_t> first = *inner.getPerm(), second = *op.getPerm();
    SmallVector<int64_t> perm;
    for (int64_t axis : second)
      perm.push_back(first[axis]);
    if (llvm::is_sorted(perm) && inner.getData().getType() == op.getType())
      rewriter.replaceOp(op, inner.getData());
    else
      rewriter.replaceOpWithNewOp<TransposeOp>(
          op, op.getType(), inner.getData(),
          rewriter.getDenseI64ArrayAttr(perm));
    return success();
  }
};

/// Gather(Unsqueeze(x, axis), 0, axis): a dimension is made and taken away.
struct SimplifyGatherOfUnsqueeze final : OpRewritePattern<GatherOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GatherOp op,
                                PatternRewriter &rewriter) const override {
    auto unsqueeze = op.getData().getDefiningOp<UnsqueezeOp>();
    if (!unsqueeze || getRank(op.getIndices()) != 0)
      return rewriter.notifyMatchFailure(op, "no scalar index into Unsqueeze");
    std::optional<SmallVector<int64_t>> axes = getIntegers(unsqueeze.getAxes());
    int64_t rank = getRank(op.getData());
    auto fromFront = [&](int64_t axis) {
      return axis < 0 ? axis + rank : axis;
    };
    if (!axes || axes->size() != 1 || rank < 0 ||
        fromFront(axes->front()) != fromFront(op.getAxis()) ||
        !getScalar(op.getIndices()))
      return rewriter.notifyMatchFailure(op, "not the dimension of Unsqueeze");
    if (unsqueeze.getData().getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "types differ");
    rewriter.replaceOp(op, unsqueeze.getData());
    return success();
  }
};

struct SimplifyShapesPass final
    : lowbit::onnx::impl::SimplifyShapesPassBase<SimplifyShapesPass> {
  void runOnOperation() override {
    if (failed(applyWithShapes(getOperation(), "simplification of shapes",
                               populateSimplifyShapesPatterns)))
      signalPassFailure();
  }
};
} // namespace

void lowbit::onnx::populateSimplifyShapesPatterns(RewritePatternSet &patterns,
                                                  SymbolicShapes &shapes) {
  MLIRContext *context = patterns.getContext();
  patterns.add<SimplifyReshape, SimplifyExpand, SimplifySlice>(context, shapes);
  patterns.add<ComposeTransposes, SimplifyGatherOfUnsqueeze>(context);
}
