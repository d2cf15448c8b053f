//===- Attention.cpp - lowering of scaled dot product attention -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// What ONNX has around attention: heads packed into the last dimension, a cache
// that is appended to, masks that are shorter than the keys, intermediate
// results. The rest is in ScaledDotProduct.cpp, or left to a kernel.
//
//===----------------------------------------------------------------------===//

#include "ElementOps.h"
#include "OnnxLowering.h"
#include "ScaledDotProduct.h"
#include "Structured.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Onnx/IR/OnnxSchema.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>

using namespace mlir;

namespace lowbit::onnx::lowering {

using Sizes = LoweringBuilder::Sizes;

namespace {
class AttentionBuilder {
public:
  AttentionBuilder(AttentionOp op, AttentionOp::Adaptor adaptor,
                   LoweringBuilder &b)
      : op(op), adaptor(adaptor), b(b), type(getElementType(adaptor.getQ())),
        isPacked(getRank(adaptor.getQ()) == 3) {}

  LoweredResults build(bool keepAttention);

private:
  Type getSoftmaxType();
  Value splitHeads(Value tensor, std::optional<int64_t> numHeads);
  Value mergeHeads(Value tensor);
  Value appendToPast(Value past, Value tensor);
  void setLengths();
  OpFoldResult getOffset();
  void setScale();
  Value getMask();
  void setMask();
  bool hasKernel();
  SmallVector<Value> createStored(Value operand, Value floats,
                                  QuantTensorType &quant);
  Value createKernelMask();
  Value createForKernel();

