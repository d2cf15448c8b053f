//===- CausalMask.cpp - which masks hide the future -----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exporters write causal masks in many ways: comparing two ranges, triangles of
// ones or of infinities, slices of a constant table. Instead of listing them,
// this evaluates one element of the mask symbolically: with the indices as
// affine dimensions, a comparison of ranges is an inequality between affine
// expressions, and the mask is causal if that is key > query.
//
//===----------------------------------------------------------------------===//

#include "CausalMask.h"
#include "Matchers.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Dialect/Onnx/IR/SymbolicArithmetic.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace lowbit;
using namespace lowbit::onnx;

std::optional<double> lowbit::onnx::getUniformValue(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return std::nullopt;
  if (std::optional<double> scalar = getScalar(value))
    return scalar;
  DenseElementsAttr dense;
  if (auto fill = dyn_cast<ConstantOfShapeOp>(op)) {
    dense = dyn_cast_or_null<DenseElementsAttr>(fill.getValueAttr());
    // Zero if nothing else is said.
    if (!fill.getValueAttr())
      return 0.0;
  } else {
    matchPattern(value, m_Constant(&dense));
  }
  if (dense && dense.isSplat()) {
    if (isa<FloatType>(dense.getElementType()))
      return dense.getSplatValue<APFloat>().convertToDouble();
    if (dense.getElementType().isInteger(1))
      return dense.getSplatValue<APInt>().getZExtValue();
    if (isa<IntegerType>(dense.getElementType()))
      return dense.getSplatValue<APInt>().getSExtValue();
  }
  if (auto expand = dyn_cast<ExpandOp>(op))
    return getUniformValue(expand.getInput());
  if (auto cast = dyn_cast<CastOp>(op))
    if (getFloatElementType(cast.getOutput()))
      return getUniformValue(cast.getInput());
  return std::nullopt;
}

namespace {
/// Evaluates one element of a tensor, at indices that are affine expressions.
/// Null stands for what cannot be told.
class ElementEvaluator {
public:
  explicit ElementEvaluator(const SymbolicShapes &shapes) : shapes(shapes) {}

  using Index = SmallVector<AffineExpr>;

  /// An integer, or a float that was one.
  AffineExpr evaluateInteger(Value value, const Index &index);
  /// An expression that is >= 0 exactly where the element is true (not zero).
  AffineExpr evaluateTruth(Value value, const Index &index);
  /// An expression that is >= 0 exactly where an additive mask hides.
  AffineExpr evaluateMasked(Value value, const Index &index);

private:
  /// Where an op that only moves elements takes the one at `index` from.
  std::optional<std::pair<Value, Index>> lookThrough(Value value,
                                                     const Index &index);
  std::optional<Index> lookThroughReshape(Value from, Value to,
                                          const Index &index);
  std::optional<Index> lookThroughSlice(SliceOp op, const Index &index);
  /// The index into an operand that is broadcast.
  Index getOperandIndex(Value operand, const Index &index);
  AffineExpr evaluateTriangle(Value value, const Index &index);
  AffineExpr evaluateConstantTriangle(Value value, const Index &index);
  AffineExpr negate(AffineExpr truth) {
    return truth ? normalizeExpression(-truth - 1) : AffineExpr();
  }

  const SymbolicShapes &shapes;
};
} // namespace

ElementEvaluator::Index ElementEvaluator::getOperandIndex(Value operand,
                                                          const Index &index) {
  Index result;
  std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(operand);
  if (!dims || dims->size() > index.size())
    return result;
  size_t offset = index.size() - dims->size();
  for (auto [axis, dim] : llvm::enumerate(*dims))
    result.push_back(dim == shapes.getConstant(1) ? shapes.getConstant(0)
                                                  : index[offset + axis]);
  return result;
}

