//===- Reshape.cpp - lowering of the ops that keep all elements in order --===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnnxLowering.h"
#include "Structured.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

using Sizes = LoweringBuilder::Sizes;

/// What must be multiplied with `sizes` to have as many elements as `source`.
/// Sizes that occur in both need not be divided at run time.
static OpFoldResult getInferredSize(LoweringBuilder &b, Sizes source,
                                    ArrayRef<OpFoldResult> sizes) {
  Sizes divisors;
  for (OpFoldResult size : sizes) {
    auto same = llvm::find_if(
        source, [&](OpFoldResult other) { return b.isSame(size, other); });
    if (same != source.end())
      source.erase(same);
    else
      divisors.push_back(size);
  }
  OpFoldResult dividend = b.product(source);
  return divisors.empty() ? dividend
                          : b.floorDiv(dividend, b.product(divisors));
}

namespace {
struct ReshapeLowering final : OnnxLowering<ReshapeOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(ReshapeOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override;
};

/// Finds the sizes that a `Reshape` asks for.
class NewShape {
public:
  NewShape(ReshapeOp op, ReshapeOp::Adaptor adaptor, LoweringBuilder &b)
      : op(op), shape(adaptor.getShape()), b(b),
        source(b.getSizes(adaptor.getData())), data(adaptor.getData()),
        type(cast<RankedTensorType>(op.getReshaped().getType())),
        symbols(b.getSymbolicResult()) {}

  LogicalResult compute(Sizes &sizes);

private:
  OpFoldResult getKnownSize(int64_t dim);
  OpFoldResult resolveZero(OpFoldResult element, int64_t dim);
  void resolveMinusOne(Sizes &sizes, ArrayRef<int64_t> candidates);

  ReshapeOp op;
  Value shape;
  LoweringBuilder &b;
  Sizes source;
  Value data;
  RankedTensorType type;
  ArrayRef<AffineExpr> symbols;
};
} // namespace

/// A size that shape inference has found; null if it is not as simple as that.
OpFoldResult NewShape::getKnownSize(int64_t dim) {
  if (!type.isDynamicDim(dim))
    return b.getIndexAttr(type.getDimSize(dim));
  if (symbols.empty())
    return OpFoldResult();
  if (auto constant = dyn_cast<AffineConstantExpr>(symbols[dim]))
    return b.getIndexAttr(constant.getValue());
  for (int64_t other = 0, rank = source.size(); other < rank; ++other)
    if (b.getSymbolicSize(data, other) == symbols[dim])
      return source[other];
  return OpFoldResult();
}

/// An element 0 stands for the size in the same place, unless `allowzero`.
OpFoldResult NewShape::resolveZero(OpFoldResult element, int64_t dim) {
  if (op.getAllowzero() || dim >= static_cast<int64_t>(source.size()))
    return element;
  if (std::optional<int64_t> constant = getConstantIntValue(element))
    return *constant == 0 ? source[dim] : element;
  Value isZero = b.isEqual(element, b.getIndexAttr(0));
  return b.createOrFold<arith::SelectOp>(isZero, b.toValue(source[dim]),
                                         b.toValue(element));
}

/// One of the sizes at `candidates` may be -1 at run time and then follows from
/// the others.
void NewShape::resolveMinusOne(Sizes &sizes, ArrayRef<int64_t> candidates) {
  Value one = b.constantIndex(1);
  SmallVector<Value> isInferred(sizes.size());
  Sizes others = sizes;
  for (int64_t dim : candidates) {
    isInferred[dim] = b.isEqual(sizes[dim], b.getIndexAttr(-1));
    others[dim] = b.createOrFold<arith::SelectOp>(isInferred[dim], one,
                                                  b.toValue(sizes[dim]));
  }
  Value inferred = b.toValue(getInferredSize(b, source, others));
  for (int64_t dim : candidates)
    sizes[dim] = b.createOrFold<arith::SelectOp>(isInferred[dim], inferred,
                                                 b.toValue(others[dim]));
}

LogicalResult NewShape::compute(Sizes &sizes) {
  std::optional<int64_t> inferred;
  SmallVector<int64_t> candidates;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    sizes.push_back(getKnownSize(dim));
    if (sizes.back())
      continue;
    OpFoldResult element = b.getIndexElement(shape, dim);
    if (isConstantIntValue(element, -1)) {
      if (inferred)
        return b.refuse("more than one size is -1");
      inferred = dim;
      continue;
    }
    // An element that is the size of a tensor is meant as it is.
    sizes.back() = element;
    if (b.isNonNegative(shape, dim))
      continue;
    sizes.back() = resolveZero(element, dim);
    if (isa<Value>(element))
      candidates.push_back(dim);
  }
  if (inferred) {
    Sizes others = sizes;
    others.erase(others.begin() + *inferred);
    sizes[*inferred] = getInferredSize(b, source, others);
  } else if (!candidates.empty()) {
    resolveMinusOne(sizes, candidates);
  }
  return success();
}