  AttentionOp op;
  AttentionOp::Adaptor adaptor;
  LoweringBuilder &b;
  Type type;
  /// Whether the heads are packed into the last of three dimensions.
  bool isPacked;
  /// Whether all batches have as many keys, and key and value no more of them.
  bool isCutToLength = false;
  ScaledDotProduct attention;
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

/// [b, heads, s, d] -> [b, s, heads * d]
Value AttentionBuilder::mergeHeads(Value tensor) {
  if (!isPacked)
    return tensor;
  OpFoldResult batch = b.getSize(tensor, 0), length = b.getSize(tensor, 2);
  OpFoldResult width = b.mul(b.getSize(tensor, 1), b.getSize(tensor, 3));
  return createReshape(b, createTranspose(b, tensor, {0, 2, 1, 3}),
                       {batch, length, width});
}

Value AttentionBuilder::appendToPast(Value past, Value tensor) {
  return isMissing(past) ? tensor : createConcat(b, {past, tensor}, 2);
}

/// How many of the keys in a cache count. Where the batches agree, the others
/// are left out: the cache is read through a view.
void AttentionBuilder::setLengths() {
  Value lengths = adaptor.getNonpadKvSeqlen();
  if (isMissing(lengths))
    return;
  Value only = b.getOnlyElement(lengths);
  if (!only) {
    attention.lengths = lengths;
    return;
  }
  isCutToLength = true;
  OpFoldResult length = b.toIndex(only);
  b.check(b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::ule,
                                        b.toValue(length),
                                        b.toValue(b.getSize(attention.key, 2))),
          "nonpad_kv_seqlen is not in the range of the keys");
  for (Value *tensor : {&attention.key, &attention.value})
    *tensor = createSlice(b, *tensor, 2, b.getIndexAttr(0), length);
}

/// How many keys come before the first query.
OpFoldResult AttentionBuilder::getOffset() {
  if (!isMissing(adaptor.getPastKey()))
    return b.getSize(adaptor.getPastKey(), 2);
  // With lengths the queries are the last keys.
  return isCutToLength
             ? b.sub(b.getSize(attention.key, 2), b.getSize(attention.query, 2))
             : OpFoldResult(b.getIndexAttr(0));
}

void AttentionBuilder::setScale() {
  if (op.getScale()) {
    attention.scale = b.constant(attention.wide, *op.getScale());
    return;
  }
  OpFoldResult size = b.getSize(attention.query, 3);
  if (std::optional<int64_t> known = getConstantIntValue(size)) {
    attention.scale = b.constant(
        attention.wide, attention.wide.isF64()
                            ? 1 / std::sqrt(static_cast<double>(*known))
                            : 1 / std::sqrt(static_cast<float>(*known)));
    return;
  }
  Value headSize = b.fromIndex(size, attention.wide);
  attention.scale = emitDiv(b, b.constant(attention.wide, 1),
                            b.createOrFold<math::SqrtOp>(headSize), false);
}

/// The mask, with as many columns as there are keys; null if there is none.
Value AttentionBuilder::getMask() {
  Value mask = adaptor.getAttnMask();
  if (isMissing(mask))
    return Value();
  int64_t last = getRank(mask) - 1;
  OpFoldResult total = b.getSize(attention.key, 2);
  if (isCutToLength) {
    b.check(b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::uge,
                                          b.toValue(b.getSize(mask, last)),
                                          b.toValue(total)),
            "the mask has fewer columns than there are keys");
    return createSlice(b, mask, last, b.getIndexAttr(0), total);
  }
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

void AttentionBuilder::setMask() {
  Value mask = getMask();
  if (!mask)
    return;
  Sizes scores{b.getSize(attention.query, 0), b.getSize(attention.query, 1),
               b.getSize(attention.query, 2), b.getSize(attention.key, 2)};
  std::tie(attention.mask, attention.maskMap) =
      broadcastOperand(b, mask, scores);
}

/// Whether `lowbit.attention` can say all of this and its kernels compute it.
bool AttentionBuilder::hasKernel() {
  auto isKnown = [](Value tensor) {
    RankedTensorType type = getTensorType(tensor);
    return !type.isDynamicDim(1) && !type.isDynamicDim(3);
  };
  return type.isF32() && attention.wide.isF32() && !attention.lengths &&
         isMissing(op.getQkMatmulOutput()) && isKnown(attention.query) &&
         isKnown(attention.key) && isKnown(attention.value) &&
         matchPattern(attention.scale, m_Constant()) &&
         (!attention.mask || type == getElementType(attention.mask) ||
          getElementType(attention.mask).isInteger(1));
}

/// The mask with four dimensions, those that it broadcasts along of size 1, and
/// elements that a vector can be loaded of.
Value AttentionBuilder::createKernelMask() {
  Value mask = attention.mask;
  if (!mask)
    return Value();
  Type maskType = getElementType(mask);
  if (maskType.isInteger(1)) {
    maskType = b.getI8Type();
    mask = createElementwise(
        b, mask, maskType,
        [&](ImplicitLocOpBuilder &nested, ValueRange args) -> Value {
          return arith::ExtUIOp::create(nested, maskType, args[0]);
        });
  }
  SmallVector<int64_t> shape(getTensorType(mask).getShape());
  for (auto [size, expr] :
       llvm::zip_equal(shape, attention.maskMap.getResults()))
    if (isa<AffineConstantExpr>(expr))
      size = 1;
  mask = b.castTensor(mask, RankedTensorType::get(shape, maskType));
  return createUnsqueeze(
      b, mask, llvm::to_vector(llvm::seq<int64_t>(0, 4 - getRank(mask))));
}

/// Keys or values as a kernel reads them: if `operand` is a tensor that is
/// dequantized, the components of that, as long as `floats`, in the type that
/// `quant` becomes.
SmallVector<Value> AttentionBuilder::createStored(Value operand, Value floats,
                                                  QuantTensorType &quant) {
  auto dequantize = operand.getDefiningOp<lowbit::DequantizeOp>();
  if (isPacked || !dequantize ||
      !lowbit::AttentionOp::canRead(dequantize.getInput().getType()) ||
      !(isCutToLength || operand == floats))
    return {floats};
  QuantTensorType stored = dequantize.getInput().getType();
  SmallVector<Value> components(
      lowbit::DisassembleOp::create(b, dequantize.getInput()).getComponents());
  if (isCutToLength)
    for (Value &component : components)
      component =
          createSlice(b, component, 2, b.getIndexAttr(0), b.getSize(floats, 2));
  quant = cast<QuantTensorType>(
      stored.cloneWith(getTensorType(floats).getShape(), type));
  return components;
}

Value AttentionBuilder::createForKernel() {
  Sizes sizes{b.getSize(attention.query, 0), b.getSize(attention.query, 1),
              b.getSize(attention.query, 2), b.getSize(attention.value, 3)};
  Value init = b.empty(sizes, type);
  FloatAttr scale, softcap;
  matchPattern(attention.scale, m_Constant(&scale));
  if (attention.softcap != 0)
    softcap = b.getF32FloatAttr(attention.softcap);
  QuantTensorType keyType, valueType;
  SmallVector<Value> key = createStored(adaptor.getK(), attention.key, keyType);
  SmallVector<Value> value =
      createStored(adaptor.getV(), attention.value, valueType);
  auto getAttr = [](QuantTensorType quant) {
    return quant ? TypeAttr::get(quant) : TypeAttr();
  };
  return lowbit::AttentionOp::create(
             b, init.getType(), attention.query, key, value, createKernelMask(),
             attention.isCausal ? attention.offset : Value(), init,
             getAttr(keyType), getAttr(valueType), scale, softcap)
      .getResult();
}

LoweredResults AttentionBuilder::build(bool keepAttention) {
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
  attention.wide = getSoftmaxType();
  attention.query = splitHeads(adaptor.getQ(), queryHeads);
  attention.key =
      appendToPast(adaptor.getPastKey(), splitHeads(adaptor.getK(), keyHeads));
  attention.value = appendToPast(adaptor.getPastValue(),
                                 splitHeads(adaptor.getV(), keyHeads));
  attention.softcap = op.getSoftcap();
  SmallVector<Value> results{Value(), Value(), Value(), Value()};
  if (!isMissing(op.getPresentKey()))
    results[1] = attention.key;
  if (!isMissing(op.getPresentValue()))
    results[2] = attention.value;
  setLengths();
  setScale();
  setMask();
  attention.isCausal = op.getIsCausal();
  if (attention.isCausal)
    attention.offset = b.toValue(getOffset());

  if (keepAttention && hasKernel()) {
    results[0] = mergeHeads(createForKernel());
    return results;
  }
  Value product = attention.createProduct(b);
  Value scores = attention.createScores(b, product, kMasked);
  Value probabilities = attention.createProbabilities(b, scores);
  results[0] = mergeHeads(attention.createResult(b, probabilities));
  if (!isMissing(op.getQkMatmulOutput())) {
    int64_t stage = op.getQkMatmulOutputMode();
    Value output = probabilities;
    if (stage != kSoftmax)
      output = stage == kMasked
                   ? scores
                   : attention.createScores(b, product,
                                            static_cast<ScoreStage>(stage));
    results[3] = createFloatCast(b, output, type);
  }
  return results;
}

namespace {
struct AttentionLowering final : OnnxLowering<AttentionOp> {
  AttentionLowering(const TypeConverter &typeConverter, MLIRContext *context,
                    const SymbolicShapes &shapes, bool keepAttention)
      : OnnxLowering(typeConverter, context, shapes),
        keepAttention(keepAttention) {}

  LoweredResults lower(AttentionOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    return AttentionBuilder(op, adaptor, b).build(keepAttention);
  }

private:
  bool keepAttention;
};
} // namespace

void populateAttentionLowerings(RewritePatternSet &patterns,
                                const TypeConverter &typeConverter,
                                const SymbolicShapes &shapes,
                                bool keepAttention) {
  patterns.add<AttentionLowering>(typeConverter, patterns.getContext(), shapes,
                                  keepAttention);
}

} // namespace lowbit::onnx::lowering
