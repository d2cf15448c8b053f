//===- LowbitToLinalg.cpp - the reference lowering ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every operation decodes its quantized operands, whole, by a linalg.generic
// whose body the format builds, and then computes in float. Nothing here knows
// a format or is fast; kernels do and are, and are tested against this. Their
// door is a packed weight, which makes a matmul a `lowbit.packed_matmul`.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/LowbitToLinalg/LowbitToLinalg.h"
#include "FlattenRows.h"
#include "LowerHadamard.h"
#include "LowerOutliers.h"
#include "lowbit/Conversion/LowbitToLinalg/Passes.h"
#include "lowbit/Conversion/OnnxToLinalg/AttentionReference.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/BuiltinOps.h"

namespace lowbit {
#define GEN_PASS_DEF_LOWBITTOLINALG
#include "lowbit/Conversion/LowbitToLinalg/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

using BodyBuilder = llvm::function_ref<Value(OpBuilder &, ValueRange inputs,
                                             ValueRange indices)>;

/// A tensor whose elements `body` computes from the elements of `inputs`, which
/// `maps` index, and from the loop indices.
static Value buildGeneric(OpBuilder &builder, Location loc, Type elementType,
                          ArrayRef<OpFoldResult> sizes, ValueRange inputs,
                          ArrayRef<AffineMap> maps, BodyBuilder body) {
  const int64_t rank = sizes.size();
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, elementType);
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(builder.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, empty.getType(), inputs, empty, allMaps, iterators,
             [&](OpBuilder &nested, Location loc, ValueRange arguments) {
               SmallVector<Value> indices;
               for (int64_t dim = 0; dim < rank; ++dim)
                 indices.push_back(linalg::IndexOp::create(nested, loc, dim));
               linalg::YieldOp::create(
                   nested, loc, body(nested, arguments.drop_back(), indices));
             })
      .getResult(0);
}

/// The float tensor that `components` store.
static Value buildDequantize(OpBuilder &builder, Location loc,
                             QuantTensorType type, ValueRange components) {
  // Dynamic dimensions are the same in the first component.
  SmallVector<OpFoldResult> sizes;
  for (auto [dim, size] : llvm::enumerate(type.getShape()))
    sizes.push_back(
        ShapedType::isDynamic(size)
            ? tensor::getMixedSize(builder, loc, components.front(), dim)
            : OpFoldResult(builder.getIndexAttr(size)));
  return buildGeneric(
      builder, loc, type.getElementType(), sizes, /*inputs=*/{}, /*maps=*/{},
      [&](OpBuilder &nested, ValueRange, ValueRange indices) {
        return type.getFormat().buildDecode(
            nested, loc, type.getExpressedType(), components, indices);
      });
}

/// `value` in the more or less static type that its users were given.
static Value castTo(OpBuilder &builder, Location loc, Value value, Type type) {
  if (value.getType() == type)
    return value;
  return tensor::CastOp::create(builder, loc, type, value);
}

/// `values`, of one quantized tensor, in the types of its components.
static SmallVector<Value> castToComponents(OpBuilder &builder, Location loc,
                                           ValueRange values,
                                           QuantTensorType type) {
  SmallVector<Value> components;
  for (auto [value, componentType] :
       llvm::zip_equal(values, type.getComponentTypes()))
    components.push_back(castTo(builder, loc, value, componentType));
  return components;
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {
struct LowerConstant final : OpConversionPattern<ConstantOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ConstantOp op, OneToNOpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    // Code that runs does not check indices.
    if (failed(op.verifyContents()))
      return failure();
    SmallVector<Value> components;
    for (TypedAttr value : op.getComponentValues())
      components.push_back(WeightOp::create(rewriter, op.getLoc(), value));
    rewriter.replaceOpWithMultiple(op, SmallVector<ValueRange>{components});
    return success();
  }
};

struct LowerAssemble final : OpConversionPattern<AssembleOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(AssembleOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> components = castToComponents(
        rewriter, op.getLoc(), adaptor.getComponents(), op.getType());
    rewriter.replaceOpWithMultiple(op, SmallVector<ValueRange>{components});
    return success();
  }
};

struct LowerDisassemble final : OpConversionPattern<DisassembleOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(DisassembleOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> components;
    for (auto [value, result] :
         llvm::zip_equal(adaptor.getInput(), op.getComponents()))
      components.push_back(
          castTo(rewriter, op.getLoc(), value, result.getType()));
    rewriter.replaceOp(op, components);
    return success();
  }
};

/// Fails for `reason` where the format could not build the components.
LogicalResult replaceWithComponents(Operation *op,
                                    FailureOr<SmallVector<Value>> components,
                                    StringRef reason,
                                    ConversionPatternRewriter &rewriter) {
  if (failed(components))
    return rewriter.notifyMatchFailure(op, reason);
  rewriter.replaceOpWithMultiple(op, SmallVector<ValueRange>{*components});
  return success();
}

