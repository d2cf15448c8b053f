//===- RecognizeRotaryEmbedding.cpp - rotary embeddings from their parts --===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Matches x * cos + rotate_half(x) * sin, where rotate_half puts the negated
// second half of the channels before the first. ONNX's op takes tables of half
// the channels, one row for each token; see HalfTable.h for how those are had.
//
// x is [batch, heads, sequence, channels] or, if the tables broadcast along the
// third dimension, [batch, sequence, heads, channels]: then the op stands
// between two transpositions.
//
//===----------------------------------------------------------------------===//

#include "HalfTable.h"
#include "Matchers.h"
#include "lowbit/Dialect/Onnx/Transforms/Passes.h"
#include "lowbit/Dialect/Onnx/Transforms/SymbolicPatterns.h"

namespace lowbit::onnx {
#define GEN_PASS_DEF_RECOGNIZEROTARYEMBEDDINGPASS
#include "lowbit/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lowbit::onnx

using namespace mlir;
using namespace lowbit::onnx;

/// What a value has of the channels of another.
struct ChannelSlice {
  Value source;
  int64_t begin, size;
};

static std::optional<ChannelSlice>
matchChannelSlice(const SymbolicShapes &shapes, Value value) {
  int64_t size = getKnownDim(value, -1), rank = getRank(value);
  if (ShapedType::isDynamic(size))
    return std::nullopt;
  auto isLast = [&](int64_t axis) { return axis == -1 || axis == rank - 1; };
  if (auto slice = value.getDefiningOp<SliceOp>()) {
    std::optional<SmallVector<int64_t>> starts =
        shapes.getConstantElements(slice.getStarts());
    std::optional<SmallVector<int64_t>> axes, steps;
    if (isPresent(slice.getAxes()))
      axes = shapes.getConstantElements(slice.getAxes());
    steps = isPresent(slice.getSteps())
                ? shapes.getConstantElements(slice.getSteps())
                : SmallVector<int64_t>{1};
    int64_t total = getKnownDim(slice.getData(), -1);
    if (!starts || !axes || !steps || starts->size() != 1 ||
        axes->size() != 1 || !isLast(axes->front()) || steps->size() != 1 ||
        steps->front() != 1 || ShapedType::isDynamic(total))
      return std::nullopt;
    int64_t begin = starts->front();
    return ChannelSlice{slice.getData(), begin < 0 ? begin + total : begin,
                        size};
  }
  auto split = value.getDefiningOp<SplitOp>();
  if (!split || !isLast(split.getAxis()))
    return std::nullopt;
  ChannelSlice match = {split.getInput(), 0, size};
  for (Value output : split.getOutputs()) {
    if (output == value)
      return match;
    int64_t part = getKnownDim(output, -1);
    if (ShapedType::isDynamic(part))
      return std::nullopt;
    match.begin += part;
  }
  return std::nullopt;
}

/// x, if `value` is rotate_half(x).
static Value matchRotateHalf(const SymbolicShapes &shapes, Value value) {
  auto concat = value.getDefiningOp<ConcatOp>();
  if (!concat || concat.getInputs().size() != 2 ||
      (concat.getAxis() != -1 && concat.getAxis() != getRank(value) - 1))
    return {};
  auto neg = concat.getInputs()[0].getDefiningOp<NegOp>();
  if (!neg)
    return {};
  std::optional<ChannelSlice> second = matchChannelSlice(shapes, neg.getX());
  std::optional<ChannelSlice> first =
      matchChannelSlice(shapes, concat.getInputs()[1]);
  if (!first || !second || first->source != second->source)
    return {};
  int64_t half = getKnownDim(first->source, -1) / 2;
  bool isHalved = first->begin == 0 && first->size == half &&
                  second->begin == half && second->size == half;
  return isHalved ? first->source : Value();
}

/// x, cos and sin of x * cos + rotate_half(x) * sin.
struct Rotation {
  Value x, cos, sin;
};

static std::optional<Rotation> matchRotation(const SymbolicShapes &shapes,
                                             AddOp root) {
  for (auto [straight, turned] : {std::pair(root.getA(), root.getB()),
                                  std::pair(root.getB(), root.getA())}) {
    auto cosMul = straight.getDefiningOp<MulOp>();
    auto sinMul = turned.getDefiningOp<MulOp>();
    if (!cosMul || !sinMul)
      continue;
    for (Value rotated : {sinMul.getA(), sinMul.getB()}) {
      Value x = matchRotateHalf(shapes, rotated);
      if (x && (cosMul.getA() == x || cosMul.getB() == x))
        return Rotation{x, getOtherOperand(cosMul, x),
                        getOtherOperand(sinMul, rotated)};
    }
  }
  return std::nullopt;
}

/// The axis of the heads of x, counted from the end: the one along which a
/// table is broadcast while it follows the sequence. 0 if the table is of
/// another kind.
static int64_t getHeadAxis(const SymbolicShapes &shapes, Value x, Value table) {
  std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(x);
  std::optional<ArrayRef<AffineExpr>> own = shapes.getDims(table);
  if (!dims || !own || dims->size() != 4 || own->size() < 2 || own->size() > 4)
    return 0;
  AffineExpr one = shapes.getConstant(1);
  SmallVector<AffineExpr> table4(4 - own->size(), one);
  llvm::append_range(table4, *own);
  if (table4[3] != (*dims)[3] || (table4[0] != one && table4[0] != (*dims)[0]))
    return 0;
  if (table4[1] == one && table4[2] == (*dims)[2])
    return -3;
  return table4[2] == one && table4[1] == (*dims)[1] ? -2 : 0;
}

/// A shape [size, 1, 1] to broadcast to. The size is taken from an argument of
/// the function if one has it, so that all layers share it.
static Value createBatchShape(PatternRewriter &rewriter,
                              const SymbolicShapes &shapes, Location loc,
                              AffineExpr size, Value x) {
  if (auto constant = dyn_cast<AffineConstantExpr>(size))
    return createIntegers(rewriter, loc, {constant.getValue(), 1, 1});
  Value source = x;
  int64_t axis = 0;
  Block &entry = x.getParentRegion()->front();
  for (BlockArgument argument : entry.getArguments()) {
    std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(argument);
    const AffineExpr *found = dims ? llvm::find(*dims, size) : nullptr;
    if (!dims || found == dims->end())
      continue;
    source = argument;
    axis = found - dims->begin();
    break;
  }
  Type i64 = rewriter.getI64Type();
  Value batch = createInferred<ShapeOp>(rewriter, shapes, loc, i64, source,
                                        rewriter.getI64IntegerAttr(axis + 1),
                                        rewriter.getI64IntegerAttr(axis));
  Value ones = createIntegers(rewriter, loc, {1, 1});
  return createInferred<ConcatOp>(rewriter, shapes, loc, i64,
                                  ValueRange{batch, ones},
                                  rewriter.getI64IntegerAttr(0));
}

namespace {
struct RecognizeRotaryEmbedding final : SymbolicPattern<AddOp> {
  using SymbolicPattern::SymbolicPattern;

