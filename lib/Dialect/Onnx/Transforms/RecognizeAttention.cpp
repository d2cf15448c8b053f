//===- RecognizeAttention.cpp - attention from its parts ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Matches softmax(q k^T * scale + mask) v on tensors [batch, heads, sequence,
// channels], with the scale on any of q, k and the scores, with masks that are
// added or chosen by Where, with heads of k and v that are repeated for groups
// of queries, and with a cache of past keys and values before the new ones.
//
// A mask that provably hides the future and nothing else becomes `is_causal`;
// every other one stays an operand, with its own numbers: a row in which all
// scores are masked keeps the meaning that it had.
//
//===----------------------------------------------------------------------===//

#include "AttentionParts.h"
#include "CausalMask.h"
#include "Matchers.h"
#include "SymbolicRewrite.h"
#include "lowbit/Dialect/Onnx/Transforms/Passes.h"
#include "lowbit/Dialect/Onnx/Transforms/SymbolicPatterns.h"

namespace lowbit::onnx {
#define GEN_PASS_DEF_RECOGNIZEATTENTIONPASS
#include "lowbit/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lowbit::onnx

using namespace mlir;
using namespace lowbit::onnx;

/// A number that is so large that adding it to a score gives the number itself,
/// so that replacing a score by it and adding it are the same.
static constexpr double kAbsorbsBelow = -1e9;

namespace {
/// A cache and what is appended to it.
struct Cache {
  ConcatOp concat;
  Value past, added;
};

/// Keys as a permutation of a value; an empty one is none.
struct KeySource {
  Value source;
  SmallVector<int64_t> perm;
};

struct RecognizeAttention final : SymbolicPattern<MatMulOp> {
  using SymbolicPattern::SymbolicPattern;