/// `lowbit.quantize` and `lowbit.dynamic_quantize` compute the same.
template <typename OpTy>
struct LowerQuantize final : OpConversionPattern<OpTy> {
  using OpConversionPattern<OpTy>::OpConversionPattern;
  LogicalResult
  matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    return replaceWithComponents(
        op,
        op.getType().getFormat().buildEncode(rewriter, op.getLoc(),
                                             adaptor.getInput()),
        "the format has no encoder that runs in the model", rewriter);
  }
};

struct LowerStaticQuantize final : OpConversionPattern<StaticQuantizeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(StaticQuantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    return replaceWithComponents(op,
                                 op.getType().getFormat().buildEncodeWithScale(
                                     rewriter, op.getLoc(), adaptor.getInput(),
                                     op.getScale().convertToFloat()),
                                 "the format has no encoder that takes a scale",
                                 rewriter);
  }
};

/// Levels are what codes decode to with scales of 1.
struct LowerWiden final : OpConversionPattern<WidenOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(WidenOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    QuantTensorType from = op.getInput().getType();
    auto f32 = rewriter.getF32Type();
    Value codes = adaptor.getInput()[0], scales = adaptor.getInput()[1];
    auto scalesType = cast<RankedTensorType>(scales.getType());
    Value one = arith::ConstantOp::create(
        rewriter, loc, rewriter.getFloatAttr(scalesType.getElementType(), 1));
    SmallVector<OpFoldResult> groups =
        tensor::getMixedSizes(rewriter, loc, scales);
    Value ones = linalg::FillOp::create(
                     rewriter, loc, one,
                     Value(tensor::EmptyOp::create(
                         rewriter, loc, groups, scalesType.getElementType())))
                     .getResult(0);
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(rewriter, loc, codes);
    sizes.back() = rewriter.getIndexAttr(from.getShape().back());
    Value bytes = buildGeneric(
        rewriter, loc, rewriter.getI8Type(), sizes, /*inputs=*/{}, /*maps=*/{},
        [&](OpBuilder &nested, ValueRange, ValueRange indices) -> Value {
          Value level = from.getFormat().buildDecode(
              nested, loc, RankedTensorType::get(from.getShape(), f32),
              {codes, ones}, indices);
          return arith::FPToSIOp::create(nested, loc, nested.getI8Type(),
                                         level);
        });
    if (scalesType.getElementType() != f32)
      scales = buildGeneric(
          rewriter, loc, f32, groups, scales,
          rewriter.getMultiDimIdentityMap(scalesType.getRank()),
          [&](OpBuilder &nested, ValueRange values, ValueRange) -> Value {
            return arith::ExtFOp::create(nested, loc, f32, values.front());
          });
    SmallVector<Value> components =
        castToComponents(rewriter, loc, {bytes, scales}, op.getType());
    rewriter.replaceOpWithMultiple(op, SmallVector<ValueRange>{components});
    return success();
  }
};

struct LowerDequantize final : OpConversionPattern<DequantizeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(DequantizeOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, buildDequantize(rewriter, op.getLoc(),
                                           op.getInput().getType(),
                                           adaptor.getInput()));
    return success();
  }
};

struct LowerMatmul final : OpConversionPattern<MatmulOp> {
  LowerMatmul(const TypeConverter &converter, MLIRContext *context,
              bool keepMatmul)
      : OpConversionPattern(converter, context), keepMatmul(keepMatmul) {}
  LogicalResult
  matchAndRewrite(MatmulOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    QuantTensorType weightType = op.getWeight().getType();
    const int64_t outputs = weightType.getDimSize(0);
    auto quantInput = dyn_cast<QuantTensorType>(op.getInput().getType());
    SmallVector<Value> input(adaptor.getInput());
    if (quantInput && !weightType.getLayout()) {
      input = {buildDequantize(rewriter, loc, quantInput, input)};
      quantInput = {};
    }

    // All dimensions but the last become the rows of a matrix.
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(rewriter, loc, input.front());
    sizes.back() = rewriter.getIndexAttr(outputs);
    for (Value &component : input)
      component = flattenRows(rewriter, loc, component);
    Value empty = tensor::EmptyOp::create(
        rewriter, loc,
        {tensor::getMixedSize(rewriter, loc, input.front(), 0), sizes.back()},
        weightType.getElementType());

    Value bias = op.getBias() ? adaptor.getBias().front() : Value();
    Value result;
    if (weightType.getLayout() || keepMatmul) {
      result = buildPackedMatmul(rewriter, loc, input, quantInput,
                                 adaptor.getWeight(), weightType, bias, empty,
                                 op.getTuningsAttr());
    } else {
      Value weight =
          buildDequantize(rewriter, loc, weightType, adaptor.getWeight());
      result =
          linalg::MatmulTransposeBOp::create(
              rewriter, loc, empty.getType(), ValueRange{input.front(), weight},
              buildInit(rewriter, loc, bias, empty))
              ->getResult(0);
    }
    SmallVector<int64_t> shape(
        cast<ShapedType>(op.getInput().getType()).getShape());
    shape.back() = outputs;
    result = unflattenRows(rewriter, loc, result, shape, sizes);
    rewriter.replaceOp(op, castTo(rewriter, loc, result, op.getType()));
    return success();
  }

private:
  bool keepMatmul;

