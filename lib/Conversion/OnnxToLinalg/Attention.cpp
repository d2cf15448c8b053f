//===- Attention.cpp - lowering of scaled dot product attention -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Attention is two batches of matrix products with a softmax between them. The
// query heads that share a key head are rows of one product, so keys and values
// of grouped-query attention are never repeated:
//
//   scores  [b * kvHeads, group * q, kv] = Q [b * kvHeads, group * q, d] * K'
//   result  [b * kvHeads, group * q, v]  = softmax(scores) * V
//
// Scaling, soft cap and all masks are one pass over the scores.
//
//===----------------------------------------------------------------------===//

#include "ElementOps.h"
#include "OnnxLowering.h"
#include "Structured.h"
#include "lowbit/Dialect/Onnx/IR/OnnxSchema.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

using Sizes = LoweringBuilder::Sizes;

namespace {
/// How far the scores have come; the values of `qk_matmul_output_mode`.
enum ScoreStage { kProduct = 0, kSoftcapped = 1, kMasked = 2, kSoftmax = 3 };

class AttentionBuilder {
public:
  AttentionBuilder(AttentionOp op, AttentionOp::Adaptor adaptor,
                   LoweringBuilder &b)
      : op(op), adaptor(adaptor), b(b), type(getElementType(adaptor.getQ())),
        wide(getSoftmaxType()), isPacked(getRank(adaptor.getQ()) == 3) {}

  LoweredResults build();

private:
  Type getSoftmaxType();
  Value splitHeads(Value tensor, std::optional<int64_t> numHeads);
  Value appendToPast(Value past, Value tensor);
  Value collapseHeads(Value tensor, OpFoldResult rows);
  Value createScoreProduct();
  Value getMask();
  Value createScores(Value product, ScoreStage stage);
  Value createResult(Value probabilities);

  AttentionOp op;
  AttentionOp::Adaptor adaptor;
  LoweringBuilder &b;
  Type type, wide;
  /// Whether the heads are packed into the last of three dimensions.
  bool isPacked;
  Value query, key, value;
  OpFoldResult past;
};
} // namespace

Type AttentionBuilder::getSoftmaxType() {
  Type wide = getAccumulatorType(type);
  if (std::optional<uint64_t> precision = op.getSoftmaxPrecision())
    if (onnx::getElementType(b.getContext(), *precision) == b.getF64Type())
      return b.getF64Type();
  return wide;
}

/// [b, s, heads * d] -> [b, heads, s, d]
Value AttentionBuilder::splitHeads(Value tensor,
                                   std::optional<int64_t> numHeads) {
  if (!isPacked)
    return tensor;
  OpFoldResult heads = b.getIndexAttr(*numHeads);
  Value split = createReshape(b, tensor,
                              {b.getSize(tensor, 0), b.getSize(tensor, 1),
                               heads, b.floorDiv(b.getSize(tensor, 2), heads)});
  return createTranspose(b, split, {0, 2, 1, 3});
}

Value AttentionBuilder::appendToPast(Value past, Value tensor) {
  return isMissing(past) ? tensor : createConcat(b, {past, tensor}, 2);
}

/// [b, heads, s, d] -> [b * kvHeads, rows, d]
Value AttentionBuilder::collapseHeads(Value tensor, OpFoldResult rows) {
  OpFoldResult batch = b.mul(b.getSize(key, 0), b.getSize(key, 1));
  return createReshape(b, tensor,
                       {batch, rows, b.getSize(tensor, getRank(tensor) - 1)});
}

/// Q * K', unscaled, as [b, heads, q, kv].
Value AttentionBuilder::createScoreProduct() {
  OpFoldResult heads = b.getSize(query, 1), length = b.getSize(query, 2);
  OpFoldResult group = b.floorDiv(heads, b.getSize(key, 1));
  Value left = collapseHeads(query, b.mul(group, length));
  Value right = collapseHeads(key, b.getSize(key, 2));
  auto map = [&](ArrayRef<unsigned> targets) {
    return AffineMap::getMultiDimMapWithTargets(4, targets, b.getContext());
  };
  Value product = createContraction(
      b, left, map({0, 1, 3}), right, map({0, 2, 3}),
      {b.getSize(left, 0), b.getSize(left, 1), b.getSize(key, 2)},
      map({0, 1, 2}));
  product = createReshape(
      b, product, {b.getSize(query, 0), heads, length, b.getSize(key, 2)});
  return createFloatCast(b, product, wide);
}

