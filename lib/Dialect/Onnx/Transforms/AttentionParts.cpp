//===- AttentionParts.cpp - attention, taken apart ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionParts.h"
#include "Matchers.h"

using namespace mlir;
using namespace lowbit::onnx;

/// Takes factors out of an operand of the scores.
static Value stripScale(Value value, double &scale) {
  while (std::optional<WithScalar> scaled = matchMulScalar(value)) {
    scale *= scaled->scalar;
    value = scaled->other;
  }
  return value;
}

/// Follows scores from the softmax back to the product that they come from.
/// `canScale` is false behind a mask to which a factor would apply as well.
static bool matchScores(Value value, AttentionParts &parts) {
  if (auto matmul = value.getDefiningOp<MatMulOp>()) {
    if (getRank(value) != 4 || getRank(matmul.getA()) != 4 ||
        getRank(matmul.getB()) != 4)
      return false;
    parts.product = value;
    parts.q = stripScale(matmul.getA(), parts.scale);
    parts.transposedK = stripScale(matmul.getB(), parts.scale);
    return true;
  }
  // What else uses the scores would need them computed a second time.
  if (!value.hasOneUse())
    return false;
  if (std::optional<WithScalar> scaled = matchMulScalar(value)) {
    size_t masksBefore = parts.masks.size();
    if (!matchScores(scaled->other, parts))
      return false;
    // A mask that is added before the scores are scaled is scaled with them.
    if (parts.masks.size() != masksBefore)
      return false;
    parts.scale *= scaled->scalar;
    return true;
  }
  if (auto add = value.getDefiningOp<AddOp>())
    for (auto [scores, mask] : {std::pair(add.getA(), add.getB()),
                                std::pair(add.getB(), add.getA())}) {
      AttentionParts attempt = parts;
      if (!matchScores(scores, attempt))
        continue;
      parts = attempt;
      parts.masks.push_back({mask, std::nullopt});
      return true;
    }
  if (auto where = value.getDefiningOp<WhereOp>())
    for (bool keeps : {true, false}) {
      Value scores = keeps ? where.getX() : where.getY();
      std::optional<double> fill =
          getScalar(keeps ? where.getY() : where.getX());
      AttentionParts attempt = parts;
      if (!fill || !matchScores(scores, attempt))
        continue;
      parts = attempt;
      parts.masks.push_back({where.getCondition(), keeps, *fill});
      return true;
    }
  return false;
}

std::optional<AttentionParts> lowbit::onnx::matchAttention(MatMulOp root) {
  auto softmax = root.getA().getDefiningOp<SoftmaxOp>();
  int64_t rank = getRank(root.getA());
  if (!softmax || !root.getA().hasOneUse() || rank != 4 ||
      getRank(root.getB()) != 4 ||
      (softmax.getAxis() != -1 && softmax.getAxis() != rank - 1))
    return std::nullopt;
  AttentionParts parts;
  parts.v = root.getB();
  parts.scores = softmax.getInput();
  if (!matchScores(parts.scores, parts))
    return std::nullopt;
  return parts;
}

/// Reshape of [batch, heads, repeats, sequence, channels] to
/// [batch, heads * repeats, sequence, channels], where the third dimension was
/// made by repeating one.
Value lowbit::onnx::matchRepeatedHeads(const SymbolicShapes &shapes,
                                       Value value, int64_t &repeats) {
  repeats = 1;
  auto reshape = value.getDefiningOp<ReshapeOp>();
  Operation *repeat = reshape ? reshape.getData().getDefiningOp() : nullptr;
  if (!isa_and_nonnull<ExpandOp, TileOp>(repeat))
    return value;
  Value single = repeat->getOperand(0), repeated = repeat->getResult(0);
  auto unsqueeze = single.getDefiningOp<UnsqueezeOp>();
  if (!unsqueeze)
    return value;
  std::optional<SmallVector<int64_t>> axes =
      shapes.getConstantElements(unsqueeze.getAxes());
  std::optional<ArrayRef<AffineExpr>> from =
      shapes.getDims(unsqueeze.getData());
  std::optional<ArrayRef<AffineExpr>> wide = shapes.getDims(repeated);
  std::optional<ArrayRef<AffineExpr>> to = shapes.getDims(value);
  if (!axes || axes->size() != 1 ||
      (axes->front() != 2 && axes->front() != -3) || !from || !wide || !to ||
      from->size() != 4 || wide->size() != 5 || to->size() != 4)
    return value;
  auto heads = dyn_cast<AffineConstantExpr>((*from)[1]);
  auto count = dyn_cast<AffineConstantExpr>((*wide)[2]);
  auto allHeads = dyn_cast<AffineConstantExpr>((*to)[1]);
  bool keepsRest = (*wide)[0] == (*from)[0] && (*wide)[1] == (*from)[1] &&
                   (*wide)[3] == (*from)[2] && (*wide)[4] == (*from)[3] &&
                   (*to)[0] == (*from)[0] && (*to)[2] == (*from)[2] &&
                   (*to)[3] == (*from)[3];
  if (!heads || !count || !allHeads || !keepsRest ||
      allHeads.getValue() != heads.getValue() * count.getValue())
    return value;
  repeats = count.getValue();
  return unsqueeze.getData();
}