/// Between shapes that differ in dimensions of size 1 only.
std::optional<ElementEvaluator::Index>
ElementEvaluator::lookThroughReshape(Value from, Value to, const Index &index) {
  std::optional<ArrayRef<AffineExpr>> source = shapes.getDims(from);
  std::optional<ArrayRef<AffineExpr>> target = shapes.getDims(to);
  if (!source || !target || target->size() != index.size())
    return std::nullopt;
  AffineExpr one = shapes.getConstant(1);
  Index result;
  size_t next = 0;
  auto skipOnes = [&] {
    while (next < target->size() && (*target)[next] == one)
      ++next;
  };
  for (AffineExpr dim : *source) {
    if (dim == one) {
      result.push_back(shapes.getConstant(0));
      continue;
    }
    skipOnes();
    if (next == target->size() || (*target)[next] != dim)
      return std::nullopt;
    result.push_back(index[next++]);
  }
  skipOnes();
  return next == target->size() ? std::optional(result) : std::nullopt;
}

std::optional<ElementEvaluator::Index>
ElementEvaluator::lookThroughSlice(SliceOp op, const Index &index) {
  std::optional<ArrayRef<AffineExpr>> starts =
      shapes.getElements(op.getStarts());
  if (!starts)
    return std::nullopt;
  SmallVector<int64_t> axes =
      llvm::to_vector(llvm::seq<int64_t>(starts->size()));
  if (isPresent(op.getAxes())) {
    std::optional<SmallVector<int64_t>> listed =
        shapes.getConstantElements(op.getAxes());
    if (!listed || listed->size() != starts->size())
      return std::nullopt;
    axes = *listed;
  }
  if (isPresent(op.getSteps())) {
    std::optional<SmallVector<int64_t>> steps =
        shapes.getConstantElements(op.getSteps());
    if (!steps || llvm::any_of(*steps, [](int64_t step) { return step != 1; }))
      return std::nullopt;
  }
  Index result(index);
  int64_t rank = index.size();
  for (auto [axis, start] : llvm::zip(axes, *starts)) {
    int64_t position = axis < 0 ? axis + rank : axis;
    if (position < 0 || position >= rank || !shapes.isNonNegative(start))
      return std::nullopt;
    result[position] = result[position] + start;
  }
  return result;
}

std::optional<std::pair<Value, ElementEvaluator::Index>>
ElementEvaluator::lookThrough(Value value, const Index &index) {
  Operation *op = value.getDefiningOp();
  if (!op || isa<ConstantOp>(op))
    return std::nullopt;
  auto wrap = [&](std::optional<Index> result)
      -> std::optional<std::pair<Value, Index>> {
    if (!result)
      return std::nullopt;
    return std::pair(op->getOperand(0), *result);
  };
  if (isa<IdentityOp>(op))
    return wrap(index);
  if (isa<UnsqueezeOp, SqueezeOp, ReshapeOp>(op))
    return wrap(lookThroughReshape(op->getOperand(0), value, index));
  if (auto slice = dyn_cast<SliceOp>(op))
    return wrap(lookThroughSlice(slice, index));
  if (auto expand = dyn_cast<ExpandOp>(op)) {
    if (!shapes.getDims(expand.getInput()))
      return std::nullopt;
    return wrap(getOperandIndex(expand.getInput(), index));
  }
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    std::optional<ArrayRef<int64_t>> perm = transpose.getPerm();
    if (!perm || perm->size() != index.size())
      return std::nullopt;
    Index result(index.size());
    for (auto [to, from] : llvm::enumerate(*perm))
      result[from] = index[to];
    return wrap(result);
  }
  return std::nullopt;
}

AffineExpr ElementEvaluator::evaluateInteger(Value value, const Index &index) {
  if (std::optional<ArrayRef<AffineExpr>> elements = shapes.getElements(value))
    if (elements->size() == 1)
      return elements->front();
  Operation *op = value.getDefiningOp();
  if (!op)
    return {};
  if (auto source = lookThrough(value, index))
    return evaluateInteger(source->first, source->second);
  if (auto range = dyn_cast<RangeOp>(op)) {
    std::optional<ArrayRef<AffineExpr>> start =
        shapes.getElements(range.getStart());
    std::optional<SmallVector<int64_t>> delta =
        shapes.getConstantElements(range.getDelta());
    if (!start || !delta || start->size() != 1 || delta->size() != 1 ||
        index.size() != 1)
      return {};
    return normalizeExpression(start->front() + index[0] * delta->front());
  }
  if (auto cast = dyn_cast<CastOp>(op))
    return cast.getTo().isInteger(1) ? AffineExpr()
                                     : evaluateInteger(cast.getInput(), index);
  if (!isa<AddOp, SubOp>(op))
    return {};
  AffineExpr a = evaluateInteger(op->getOperand(0),
                                 getOperandIndex(op->getOperand(0), index));
  AffineExpr b = evaluateInteger(op->getOperand(1),
                                 getOperandIndex(op->getOperand(1), index));
  if (!a || !b)
    return {};
  return normalizeExpression(isa<AddOp>(op) ? a + b : a - b);
}