/// The mask, with as many columns as there are keys; null if there is none.
Value AttentionBuilder::getMask() {
  Value mask = adaptor.getAttnMask();
  if (isMissing(mask))
    return Value();
  int64_t last = getRank(mask) - 1;
  OpFoldResult total = b.getSize(key, 2);
  bool isFull = b.isSame(b.getSize(mask, last), total);
  if (AffineExpr columns = b.getSymbolicSize(mask, last); columns && !isFull) {
    AffineExpr keys = b.getSymbolicSize(adaptor.getK(), isPacked ? 1 : 2);
    AffineExpr pastKeys = isMissing(adaptor.getPastKey())
                              ? b.getAffineConstantExpr(0)
                              : b.getSymbolicSize(adaptor.getPastKey(), 2);
    isFull = columns == b.addSymbolic(keys, pastKeys);
  }
  Sizes sizes = b.getSizes(mask);
  if (isFull)
    return mask;
  // A short mask says nothing of the last keys, which are then masked out.
  Type maskType = getElementType(mask);
  Value outside = maskType.isInteger(1)
                      ? b.constantInt(maskType, 0)
                      : emitInfinity(b, maskType, false, false);
  Sizes paddedSizes = sizes;
  paddedSizes.back() = total;
  Sizes offsets(sizes.size(), b.getIndexAttr(0));
  Sizes strides(sizes.size(), b.getIndexAttr(1));
  b.check(b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::ule,
                                        b.toValue(sizes.back()),
                                        b.toValue(total)),
          "the mask has more columns than there are keys");
  Value padded = b.filled(paddedSizes, outside);
  return tensor::InsertSliceOp::create(b, mask, padded, offsets, sizes,
                                       strides);
}

/// The scores after `stage`, from the unscaled product.
Value AttentionBuilder::createScores(Value product, ScoreStage stage) {
  Sizes sizes = b.getSizes(product);
  AffineMap identity = b.getMultiDimIdentityMap(4);
  SmallVector<Value> inputs{product};
  SmallVector<AffineMap> maps{identity};
  bool isMasked = stage >= kMasked;
  Value mask = isMasked ? getMask() : Value();
  if (mask) {
    auto [input, map] = broadcastOperand(b, mask, sizes);
    inputs.push_back(input);
    maps.push_back(map);
  }
  Value lengths = adaptor.getNonpadKvSeqlen();
  bool hasLengths = isMasked && !isMissing(lengths);
  if (hasLengths) {
    inputs.push_back(lengths);
    maps.push_back(AffineMap::get(4, 0, b.getAffineDimExpr(0)));
  }
  maps.push_back(identity);

  double softcap = op.getSoftcap();
  Value scale;
  if (op.getScale()) {
    scale = b.constant(wide, *op.getScale());
  } else {
    Value headSize = b.fromIndex(b.getSize(query, 3), wide);
    scale = emitDiv(b, b.constant(wide, 1),
                    b.createOrFold<math::SqrtOp>(headSize), false);
  }
  Value offset = b.toValue(past), queryLength = b.toValue(sizes[2]);
  Value masked = emitInfinity(b, wide, false, false);
  auto body = [&](ImplicitLocOpBuilder &nested,
                  ValueRange args) -> SmallVector<Value> {
    Value score = emitMul(nested, args[0], scale);
    if (softcap != 0 && stage >= kSoftcapped) {
      Value cap = emitConstant(nested, wide, softcap);
      Value bounded =
          math::TanhOp::create(nested, emitDiv(nested, score, cap, false));
      score = emitMul(nested, bounded, cap);
    }
    auto maskUnless = [&](Value isAllowed) {
      score = arith::SelectOp::create(nested, isAllowed, score, masked);
    };
    if (mask) {
      if (getElementType(mask).isInteger(1))
        maskUnless(args[1]);
      else
        score = emitAdd(nested, score, emitFloatCast(nested, args[1], wide));
    }
    Value keyIndex, length;
    if (isMasked && (op.getIsCausal() || hasLengths))
      keyIndex = linalg::IndexOp::create(nested, 3);
    if (hasLengths) {
      length = arith::IndexCastOp::create(nested, nested.getIndexType(),
                                          args.drop_back().back());
      maskUnless(emitCompare(nested, Comparison::Less, keyIndex, length,
                             /*isUnsigned=*/false));
    }
    if (isMasked && op.getIsCausal()) {
      // How many keys come before the first query.
      Value before = hasLengths ? emitSub(nested, length, queryLength) : offset;
      Value row = linalg::IndexOp::create(nested, 2);
      maskUnless(emitCompare(nested, Comparison::LessOrEqual, keyIndex,
                             emitAdd(nested, row, before),
                             /*isUnsigned=*/false));
    }
    return {score};
  };
  return createGeneric(b, inputs, b.empty(sizes, wide), maps, body)[0];
}

