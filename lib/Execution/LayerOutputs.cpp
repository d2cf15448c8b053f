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
#include "lowbit/Dialect/Onnx/Transforms/Pipelines.h"
#include "lowbit/Execution/Lowering.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace lowbit;

static bool isLinearLayer(Operation &op) {
  if (isa<MatmulOp>(op))
    return true;
  auto layer = dyn_cast<QuantizableOpInterface>(op);
  return layer && layer.isQuantizable() &&
         layer.getQuantizableKind() == QuantizableKind::Linear;
}

llvm::Error lowbit::exposeLayerOutputs(ModuleOp module) {
  PassManager pm(module.getContext());
  onnx::buildNormalizePipeline(pm);
  if (llvm::Error error = runPasses(pm, module, ""))
    return error;
  llvm::Expected<func::FuncOp> function = findModelFunction(module);
  if (!function)
    return function.takeError();

  llvm::StringSet<> names;
  SmallVector<Value> results;
  SmallVector<DictionaryAttr> attributes;
  Builder builder(module.getContext());
  for (Operation &op : function->getBody().front()) {
    StringRef name = getNodeName(op.getLoc());
    if (!isLinearLayer(op) || name.empty() || !names.insert(name).second)
      continue;
    results.push_back(op.getResult(0));
    attributes.push_back(builder.getDictionaryAttr(
        builder.getNamedAttr("onnx.name", builder.getStringAttr(name))));
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