/// A triangle that ONNX's op cuts out of a uniform tensor.
AffineExpr ElementEvaluator::evaluateTriangle(Value value, const Index &index) {
  auto trilu = value.getDefiningOp<TriluOp>();
  std::optional<double> fill =
      trilu ? getUniformValue(trilu.getInput()) : std::nullopt;
  if (!fill || *fill == 0 || index.size() < 2)
    return {};
  AffineExpr k = shapes.getConstant(0);
  if (isPresent(trilu.getK())) {
    std::optional<ArrayRef<AffineExpr>> elements =
        shapes.getElements(trilu.getK());
    if (!elements || elements->size() != 1)
      return {};
    k = elements->front();
  }
  AffineExpr offset = index[index.size() - 1] - index[index.size() - 2] - k;
  return normalizeExpression(trilu.getUpper() ? offset : -offset);
}

/// Whether each element of a constant is true; nothing if it cannot be read.
static std::optional<SmallVector<bool>> getTruths(Value value) {
  Attribute attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return std::nullopt;
  SmallVector<bool> truths;
  if (auto dense = dyn_cast<DenseIntElementsAttr>(attribute)) {
    for (const APInt &element : dense.getValues<APInt>())
      truths.push_back(!element.isZero());
    return truths;
  }
  // In a file a truth value takes a byte.
  auto external = dyn_cast<ExternalAttr>(attribute);
  if (!external || !getElementTypeOrSelf(value).isInteger(1))
    return std::nullopt;
  llvm::Expected<ArrayRef<char>> bytes = external.getBytes();
  if (!bytes) {
    // The file is missing or too short, which whoever needs its data reports.
    llvm::consumeError(bytes.takeError());
    return std::nullopt;
  }
  for (char byte : *bytes)
    truths.push_back(byte != 0);
  return truths;
}

/// A table of truth values in the model, if it is a lower triangle.
AffineExpr ElementEvaluator::evaluateConstantTriangle(Value value,
                                                      const Index &index) {
  int64_t rank = index.size(), rows = getKnownDim(value, -2);
  int64_t columns = getKnownDim(value, -1);
  if (rank < 2 || getRank(value) != rank)
    return {};
  std::optional<SmallVector<bool>> truths = getTruths(value);
  if (!truths || static_cast<int64_t>(truths->size()) != rows * columns)
    return {};
  for (auto [position, truth] : llvm::enumerate(*truths)) {
    int64_t row = position / columns, column = position % columns;
    if (truth != (column <= row))
      return {};
  }
  return normalizeExpression(index[rank - 2] - index[rank - 1]);
}

AffineExpr ElementEvaluator::evaluateTruth(Value value, const Index &index) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return {};
  if (auto source = lookThrough(value, index))
    return evaluateTruth(source->first, source->second);
  if (auto cast = dyn_cast<CastOp>(op))
    return evaluateTruth(cast.getInput(), index);
  if (auto negation = dyn_cast<NotOp>(op))
    return negate(evaluateTruth(negation.getX(), index));
  if (isa<TriluOp>(op))
    return evaluateTriangle(value, index);
  if (isa<ConstantOp>(op))
    return evaluateConstantTriangle(value, index);
  if (auto equal = dyn_cast<EqualOp>(op)) {
    // x == 0 is the opposite of x, taken as a truth value.
    if (getScalar(equal.getB()) == 0.0)
      return negate(
          evaluateTruth(equal.getA(), getOperandIndex(equal.getA(), index)));
    return {};
  }
  bool isGreater = isa<GreaterOp, GreaterOrEqualOp>(op);
  if (!isGreater && !isa<LessOp, LessOrEqualOp>(op))
    return {};
  AffineExpr a = evaluateInteger(op->getOperand(0),
                                 getOperandIndex(op->getOperand(0), index));
  AffineExpr b = evaluateInteger(op->getOperand(1),
                                 getOperandIndex(op->getOperand(1), index));
  if (!a || !b)
    return {};
  AffineExpr difference = isGreater ? a - b : b - a;
  return normalizeExpression(isa<GreaterOp, LessOp>(op) ? difference - 1
                                                        : difference);
}