  /// What the products are added to: the bias in each row, or zero.
  static Value buildInit(OpBuilder &builder, Location loc, Value bias,
                         Value empty) {
    if (bias)
      return linalg::BroadcastOp::create(builder, loc, bias, empty,
                                         /*dimensions=*/ArrayRef<int64_t>{0})
          ->getResult(0);
    Type elementType = cast<RankedTensorType>(empty.getType()).getElementType();
    Value zero = arith::ConstantOp::create(
        builder, loc, builder.getFloatAttr(elementType, 0));
    return linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
  }

  /// `quantInput` is null for a float input.
  static Value buildPackedMatmul(OpBuilder &builder, Location loc,
                                 ValueRange input, QuantTensorType quantInput,
                                 ValueRange weight, QuantTensorType weightType,
                                 Value bias, Value init, ArrayAttr tunings) {
    TypeAttr inputType;
    if (quantInput)
      inputType = TypeAttr::get(quantInput.cloneWith(
          ArrayRef<int64_t>{
              cast<RankedTensorType>(init.getType()).getDimSize(0),
              quantInput.getShape().back()},
          quantInput.getElementType()));
    return PackedMatmulOp::create(builder, loc, init.getType(), input, weight,
                                  bias, init, inputType,
                                  TypeAttr::get(weightType), tunings)
        .getResult();
  }
};

/// A loop for each result over the outliers of its row: sums do not depend on
/// how the results are shared out among threads.
struct LowerSparseMatmul final : OpConversionPattern<SparseMatmulOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(SparseMatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = op.getInit().getType();
    const int64_t rank = type.getRank();
    SmallVector<utils::IteratorType> iterators(rank,
                                               utils::IteratorType::parallel);
    auto generic = linalg::GenericOp::create(
        rewriter, op.getLoc(), type, ValueRange(), adaptor.getInit(),
        rewriter.getMultiDimIdentityMap(rank), iterators,
        [&](OpBuilder &nested, Location loc, ValueRange arguments) {
          SmallVector<Value> indices;
          for (int64_t dim = 0; dim < rank; ++dim)
            indices.push_back(linalg::IndexOp::create(nested, loc, dim));
          Value sum = buildRowSum(nested, loc, adaptor, indices);
          Value result =
              arith::AddFOp::create(nested, loc, arguments.front(), sum);
          linalg::YieldOp::create(nested, loc, result);
        });
    rewriter.replaceOp(op, generic.getResult(0));
    return success();
  }

private:
  /// The product of a row of the input and a row of the weight; `indices` are
  /// of the result.
  static Value buildRowSum(OpBuilder &builder, Location loc, OpAdaptor op,
                           SmallVector<Value> indices) {
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    Value row = indices.back();
    Value nextRow = arith::AddIOp::create(builder, loc, row, one);
    auto getIndex = [&](OpBuilder &b, Value tensor, Value place) -> Value {
      Value stored = tensor::ExtractOp::create(b, loc, tensor, place);
      return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), stored);
    };
    Type type = cast<RankedTensorType>(op.getInit().getType()).getElementType();
    Value zero =
        arith::ConstantOp::create(builder, loc, builder.getFloatAttr(type, 0));
    auto loop = scf::ForOp::create(
        builder, loc, getIndex(builder, op.getOffsets(), row),
        getIndex(builder, op.getOffsets(), nextRow), one, zero,
        [&](OpBuilder &b, Location loc, Value place, ValueRange sums) {
          indices.back() = getIndex(b, op.getColumns(), place);
          Value input =
              tensor::ExtractOp::create(b, loc, op.getInput(), indices);
          Value value =
              tensor::ExtractOp::create(b, loc, op.getValues(), place);
          value = convertScalarToDtype(b, loc, value, type,
                                       /*isUnsignedCast=*/false);
          Value product = arith::MulFOp::create(b, loc, input, value);
          Value sum = arith::AddFOp::create(b, loc, sums.front(), product);
          scf::YieldOp::create(b, loc, sum);
        });
    return loop.getResult(0);
  }
};