  LogicalResult matchAndRewrite(MatMulOp root,
                                PatternRewriter &rewriter) const override;

private:
  KeySource matchKey(Value transposedK) const;
  std::optional<Cache> matchCache(Value value) const;
  LogicalResult checkShapes(MatMulOp root, const AttentionParts &parts,
                            const KeySource &key, Value v,
                            PatternRewriter &rewriter) const;
  bool isWithin(Value mask, Value product) const;
  bool isCutToLength(Value mask, AffineExpr length) const;
  LogicalResult collectMasks(MatMulOp root, const AttentionParts &parts,
                             bool &isCausal,
                             SmallVectorImpl<AttentionMask> &masks,
                             PatternRewriter &rewriter) const;
  Value createMask(ArrayRef<AttentionMask> masks, Type elementType,
                   Location loc, PatternRewriter &rewriter) const;
};
} // namespace

/// The keys are [batch, heads, sequence, channels]; scores take them with the
/// last two dimensions swapped. Undoes the swap, and leaves the rest of the
/// permutation to the keys.
KeySource RecognizeAttention::matchKey(Value transposedK) const {
  KeySource key = {transposedK, {0, 1, 3, 2}};
  if (auto transpose = transposedK.getDefiningOp<TransposeOp>())
    if (std::optional<ArrayRef<int64_t>> own = transpose.getPerm()) {
      key = {transpose.getData(), llvm::to_vector(*own)};
      std::swap(key.perm[2], key.perm[3]);
    }
  if (llvm::is_sorted(key.perm))
    key.perm.clear();
  return key;
}

std::optional<Cache> RecognizeAttention::matchCache(Value value) const {
  auto concat = value.getDefiningOp<ConcatOp>();
  if (!concat || concat.getInputs().size() != 2 ||
      (concat.getAxis() != 2 && concat.getAxis() != -2) || getRank(value) != 4)
    return std::nullopt;
  // Only what was there before the model ran is a cache.
  if (!isa<BlockArgument>(concat.getInputs()[0]))
    return std::nullopt;
  return Cache{concat, concat.getInputs()[0], concat.getInputs()[1]};
}

LogicalResult RecognizeAttention::checkShapes(MatMulOp root,
                                              const AttentionParts &parts,
                                              const KeySource &key, Value v,
                                              PatternRewriter &rewriter) const {
  auto getKeyDim = [&](int64_t axis) {
    return shapes.getDim(key.source, key.perm.empty() ? axis : key.perm[axis]);
  };
  auto getDim = [&](Value value, int64_t axis) {
    return shapes.getDim(value, axis);
  };
  AffineExpr batch = getDim(parts.q, 0);
  if (!batch || getKeyDim(0) != batch || getDim(v, 0) != batch)
    return rewriter.notifyMatchFailure(
        root, "batches of q, k and v are not known to be equal");
  if (!getKeyDim(2) || getKeyDim(2) != getDim(v, 2))
    return rewriter.notifyMatchFailure(
        root, "k and v are not known to be equally long");
  auto heads = dyn_cast_or_null<AffineConstantExpr>(getDim(parts.q, 1));
  auto keyHeads = dyn_cast_or_null<AffineConstantExpr>(getKeyDim(1));
  if (!heads || !keyHeads || keyHeads.getValue() <= 0 ||
      heads.getValue() % keyHeads.getValue() != 0 || getDim(v, 1) != keyHeads ||
      getDim(parts.product, 1) != heads || getDim(root, 1) != heads)
    return rewriter.notifyMatchFailure(root, "heads do not fit");
  return success();
}

/// Whether a mask is broadcast to scores without making them larger.
bool RecognizeAttention::isWithin(Value mask, Value product) const {
  std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(mask);
  std::optional<ArrayRef<AffineExpr>> to = shapes.getDims(product);
  if (!dims || !to || dims->size() > to->size())
    return false;
  return llvm::all_of(llvm::zip(*dims, to->take_back(dims->size())),
                      [&](auto pair) {
                        auto [dim, target] = pair;
                        return dim == target || dim == shapes.getConstant(1);
                      });
}

/// Whether a mask is a square table of the model, of which rows and columns are
/// cut to the length of the sequence. The cut is shorter if the table is, but
/// then the scores do not fit and the model does not run: in one that does, the
/// mask is as long as the sequence.
bool RecognizeAttention::isCutToLength(Value mask, AffineExpr length) const {
  bool cutsRows = false, cutsColumns = false;
  while (auto slice = mask.getDefiningOp<SliceOp>()) {
    std::optional<SmallVector<int64_t>> starts, axes, steps;
    starts = shapes.getConstantElements(slice.getStarts());
    std::optional<ArrayRef<AffineExpr>> ends =
        shapes.getElements(slice.getEnds());
    if (isPresent(slice.getAxes()))
      axes = shapes.getConstantElements(slice.getAxes());
    steps = isPresent(slice.getSteps())
                ? shapes.getConstantElements(slice.getSteps())
                : SmallVector<int64_t>{1};
    if (!starts || !ends || !axes || !steps || axes->size() != 1 ||
        starts->size() != 1 || ends->size() != 1 || steps->size() != 1 ||
        starts->front() != 0 || ends->front() != length || steps->front() != 1)
      return false;
    int64_t axis = axes->front(), rank = getRank(mask);
    axis = axis < 0 ? axis : axis - rank;
    cutsRows |= axis == -2;
    cutsColumns |= axis == -1;
    if (axis < -2)
      return false;
    mask = slice.getData();
  }
  // A table of one row would be broadcast.
  int64_t size = getKnownDim(mask, -1);
  return cutsRows && cutsColumns && mask.getDefiningOp<ConstantOp>() &&
         !ShapedType::isDynamic(size) && size > 1 &&
         getKnownDim(mask, -2) == size;
}

/// Sorts the masks into those that only hide the future and others.
LogicalResult RecognizeAttention::collectMasks(
    MatMulOp root, const AttentionParts &parts, bool &isCausal,
    SmallVectorImpl<AttentionMask> &masks, PatternRewriter &rewriter) const {
  AffineExpr queries = shapes.getDim(parts.product, 2);
  AffineExpr keys = shapes.getDim(parts.product, 3);
  for (const AttentionMask &mask : parts.masks) {
    bool isCut = isCutToLength(mask.value, keys);
    // A mask that is broadcast to more than q k^T would widen the scores.
    if (!isCut && !isWithin(mask.value, parts.product))
      return rewriter.notifyMatchFailure(
          root, "a mask is not known to be smaller than the scores");
    bool isSquare =
        queries == keys && (isCut || (shapes.getDim(mask.value, -2) == keys &&
                                      shapes.getDim(mask.value, -1) == keys));
    if (isSquare && !mask.keeps && isCausalMask(shapes, mask.value)) {
      isCausal = true;
      continue;
    }
    if (isSquare && mask.keeps && mask.fill <= kMaskedBelow &&
        isCausalCondition(shapes, mask.value, *mask.keeps)) {
      isCausal = true;
      continue;
    }
    // ONNX's op pads a mask that is too short instead of broadcasting it.
    if (isCut || !keys || shapes.getDim(mask.value, -1) != keys)
      return rewriter.notifyMatchFailure(
          root, "a mask is not known to be as long as the keys");
    if (mask.keeps && mask.fill > kAbsorbsBelow)
      return rewriter.notifyMatchFailure(
          root, "scores are replaced by a number that cannot be added instead");
    masks.push_back(mask);
  }
  return success();
}

/// The sum of all masks.
Value RecognizeAttention::createMask(ArrayRef<AttentionMask> masks,
                                     Type elementType, Location loc,
                                     PatternRewriter &rewriter) const {
  Value sum;
  for (const AttentionMask &mask : masks) {
    Value addend = mask.value;
    if (mask.keeps) {
      auto type = cast<FloatType>(elementType);
      Value zero = createScalar(rewriter, loc, type, 0);
      Value fill = createScalar(rewriter, loc, type, mask.fill);
      addend = createInferred<WhereOp>(rewriter, shapes, loc, elementType,
                                       mask.value, *mask.keeps ? zero : fill,
                                       *mask.keeps ? fill : zero);
    }
    sum = sum ? createInferred<AddOp>(rewriter, shapes, loc, elementType, sum,
                                      addend)
                    .getC()
              : addend;
  }
  return sum ? sum : NoValueOp::create(rewriter, loc).getNone();
}

LogicalResult
RecognizeAttention::matchAndRewrite(MatMulOp root,
                                    PatternRewriter &rewriter) const {
  std::optional<AttentionParts> parts = matchAttention(root);
  if (!parts)
    return rewriter.notifyMatchFailure(root, "not softmax(q k^T) v");
  Type elementType = getElementTypeOrSelf(root);
  bool isCausal = false;
  SmallVector<AttentionMask> masks;
  if (failed(collectMasks(root, *parts, isCausal, masks, rewriter)))
    return failure();
  KeySource key = matchKey(parts->transposedK);
  Value v = parts->v;
  int64_t keyRepeats, valueRepeats;
  Value fewKeys = matchRepeatedHeads(shapes, key.source, keyRepeats);
  Value fewValues = matchRepeatedHeads(shapes, v, valueRepeats);
  if (key.perm.empty() && keyRepeats == valueRepeats) {
    key.source = fewKeys;
    v = fewValues;
  }
  if (failed(checkShapes(root, *parts, key, v, rewriter)))
    return failure();
  Location loc = root.getLoc();
  Value none = NoValueOp::create(rewriter, loc), pastK = none, pastV = none;
  Type absent = none.getType(), presentK = absent, presentV = absent;
  Value k = key.source;
  if (!key.perm.empty())
    k = createInferred<TransposeOp>(rewriter, shapes, loc, elementType, k,
                                    rewriter.getDenseI64ArrayAttr(key.perm));
  std::optional<Cache> keyCache = matchCache(k), valueCache = matchCache(v);
  bool hasCache =
      keyCache && valueCache &&
      shapes.getDim(keyCache->past, 2) == shapes.getDim(valueCache->past, 2);
  if (hasCache) {
    presentK = k.getType();
    presentV = v.getType();
    pastK = keyCache->past;
    pastV = valueCache->past;
    k = keyCache->added;
    v = valueCache->added;
  }
  Value mask = createMask(masks, elementType, loc, rewriter);
  auto attention = AttentionOp::create(
      rewriter, loc, root.getType(), presentK, presentV, absent, parts->q, k, v,
      mask, pastK, pastV, none, rewriter.getI64IntegerAttr(isCausal),
      IntegerAttr(), IntegerAttr(), rewriter.getI64IntegerAttr(0),
      rewriter.getF32FloatAttr(static_cast<float>(parts->scale)),
      rewriter.getF32FloatAttr(0), IntegerAttr());
  if (hasCache)
    for (auto [concat, present] :
         {std::pair(keyCache->concat, attention.getPresentKey()),
          std::pair(valueCache->concat, attention.getPresentValue())})
      rewriter.replaceUsesWithIf(
          concat.getConcatResult(), present, [&](OpOperand &use) {
            Operation *user = use.getOwner();
            return user->getBlock() == attention->getBlock() &&
                   attention->isBeforeInBlock(user);
          });
  rewriter.replaceOp(root, attention.getY());
  return success();
}

namespace {
struct RecognizeAttentionPass final
    : lowbit::onnx::impl::RecognizeAttentionPassBase<RecognizeAttentionPass> {
  void runOnOperation() override {
    if (failed(applyWithShapes(getOperation(), "recognition of attention",
                               populateRecognizeAttentionPatterns)))
      signalPassFailure();
  }
};
} // namespace

void lowbit::onnx::populateRecognizeAttentionPatterns(
    RewritePatternSet &patterns, SymbolicShapes &shapes) {
  patterns.add<RecognizeAttention>(patterns.getContext(), shapes);
}