/// Probabilities * V, in the layout of the query operand.
Value AttentionBuilder::createResult(Value probabilities) {
  OpFoldResult heads = b.getSize(query, 1), length = b.getSize(query, 2);
  OpFoldResult group = b.floorDiv(heads, b.getSize(key, 1));
  OpFoldResult rows = b.mul(group, length);
  Value left = collapseHeads(createFloatCast(b, probabilities, type), rows);
  Value right = collapseHeads(value, b.getSize(value, 2));
  auto map = [&](ArrayRef<unsigned> targets) {
    return AffineMap::getMultiDimMapWithTargets(4, targets, b.getContext());
  };
  Value product = createContraction(
      b, left, map({0, 1, 3}), right, map({0, 3, 2}),
      {b.getSize(left, 0), rows, b.getSize(value, 3)}, map({0, 1, 2}));
  product = createFloatCast(b, product, type);
  OpFoldResult batch = b.getSize(query, 0), size = b.getSize(value, 3);
  product = createReshape(b, product, {batch, heads, length, size});
  if (!isPacked)
    return product;
  product = createTranspose(b, product, {0, 2, 1, 3});
  return createReshape(b, product, {batch, length, b.mul(heads, size)});
}

LoweredResults AttentionBuilder::build() {
  Value mask = op.getAttnMask();
  if (!isMissing(mask)) {
    Type maskType = cast<TensorType>(mask.getType()).getElementType();
    if (!maskType.isInteger(1) && !isa<FloatType>(maskType))
      return b.refuse("a mask must be boolean or float");
  }
  auto getHeads = [](std::optional<uint64_t> heads) -> std::optional<int64_t> {
    return heads;
  };
  std::optional<int64_t> queryHeads = getHeads(op.getQNumHeads());
  std::optional<int64_t> keyHeads = getHeads(op.getKvNumHeads());
  if (isPacked && (!queryHeads || !keyHeads))
    return b.refuse("operands of rank 3 need q_num_heads and kv_num_heads");
  query = splitHeads(adaptor.getQ(), queryHeads);
  key =
      appendToPast(adaptor.getPastKey(), splitHeads(adaptor.getK(), keyHeads));
  value = appendToPast(adaptor.getPastValue(),
                       splitHeads(adaptor.getV(), keyHeads));
  past = isMissing(adaptor.getPastKey()) ? OpFoldResult(b.getIndexAttr(0))
                                         : b.getSize(adaptor.getPastKey(), 2);

  Value product = createScoreProduct();
  Value scores = createScores(product, kMasked);
  Value probabilities =
      createSoftmax(b, scores, /*axis=*/3, /*maskedRowsAreZero=*/true);
  SmallVector<Value> results{createResult(probabilities), Value(), Value(),
                             Value()};
  if (!isMissing(op.getPresentKey()))
    results[1] = key;
  if (!isMissing(op.getPresentValue()))
    results[2] = value;
  if (!isMissing(op.getQkMatmulOutput())) {
    int64_t stage = op.getQkMatmulOutputMode();
    Value output = probabilities;
    if (stage != kSoftmax)
      output = stage == kMasked
                   ? scores
                   : createScores(product, static_cast<ScoreStage>(stage));
    results[3] = createFloatCast(b, output, type);
  }
  return results;
}

namespace {
struct AttentionLowering final : OnnxLowering<AttentionOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(AttentionOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    return AttentionBuilder(op, adaptor, b).build();
  }
};
} // namespace

void populateAttentionLowerings(RewritePatternSet &patterns,
                                const TypeConverter &typeConverter,
                                const SymbolicShapes &shapes) {
  patterns.add<AttentionLowering>(typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