struct LowerGather final : OpConversionPattern<GatherOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(GatherOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    QuantTensorType type = op.getTable().getType();
    Value indices = adaptor.getIndices().front();
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(rewriter, loc, indices);
    sizes.push_back(rewriter.getIndexAttr(type.getDimSize(1)));
    Value numRows = getValueOrCreateConstantIndexOp(
        rewriter, loc,
        ShapedType::isDynamic(type.getDimSize(0))
            ? tensor::getMixedSize(rewriter, loc, adaptor.getTable().front(), 0)
            : OpFoldResult(rewriter.getIndexAttr(type.getDimSize(0))));

    const int64_t rank = sizes.size();
    AffineMap indicesMap =
        rewriter.getMultiDimIdentityMap(rank).dropResult(rank - 1);
    Value result = buildGeneric(
        rewriter, loc, type.getElementType(), sizes, indices, indicesMap,
        [&](OpBuilder &nested, ValueRange inputs, ValueRange loops) -> Value {
          Value row = inputs.front();
          if (!row.getType().isIndex())
            row = arith::IndexCastOp::create(nested, loc, nested.getIndexType(),
                                             row);
          Value zero = arith::ConstantIndexOp::create(nested, loc, 0);
          Value fromEnd = arith::AddIOp::create(nested, loc, row, numRows);
          Value isNegative = arith::CmpIOp::create(
              nested, loc, arith::CmpIPredicate::slt, row, zero);
          row = arith::SelectOp::create(nested, loc, isNegative, fromEnd, row);
          return type.getFormat().buildDecode(
              nested, loc, type.getExpressedType(), adaptor.getTable(),
              {row, loops.back()});
        });
    rewriter.replaceOp(op, castTo(rewriter, loc, result, op.getType()));
    return success();
  }
};
} // namespace

namespace {
struct LowerAttention final : OpConversionPattern<AttentionOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(AttentionOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!op.getResult())
      return rewriter.notifyMatchFailure(op, "is on buffers");
    auto getFloats = [&](std::optional<QuantTensorType> quant,
                         ValueRange components) -> Value {
      return quant ? buildDequantize(rewriter, op.getLoc(), *quant, components)
                   : components.front();
    };
    Value result = buildAttentionReference(
        rewriter, op, getFloats(op.getKeyType(), op.getKey()),
        getFloats(op.getValueType(), op.getValue()));
    rewriter.replaceOp(
        op, castTo(rewriter, op.getLoc(), result, op.getResult().getType()));
    return success();
  }
};
} // namespace

ComponentTypeConverter::ComponentTypeConverter() {
  addConversion([](Type type) { return type; });
  addConversion([](QuantTensorType type, SmallVectorImpl<Type> &results) {
    results = type.getComponentTypes();
    return success();
  });
  addSourceMaterialization([](OpBuilder &builder, QuantTensorType type,
                              ValueRange components, Location loc) -> Value {
    return AssembleOp::create(builder, loc, type, components);
  });
}

void lowbit::populateLowbitToLinalgPatterns(
    const ComponentTypeConverter &converter, RewritePatternSet &patterns,
    bool keepMatmul) {
  patterns.add<LowerConstant, LowerAssemble, LowerDisassemble,
               LowerQuantize<QuantizeOp>, LowerQuantize<DynamicQuantizeOp>,
               LowerStaticQuantize, LowerWiden, LowerDequantize, LowerGather,
               LowerSparseMatmul>(converter, patterns.getContext());
  patterns.add<LowerMatmul>(converter, patterns.getContext(), keepMatmul);
  populateHadamardPatterns(patterns);
  populateOutlierPatterns(converter, patterns);
}

//===----------------------------------------------------------------------===//
// Pass
//===----------------------------------------------------------------------===//

namespace {
struct LowbitToLinalgPass final
    : lowbit::impl::LowbitToLinalgBase<LowbitToLinalgPass> {
  using LowbitToLinalgBase::LowbitToLinalgBase;
  void runOnOperation() override {
    MLIRContext &context = getContext();
    ComponentTypeConverter converter;
    ConversionTarget target(context);
    target.markUnknownOpDynamicallyLegal(
        [&](Operation *op) { return converter.isLegal(op); });
    // Their operands have types that may stay.
    target.addIllegalOp<FindOutliersOp, HadamardOp, SparseMatmulOp,
                        SplitColumnsOp>();
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return converter.isSignatureLegal(op.getFunctionType()) &&
             converter.isLegal(&op.getBody());
    });
    RewritePatternSet patterns(&context);
    populateLowbitToLinalgPatterns(converter, patterns, keepMatmul);
    if (!keepAttention) {
      target.addDynamicallyLegalOp<AttentionOp>(
          [](AttentionOp op) { return !op.getResult(); });
      patterns.add<LowerAttention>(&context);
    }
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                   converter);
    populateReturnOpTypeConversionPattern(patterns, converter);
    populateCallOpTypeConversionPattern(patterns, converter);
    scf::populateSCFStructuralTypeConversions(converter, patterns);
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
