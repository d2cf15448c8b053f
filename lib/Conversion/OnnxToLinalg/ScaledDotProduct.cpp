//===- ScaledDotProduct.cpp - attention as structured ops -----------------===//
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
// Scaling, soft cap and all masks are one pass over the scores. The kernels for
// `lowbit.attention` are tested against this.
//
//===----------------------------------------------------------------------===//

#include "ScaledDotProduct.h"
#include "ElementOps.h"
#include "Structured.h"
#include "lowbit/Conversion/OnnxToLinalg/AttentionReference.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace lowbit::onnx;
using namespace lowbit::onnx::lowering;

OpFoldResult ScaledDotProduct::getRowsPerKeyHead(LoweringBuilder &b) const {
  OpFoldResult group = b.floorDiv(b.getSize(query, 1), b.getSize(key, 1));
  return b.mul(group, b.getSize(query, 2));
}

Value ScaledDotProduct::collapseHeads(LoweringBuilder &b, Value tensor,
                                      OpFoldResult rows) const {
  OpFoldResult batch = b.mul(b.getSize(key, 0), b.getSize(key, 1));
  return createReshape(b, tensor,
                       {batch, rows, b.getSize(tensor, getRank(tensor) - 1)});
}

static AffineMap getContractionMap(LoweringBuilder &b,
                                   ArrayRef<unsigned> targets) {
  return AffineMap::getMultiDimMapWithTargets(4, targets, b.getContext());
}

Value ScaledDotProduct::createProduct(LoweringBuilder &b) const {
  Value left = collapseHeads(b, query, getRowsPerKeyHead(b));
  Value right = collapseHeads(b, key, b.getSize(key, 2));
  Value product = createContraction(
      b, left, getContractionMap(b, {0, 1, 3}), right,
      getContractionMap(b, {0, 2, 3}),
      {b.getSize(left, 0), b.getSize(left, 1), b.getSize(key, 2)},
      getContractionMap(b, {0, 1, 2}));
  product = createReshape(b, product,
                          {b.getSize(query, 0), b.getSize(query, 1),
                           b.getSize(query, 2), b.getSize(key, 2)});
  return createFloatCast(b, product, wide);
}

Value ScaledDotProduct::createScores(LoweringBuilder &b, Value product,
                                     ScoreStage stage) const {
  LoweringBuilder::Sizes sizes = b.getSizes(product);
  AffineMap identity = b.getMultiDimIdentityMap(4);
  SmallVector<Value> inputs{product};
  SmallVector<AffineMap> maps{identity};
  bool isMasked = stage >= kMasked;
  bool hasMask = isMasked && mask;
  if (hasMask) {
    inputs.push_back(mask);
    maps.push_back(maskMap);
  }
  bool hasLengths = isMasked && lengths;
  if (hasLengths) {
    inputs.push_back(lengths);
    maps.push_back(AffineMap::get(4, 0, b.getAffineDimExpr(0)));
  }
  maps.push_back(identity);

  Value queryLength = b.toValue(sizes[2]);
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
    if (hasMask) {
      Type maskType = getElementType(mask);
      if (maskType.isInteger(1))
        maskUnless(args[1]);
      else if (maskType.isInteger())
        maskUnless(arith::CmpIOp::create(nested, arith::CmpIPredicate::ne,
                                         args[1],
                                         emitConstant(nested, maskType, 0)));
      else
        score = emitAdd(nested, score, emitFloatCast(nested, args[1], wide));
    }
    Value keyIndex, length;
    if (isMasked && (isCausal || hasLengths))
      keyIndex = linalg::IndexOp::create(nested, 3);
    if (hasLengths) {
      length = arith::IndexCastOp::create(nested, nested.getIndexType(),
                                          args.drop_back().back());
      maskUnless(emitCompare(nested, Comparison::Less, keyIndex, length,
                             /*isUnsigned=*/false));
    }
    if (isMasked && isCausal) {
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

Value ScaledDotProduct::createProbabilities(LoweringBuilder &b,
                                            Value scores) const {
  return createSoftmax(b, scores, /*axis=*/3, /*maskedRowsAreZero=*/true);
}

Value ScaledDotProduct::createResult(LoweringBuilder &b,
                                     Value probabilities) const {
  Type type = getElementType(query);
  OpFoldResult rows = getRowsPerKeyHead(b);
  Value left = collapseHeads(b, createFloatCast(b, probabilities, type), rows);
  Value right = collapseHeads(b, value, b.getSize(value, 2));
  Value product =
      createContraction(b, left, getContractionMap(b, {0, 1, 3}), right,
                        getContractionMap(b, {0, 3, 2}),
                        {b.getSize(left, 0), rows, b.getSize(value, 3)},
                        getContractionMap(b, {0, 1, 2}));
  product = createFloatCast(b, product, type);
  return createReshape(b, product,
                       {b.getSize(query, 0), b.getSize(query, 1),
                        b.getSize(query, 2), b.getSize(value, 3)});
}

Value lowbit::buildAttentionReference(OpBuilder &builder, AttentionOp op,
                                      Value key, Value value) {
  // Nothing is known of sizes but what the types say.
  SymbolicShapes shapes(op.getContext());
  LoweringBuilder b(op, op->getOperands(), builder, shapes);
  ScaledDotProduct attention;
  attention.query = op.getQuery();
  attention.key = key;
  attention.value = value;
  attention.wide = getAccumulatorType(getElementType(op.getQuery()));
  attention.scale = b.constant(attention.wide, op.getScale().convertToDouble());
  if (op.getSoftcap())
    attention.softcap = op.getSoftcap()->convertToDouble();
  attention.isCausal = bool(op.getOffset());
  attention.offset = op.getOffset();
  if ((attention.mask = op.getMask())) {
    SmallVector<AffineExpr> exprs;
    for (auto [dim, size] :
         llvm::enumerate(getTensorType(attention.mask).getShape()))
      exprs.push_back(size == 1 ? b.getAffineConstantExpr(0)
                                : b.getAffineDimExpr(dim));
    attention.maskMap = AffineMap::get(4, 0, exprs, b.getContext());
  }
  Value scores = attention.createScores(b, attention.createProduct(b), kMasked);
  return attention.createResult(b, attention.createProbabilities(b, scores));
}
