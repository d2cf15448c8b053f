//===- LayerOutputs.cpp - make the results of layers visible --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/LayerOutputs.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Lowbit/IR/NodeName.h"
#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "lowbit/Dialect/Onnx/Transforms/Pipelines.h"
#include "lowbit/Execution/Lowering.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace lowbit;

/// Whether the op reads a quantized weight to compute with it.
static bool hasQuantizedWeight(Operation &op) {
  return !isa<DequantizeOp>(op) && llvm::any_of(op.getOperands(), [](Value v) {
    return v.getDefiningOp<ConstantOp>();
  });
}

static bool isLayer(Operation &op) {
  if (op.getNumResults() != 1)
    return false;
  auto layer = dyn_cast<QuantizableOpInterface>(op);
  return layer ? layer.isQuantizable() : hasQuantizedWeight(op);
}

/// The result of a layer, and of the addition of its bias where a rewrite made
/// two ops of a layer with one.
static Value getOutput(Operation &op) {
  Value result = op.getResult(0);
  if (!result.hasOneUse())
    return result;
  auto add = dyn_cast<onnx::AddOp>(*result.user_begin());
  return add && getNodeName(add.getLoc()) == getNodeName(op.getLoc())
             ? add.getResult()
             : result;
}

llvm::Expected<std::vector<ModelLayer>>
lowbit::findModelLayers(ModuleOp module) {
  PassManager pm(module.getContext());
  onnx::buildNormalizePipeline(pm);
  if (llvm::Error error = runPasses(pm, module, ""))
    return std::move(error);
  llvm::Expected<func::FuncOp> function = findModelFunction(module);
  if (!function)
    return function.takeError();
  llvm::StringSet<> names;
  std::vector<ModelLayer> layers;
  for (Operation &op : function->getBody().front()) {
    StringRef name = getNodeName(op.getLoc());
    if (isLayer(op) && !name.empty() && names.insert(name).second)
      layers.push_back(
          {name.str(), &op, getOutput(op), getTransformMark(op.getLoc())});
  }
  return layers;
}

llvm::Error lowbit::exposeLayerOutputs(ModuleOp module,
                                       ArrayRef<ModelLayer> layers) {
  llvm::Expected<func::FuncOp> function = findModelFunction(module);
  if (!function)
    return function.takeError();
  SmallVector<Value> results;
  SmallVector<DictionaryAttr> attributes;
  Builder builder(module.getContext());
  for (const ModelLayer &layer : layers) {
    results.push_back(layer.output);
    attributes.push_back(builder.getDictionaryAttr(
        builder.getNamedAttr("onnx.name", builder.getStringAttr(layer.name))));
  }
  Operation *terminator = function->getBody().front().getTerminator();
  for (auto [index, result] : llvm::enumerate(terminator->getOperands())) {
    results.push_back(result);
    attributes.push_back(function->getResultAttrDict(index));
  }
  terminator->setOperands(results);
  function->setType(builder.getFunctionType(function->getArgumentTypes(),
                                            TypeRange(ValueRange(results))));
  function->setAllResultAttrs(attributes);
  return llvm::Error::success();
}