AffineExpr ElementEvaluator::evaluateMasked(Value value, const Index &index) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return {};
  if (auto source = lookThrough(value, index))
    return evaluateMasked(source->first, source->second);
  auto hides = [](std::optional<double> number) {
    return number && *number <= kMaskedBelow;
  };
  if (auto cast = dyn_cast<CastOp>(op))
    return getFloatElementType(cast.getInput())
               ? evaluateMasked(cast.getInput(), index)
               : AffineExpr();
  if (auto trilu = dyn_cast<TriluOp>(op))
    return hides(getUniformValue(trilu.getInput()))
               ? evaluateTriangle(value, index)
               : AffineExpr();
  if (auto where = dyn_cast<WhereOp>(op)) {
    std::optional<double> x = getUniformValue(where.getX());
    std::optional<double> y = getUniformValue(where.getY());
    AffineExpr truth = evaluateTruth(
        where.getCondition(), getOperandIndex(where.getCondition(), index));
    if (hides(x) && y == 0.0)
      return truth;
    return hides(y) && x == 0.0 ? negate(truth) : AffineExpr();
  }
  auto mul = dyn_cast<MulOp>(op);
  if (!mul)
    return {};
  for (Value factor : {mul.getA(), mul.getB()}) {
    auto cast = factor.getDefiningOp<CastOp>();
    if (!cast || !getElementTypeOrSelf(cast.getInput()).isInteger(1))
      continue;
    AffineExpr truth = evaluateTruth(factor, getOperandIndex(factor, index));
    Value other = getOtherOperand(mul, factor);
    std::optional<double> number = getUniformValue(other);
    // Zero times infinity is no number.
    if (truth && hides(number) && std::isfinite(*number))
      return truth;
    // A mask times the condition that it was made of.
    if (truth && truth == evaluateMasked(other, getOperandIndex(other, index)))
      return truth;
  }
  return {};
}

/// Indices with the row and the column first, which are what matters.
static SmallVector<AffineExpr> makeIndex(int64_t rank, MLIRContext *context) {
  SmallVector<AffineExpr> index;
  for (int64_t axis = 0; axis < rank; ++axis)
    index.push_back(
        getAffineDimExpr((axis - (rank - 2) + rank) % rank, context));
  return index;
}

bool lowbit::onnx::isCausalMask(const SymbolicShapes &shapes, Value mask) {
  int64_t rank = getRank(mask);
  if (rank < 2)
    return false;
  MLIRContext *context = shapes.getContext();
  AffineExpr row = getAffineDimExpr(0, context);
  AffineExpr column = getAffineDimExpr(1, context);
  ElementEvaluator evaluator(shapes);
  AffineExpr masked = evaluator.evaluateMasked(mask, makeIndex(rank, context));
  return masked && masked == normalizeExpression(column - row - 1);
}

bool lowbit::onnx::isCausalCondition(const SymbolicShapes &shapes,
                                     Value condition, bool keeps) {
  int64_t rank = getRank(condition);
  if (rank < 2)
    return false;
  MLIRContext *context = shapes.getContext();
  AffineExpr row = getAffineDimExpr(0, context);
  AffineExpr column = getAffineDimExpr(1, context);
  ElementEvaluator evaluator(shapes);
  AffineExpr truth =
      evaluator.evaluateTruth(condition, makeIndex(rank, context));
  return truth &&
         truth == normalizeExpression(keeps ? row - column : column - row - 1);
}
