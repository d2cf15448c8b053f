//===- FoldConstants.cpp - evaluate what is known -------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Integers that follow from symbolic shapes become constants, even if they do
// not follow from constants alone: the number of channels of a tensor whose
// batch is not known. Other ops are evaluated on constants, as long as the
// result is small enough for the IR; a weight that would have to be copied
// stays as it is.
//
//===----------------------------------------------------------------------===//

#include "ConstantEvaluation.h"
#include "lowbit/Dialect/Onnx/IR/ShapeInference.h"
#include "lowbit/Dialect/Onnx/Transforms/Passes.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"

namespace lowbit::onnx {
#define GEN_PASS_DEF_FOLDCONSTANTSPASS
#include "lowbit/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lowbit::onnx

using namespace mlir;
using namespace lowbit::onnx;

bool lowbit::onnx::mayBeInline(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() ||
      !tensor.getElementType().isIntOrFloat())
    return false;
  // Sizes are the model's, so their product may be anything.
  int64_t bits = tensor.getElementTypeBitWidth();
  for (int64_t size : tensor.getShape())
    if (llvm::MulOverflow(bits, size, bits))
      return false;
  return bits < kMaxInlineBytes * 8;
}

/// A tensor whose elements are known before the model runs.
static TypedAttr getKnownValue(Value value, const SymbolicShapes &shapes) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  std::optional<SmallVector<int64_t>> elements =
      shapes.getConstantElements(value);
  if (!elements || !type || !type.hasStaticShape() ||
      type.getNumElements() != static_cast<int64_t>(elements->size()))
    return {};
  auto elementType = dyn_cast<IntegerType>(type.getElementType());
  if (!elementType)
    return {};
  SmallVector<APInt> numbers;
  for (int64_t element : *elements)
    numbers.push_back(APInt(elementType.getWidth(), element, /*isSigned=*/true,
                            /*implicitTrunc=*/true));
  return DenseElementsAttr::get(type, numbers);
}

static TypedAttr evaluate(Operation *op) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (op->getNumResults() != 1 || !type || !type.hasStaticShape())
    return {};
  SmallVector<Attribute> operands;
  bool allInline = true;
  for (Value operand : op->getOperands()) {
    Attribute value;
    if (isPresent(operand) && !matchPattern(operand, m_Constant(&value)))
      return {};
    allInline &= !value || isa<DenseElementsAttr>(value);
    operands.push_back(value);
  }
  // What only gets another shape may stay where it lies, however large.
  if (!mayBeInline(type) && allInline)
    return {};
  if (TypedAttr result = evaluateMovement(op, type, operands))
    return result;
  return evaluateElementwise(op, type, operands);
}

namespace {
struct FoldConstantsPass final
    : lowbit::onnx::impl::FoldConstantsPassBase<FoldConstantsPass> {
  using FoldConstantsPassBase::FoldConstantsPassBase;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      FailureOr<SymbolicShapes> shapes = inferShapes(function);
      if (failed(shapes))
        return signalPassFailure();
      refineTypes(function, *shapes);
      // In program order: what an op reads has been folded before it.
      function.getBody().walk<WalkOrder::PreOrder>(
          [&](Operation *op) { fold(op, *shapes); });
      IRRewriter rewriter(&getContext());
      (void)runRegionDCE(rewriter, function->getRegions());
    }
  }

private:
  void fold(Operation *op, const SymbolicShapes &shapes) {
    if (!isa_and_nonnull<OnnxDialect>(op->getDialect()) ||
        isa<ConstantOp, NoValueOp, CustomOp, YieldOp>(op))
      return;
    OpBuilder builder(op);
    auto replace = [&](Value result, TypedAttr value) {
      result.replaceAllUsesWith(
          ConstantOp::create(builder, op->getLoc(), result.getType(), value));
      ++numFolded;
    };
    for (Value result : op->getResults())
      if (TypedAttr known =
              result.use_empty() ? TypedAttr() : getKnownValue(result, shapes))
        replace(result, known);
    if (op->use_empty())
      return;
    if (TypedAttr value = evaluate(op))
      replace(op->getResult(0), value);
  }
};
} // namespace