LoweredResults ReshapeLowering::lower(ReshapeOp op, Adaptor adaptor,
                                      LoweringBuilder &b) const {
  Sizes sizes;
  if (failed(NewShape(op, adaptor, b).compute(sizes)))
    return failure();
  return SmallVector<Value>{
      createReshape(b, adaptor.getData(), sizes, b.getSymbolicResult())};
}

/// The sizes of the op's result; nothing unless all are known.
static std::optional<Sizes> getStaticResult(LoweringBuilder &b) {
  auto type = cast<RankedTensorType>(b.getOp()->getResult(0).getType());
  if (!type.hasStaticShape())
    return std::nullopt;
  return getAsIndexOpFoldResult(b.getContext(), type.getShape());
}

/// The axes that an operand lists, sorted and counted from the front.
static FailureOr<SmallVector<int64_t>> getAxes(LoweringBuilder &b,
                                               Value operand, int64_t rank) {
  std::optional<SmallVector<int64_t>> axes = b.getConstants(operand);
  if (!axes)
    return b.refuse("'axes' must be constant");
  for (int64_t &axis : *axes)
    axis = normalizeAxis(axis, rank);
  llvm::sort(*axes);
  return *axes;
}

namespace {
struct FlattenLowering final : OnnxLowering<FlattenOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(FlattenOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Sizes sizes = b.getSizes(adaptor.getInput());
    int64_t axis = normalizeAxis(op.getAxis(), sizes.size());
    ArrayRef<OpFoldResult> all(sizes);
    return SmallVector<Value>{createReshape(
        b, adaptor.getInput(),
        {b.product(all.take_front(axis)), b.product(all.drop_front(axis))})};
  }
};

struct SqueezeLowering final : OnnxLowering<SqueezeOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(SqueezeOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    Value data = adaptor.getData();
    // If all sizes are known there is nothing to find out about the axes.
    if (std::optional<Sizes> sizes = getStaticResult(b))
      return SmallVector<Value>{createReshape(b, data, *sizes)};
    SmallVector<int64_t> axes;
    if (!isMissing(op.getAxes())) {
      FailureOr<SmallVector<int64_t>> listed =
          getAxes(b, adaptor.getAxes(), getRank(data));
      if (failed(listed))
        return failure();
      axes = *listed;
    } else {
      for (auto [dim, size] : llvm::enumerate(b.getSizes(data)))
        if (isConstantIntValue(size, 1))
          axes.push_back(dim);
      int64_t rank =
          cast<RankedTensorType>(op.getSqueezed().getType()).getRank();
      if (getRank(data) - static_cast<int64_t>(axes.size()) != rank)
        return b.refuse("without 'axes' the sizes that are 1 must be known");
    }
    return SmallVector<Value>{createSqueeze(b, data, axes)};
  }
};

struct UnsqueezeLowering final : OnnxLowering<UnsqueezeOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(UnsqueezeOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    if (std::optional<Sizes> sizes = getStaticResult(b))
      return SmallVector<Value>{createReshape(b, adaptor.getData(), *sizes)};
    int64_t numAxes = getTensorType(adaptor.getAxes()).getNumElements();
    FailureOr<SmallVector<int64_t>> axes =
        getAxes(b, adaptor.getAxes(), getRank(adaptor.getData()) + numAxes);
    if (failed(axes))
      return failure();
    return SmallVector<Value>{createUnsqueeze(b, adaptor.getData(), *axes)};
  }
};

struct IdentityLowering final : OnnxLowering<IdentityOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(IdentityOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    return SmallVector<Value>{adaptor.getInput()};
  }
};

/// At inference nothing is dropped.
struct DropoutLowering final : OnnxLowering<DropoutOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(DropoutOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override {
    if (!isMissing(op.getTrainingMode())) {
      auto isTraining = b.getConstants(adaptor.getTrainingMode());
      if (!isTraining || isTraining->front() != 0)
        return b.refuse("training is not supported");
    }
    Value data = adaptor.getData(), mask;
    if (!isMissing(op.getMask()))
      mask = b.filled(b.getSizes(data), b.constantInt(b.getI1Type(), 1));
    return SmallVector<Value>{data, mask};
  }
};
} // namespace

void populateReshapeLowerings(RewritePatternSet &patterns,
                              const TypeConverter &typeConverter,
                              const SymbolicShapes &shapes) {
  patterns.add<DropoutLowering, FlattenLowering, IdentityLowering,
               ReshapeLowering, SqueezeLowering, UnsqueezeLowering>(
      typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