  LogicalResult matchAndRewrite(AddOp root,
                                PatternRewriter &rewriter) const override {
    std::optional<Rotation> match = matchRotation(shapes, root);
    if (!match)
      return rewriter.notifyMatchFailure(root,
                                         "not x * cos + rotate_half(x) * sin");
    if (match->x.getType() != root.getType())
      return rewriter.notifyMatchFailure(root, "the tables widen x");
    int64_t headAxis = getHeadAxis(shapes, match->x, match->cos);
    if (headAxis == 0 || headAxis != getHeadAxis(shapes, match->x, match->sin))
      return rewriter.notifyMatchFailure(
          root, "the tables are not [batch, sequence, channels] beside x");
    HalfTable tables(rewriter, shapes, root.getLoc());
    if (!tables.isRepeated(match->cos) || !tables.isRepeated(match->sin))
      return rewriter.notifyMatchFailure(
          root, "the halves of the tables are not known to be equal");
    Value cos = createCache(rewriter, tables, match->cos, headAxis, *match);
    Value sin = createCache(rewriter, tables, match->sin, headAxis, *match);
    Location loc = root.getLoc();
    Value none = NoValueOp::create(rewriter, loc);
    auto no = rewriter.getI64IntegerAttr(0);
    if (headAxis == -3) {
      rewriter.replaceOpWithNewOp<RotaryEmbeddingOp>(
          root, root.getType(), match->x, cos, sin, none, no, no, no);
      return success();
    }
    auto swap = rewriter.getDenseI64ArrayAttr({0, 2, 1, 3});
    Type elementType = getElementTypeOrSelf(root);
    Value x = createInferred<TransposeOp>(rewriter, shapes, loc, elementType,
                                          match->x, swap);
    Value y = RotaryEmbeddingOp::create(rewriter, loc, x.getType(), x, cos, sin,
                                        none, no, no, no);
    rewriter.replaceOpWithNewOp<TransposeOp>(root, root.getType(), y, swap);
    return success();
  }

private:
  /// [batch, sequence, channels / 2].
  Value createCache(PatternRewriter &rewriter, HalfTable &tables, Value table,
                    int64_t headAxis, const Rotation &match) const {
    Location loc = table.getLoc();
    Type elementType = getElementTypeOrSelf(table);
    Value half = tables.build(table, headAxis);
    if (getRank(half) == 2)
      half =
          createInferred<UnsqueezeOp>(rewriter, shapes, loc, elementType, half,
                                      createIntegers(rewriter, loc, 0));
    AffineExpr batch = shapes.getDim(match.x, 0);
    if (shapes.getDim(half, 0) == batch)
      return half;
    Value shape = createBatchShape(rewriter, shapes, loc, batch, match.x);
    return createInferred<ExpandOp>(rewriter, shapes, loc, elementType, half,
                                    shape);
  }
};

struct RecognizeRotaryEmbeddingPass final
    : lowbit::onnx::impl::RecognizeRotaryEmbeddingPassBase<
          RecognizeRotaryEmbeddingPass> {
  void runOnOperation() override {
    if (failed(applyWithShapes(getOperation(),
                               "recognition of rotary embeddings",
                               populateRecognizeRotaryEmbeddingPatterns)))
      signalPassFailure();
  }
};
} // namespace

void lowbit::onnx::populateRecognizeRotaryEmbeddingPatterns(
    RewritePatternSet &patterns, SymbolicShapes &shapes) {
  patterns.add<RecognizeRotaryEmbedding>(patterns.getContext(), shapes);
}
