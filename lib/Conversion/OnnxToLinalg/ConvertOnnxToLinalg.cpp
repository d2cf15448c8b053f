//===- ConvertOnnxToLinalg.cpp - the lowering pass ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// All ops are tried, also after one has failed, so that the user sees at once
// everything that is missing: nothing is illegal for the conversion driver, and
// what is left of the dialect afterwards is an error. The pattern of an op has
// then said why; ops without a pattern are reported here.
//
//===----------------------------------------------------------------------===//

#include "OnnxLowering.h"
#include "lowbit/Conversion/OnnxToLinalg/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/NodeName.h"
#include "lowbit/Dialect/Onnx/IR/OnnxDialect.h"
#include "lowbit/Dialect/Onnx/IR/OnnxSchema.h"
#include "lowbit/Dialect/Onnx/IR/ShapeInference.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace lowbit {
#define GEN_PASS_DEF_CONVERTONNXTOLINALG
#include "lowbit/Conversion/OnnxToLinalg/Passes.h.inc"
} // namespace lowbit

using namespace lowbit;
using namespace lowbit::onnx;
using namespace lowbit::onnx::lowering;

LogicalResult lowbit::onnx::lowering::checkTypes(LoweringBuilder &b) {
  auto check = [&](Type type) -> LogicalResult {
    if (isa<NoneType>(type))
      return success();
    if (!isa<RankedTensorType>(type))
      return b.refuse("the rank of a value is not known");
    Type elementType = cast<RankedTensorType>(type).getElementType();
    if (elementType.isIntOrFloat()) {
      unsigned width = elementType.getIntOrFloatBitWidth();
      if (width == 1 || width >= 16 || elementType.isInteger(8))
        return success();
    }
    std::string name;
    llvm::raw_string_ostream(name) << elementType;
    return b.refuse("elements of type " + name + " are not supported");
  };
  for (Type type : b.getOp()->getOperandTypes())
    if (failed(check(type)))
      return failure();
  for (Type type : b.getOp()->getResultTypes())
    if (failed(check(type)))
      return failure();
  return success();
}

static void populateAll(RewritePatternSet &patterns,
                        const TypeConverter &typeConverter,
                        const SymbolicShapes &shapes, bool keepAttention) {
  for (auto populate :
       {populateActivationLowerings,    populateArithmeticLowerings,
        populateCastLowerings,          populateComparisonLowerings,
        populateConstantLowerings,      populateDataMovementLowerings,
        populateEinsumLowerings,        populateGatherLowerings,
        populateGeneratorLowerings,     populateMatMulLowerings,
        populateNormalizationLowerings, populatePadLowerings,
        populateQuantizationLowerings,  populateReductionLowerings,
        populateReshapeLowerings,       populateRotaryEmbeddingLowerings,
        populateScatterLowerings,       populateSearchLowerings,
        populateShapeLowerings,         populateSliceLowerings,
        populateSoftmaxLowerings})
    populate(patterns, typeConverter, shapes);
  populateAttentionLowerings(patterns, typeConverter, shapes, keepAttention);
}

/// The operator of a node as "domain.Name", and the opset that it is of.
static std::string getOperator(Operation *op) {
  if (auto custom = dyn_cast<CustomOp>(op)) {
    StringRef domain =
        custom.getDomain().empty() ? "ai.onnx" : custom.getDomain();
    return (domain + "." + custom.getOpType() + " (opset " +
            Twine(custom.getOpset()) + ")")
        .str();
  }
  return ("ai.onnx." + op->getName().stripDialect() + " (opset " +
          Twine(kOpset) + ")")
      .str();
}

namespace {
struct ConvertOnnxToLinalgPass final
    : lowbit::impl::ConvertOnnxToLinalgBase<ConvertOnnxToLinalgPass> {
  using ConvertOnnxToLinalgBase::ConvertOnnxToLinalgBase;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(convert(function)))
        signalPassFailure();
  }

  LogicalResult convert(func::FuncOp function);
  LogicalResult reportRemaining(func::FuncOp function);
};
} // namespace

/// Reports the nodes that no pattern knows, and how many nodes of which
/// operators are left.
LogicalResult ConvertOnnxToLinalgPass::reportRemaining(func::FuncOp function) {
  SmallVector<std::string> names;
  llvm::StringMap<unsigned> numNodes;
  unsigned total = 0;
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!isa<OnnxDialect>(op->getDialect()) || isa<NoValueOp, YieldOp>(op))
      return WalkResult::advance();
    std::string name = getOperator(op);
    if (auto custom = dyn_cast<CustomOp>(op)) {
      StringRef nodeName = getNodeName(op->getLoc());
      InFlightDiagnostic diagnostic = op->emitError() << "node ";
      if (!nodeName.empty())
        diagnostic << "'" << nodeName << "' ";
      diagnostic << "of operator " << name << " cannot be lowered";
    }
    if (numNodes[name]++ == 0)
      names.push_back(name);
    ++total;
    // What a node's graphs hold is part of the node.
    return WalkResult::skip();
  });
  if (total == 0)
    return success();
  std::string summary;
  for (StringRef name : names)
    summary += (summary.empty() ? "" : ", ") + std::to_string(numNodes[name]) +
               " of " + name.str();
  return function.emitError() << total << (total == 1 ? " node" : " nodes")
                              << " cannot be lowered to linalg: " << summary;
}

LogicalResult ConvertOnnxToLinalgPass::convert(func::FuncOp function) {
  FailureOr<SymbolicShapes> shapes = inferShapes(function);
  if (failed(shapes))
    return failure();
  TypeConverter typeConverter;
  typeConverter.addConversion([](Type type) { return getSignlessType(type); });

  RewritePatternSet patterns(&getContext());
  populateAll(patterns, typeConverter, *shapes, keepAttention);
  populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                 typeConverter);
  populateReturnOpTypeConversionPattern(patterns, typeConverter);

  ConversionTarget target(getContext());
  target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
    return typeConverter.isSignatureLegal(op.getFunctionType());
  });
  target.addDynamicallyLegalOp<func::ReturnOp>(
      [&](func::ReturnOp op) { return typeConverter.isLegal(op); });
  target.addLegalOp<NoValueOp>();
  target.addLegalDialect<LowbitDialect, arith::ArithDialect,
                         cf::ControlFlowDialect, linalg::LinalgDialect,
                         math::MathDialect, scf::SCFDialect,
                         tensor::TensorDialect>();
  ConversionConfig config;
  config.foldingMode = DialectConversionFoldingMode::Never;
  // Casts between what is lowered and what is left are no error of their own.
  config.buildMaterializations = false;
  if (failed(applyPartialConversion(function, target, std::move(patterns),
                                    config)))
    return failure();
  function.walk([](NoValueOp op) {
    if (op->use_empty())
      op->erase();
  });
  return reportRemaining(function);
}
