//===- RecognizeLinear.cpp - linear layers in one form --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The canonical linear layer is onnx.MatMul with a constant weight [in, out],
// or with the transposition of a constant [out, in] (which is not carried out:
// the weight is used where it lies, see QuantizableOpInterface), followed by an
// onnx.Add if there is a bias. Only what is a matrix by itself stays onnx.Gemm.
//
// Exporters that know Gemm flatten the tokens around it: GPT-2's Conv1D is
// Reshape(Gemm(Reshape(x))). This takes the reshapes away.
//
//===----------------------------------------------------------------------===//

#include "Matchers.h"
#include "SymbolicRewrite.h"
#include "lowbit/Dialect/Onnx/Transforms/Passes.h"
#include "lowbit/Dialect/Onnx/Transforms/SymbolicPatterns.h"

namespace lowbit::onnx {
#define GEN_PASS_DEF_RECOGNIZELINEARPASS
#include "lowbit/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lowbit::onnx

using namespace mlir;
using namespace lowbit::onnx;

namespace {
/// A matrix product with what is added to it.
struct Linear {
  Operation *op;
  Value input, weight, bias;
  bool isTransposed;
};

struct RecognizeLinear final : SymbolicPattern<ReshapeOp> {
  using SymbolicPattern::SymbolicPattern;

  LogicalResult matchAndRewrite(ReshapeOp root,
                                PatternRewriter &rewriter) const override;

private:
  bool isRowOfBias(Value bias) const;
};
} // namespace

static std::optional<Linear> matchLinear(Value value) {
  if (!value.hasOneUse())
    return std::nullopt;
  if (auto matmul = value.getDefiningOp<MatMulOp>())
    return Linear{matmul, matmul.getA(), matmul.getB(), {}, false};
  auto gemm = value.getDefiningOp<GemmOp>();
  if (!gemm || gemm.getTransA() || gemm.getAlpha() != 1 || gemm.getBeta() != 1)
    return std::nullopt;
  return Linear{gemm, gemm.getA(), gemm.getB(),
                isPresent(gemm.getC()) ? gemm.getC() : Value(),
                gemm.getTransB()};
}

/// Whether a bias is the same for all tokens.
bool RecognizeLinear::isRowOfBias(Value bias) const {
  int64_t rank = getRank(bias);
  return rank == 0 || rank == 1 || (rank == 2 && getKnownDim(bias, 0) == 1);
}

LogicalResult
RecognizeLinear::matchAndRewrite(ReshapeOp root,
                                 PatternRewriter &rewriter) const {
  std::optional<Linear> linear = matchLinear(root.getData());
  if (!linear || getRank(linear->weight) != 2 || getRank(linear->input) != 2)
    return rewriter.notifyMatchFailure(root, "not of a product of matrices");
  auto flatten = linear->input.getDefiningOp<ReshapeOp>();
  if (!flatten)
    return rewriter.notifyMatchFailure(root, "the input is a matrix by itself");
  if (linear->bias && !isRowOfBias(linear->bias))
    return rewriter.notifyMatchFailure(root, "the bias is a matrix");
  std::optional<ArrayRef<AffineExpr>> from = shapes.getDims(flatten.getData());
  std::optional<ArrayRef<AffineExpr>> to = shapes.getDims(root.getReshaped());
  // The channels may have been flattened, too: [..., heads, channels].
  auto channels =
      dyn_cast_or_null<AffineConstantExpr>(shapes.getDim(linear->input, 1));
  if (!from || !to || !channels || to->size() < 3 ||
      from->size() < to->size() ||
      from->take_front(to->size() - 1) != to->drop_back() ||
      shapes.product(from->drop_front(to->size() - 1)) != channels ||
      to->back() != shapes.getDim(root.getData(), 1))
    return rewriter.notifyMatchFailure(
        root, "the reshapes do more than flatten the tokens");
  Location loc = linear->op->getLoc();
  Type elementType = getElementTypeOrSelf(root);
  Value input = flatten.getData();
  if (from->size() != to->size()) {
    SmallVector<int64_t> shape(to->size() - 1, 0);
    shape.push_back(channels.getValue());
    input = createInferred<ReshapeOp>(
        rewriter, shapes, flatten.getLoc(), elementType, input,
        createIntegers(rewriter, loc, shape), rewriter.getI64IntegerAttr(0));
  }
  Value weight = linear->weight;
  if (linear->isTransposed)
    weight = createInferred<TransposeOp>(rewriter, shapes, weight.getLoc(),
                                         elementType, weight,
                                         rewriter.getDenseI64ArrayAttr({1, 0}));
  Value result = MatMulOp::create(rewriter, loc, root.getType(), input, weight);
  if (linear->bias)
    result = AddOp::create(rewriter, loc, root.getType(), result, linear->bias);
  rewriter.replaceOp(root, result);
  return success();
}

namespace {
struct RecognizeLinearPass final
    : lowbit::onnx::impl::RecognizeLinearPassBase<RecognizeLinearPass> {
  void runOnOperation() override {
    if (failed(applyWithShapes(getOperation(), "recognition of linear layers",
                               populateRecognizeLinearPatterns)))
      signalPassFailure();
  }
};
} // namespace

void lowbit::onnx::populateRecognizeLinearPatterns(RewritePatternSet &patterns,
                                                   SymbolicShapes &shapes) {
  patterns.add<RecognizeLinear>(patterns.getContext(), shapes);
}
