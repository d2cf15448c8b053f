//===- LayerSelection.cpp - which layers a pass quantizes -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Calibration/LayerSelection.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Lowbit/IR/NodeName.h"
#include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.h"
#include "lowbit/Support/NameFilter.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"
#include <optional>

using namespace mlir;
using namespace lowbit;

/// Whether `value` becomes a result of `function` without meeting another
/// activation on the way.
static bool isResultOf(Value value, FunctionOpInterface function) {
  while (value.hasOneUse()) {
    OpOperand &use = *value.use_begin();
    Operation *user = use.getOwner();
    if (user->hasTrait<OpTrait::IsTerminator>())
      return user->getParentOp() == function;
    if (isa<QuantizableOpInterface>(user) || user->getNumResults() != 1)
      return false;
    for (OpOperand &operand : user->getOpOperands())
      if (&operand != &use && !matchPattern(operand.get(), m_Constant()))
        return false;
    value = user->getResult(0);
  }
  return false;
}

QuantizableOpInterface lowbit::findHead(FunctionOpInterface function) {
  // Layers that are quantized already count, or a second pass would take the
  // head for the only one.
  unsigned numLinear = 0;
  QuantizableOpInterface head;
  function.walk([&](Operation *inner) {
    numLinear += isa<MatmulOp>(inner);
    auto op = dyn_cast<QuantizableOpInterface>(inner);
    if (!op || !op.isQuantizable() ||
        op.getQuantizableKind() != QuantizableKind::Linear)
      return;
    ++numLinear;
    if (isResultOf(op->getResult(0), function))
      head = op;
  });
  return numLinear > 1 ? head : QuantizableOpInterface();
}

SmallVector<QuantizableLayer> lowbit::findLayers(ModuleOp module) {
  SmallVector<QuantizableLayer> layers;
  llvm::StringMap<unsigned> timesUsed;
  for (auto function : module.getOps<FunctionOpInterface>())
    function.walk([&](QuantizableOpInterface op) {
      if (!op.isQuantizable() ||
          op.getQuantizableKind() == QuantizableKind::Convolution)
        return;
      std::string name = getNodeName(op.getLoc()).str();
      if (name.empty())
        name = "layer";
      if (unsigned times = timesUsed[name]++)
        name += "." + std::to_string(times);
      layers.push_back({op, std::move(name)});
    });
  return layers;
}

/// Whether a pass without further conditions quantizes the layer. What was
/// assigned to it comes first: only then do its options speak of the head and
/// of embeddings.
static bool isCandidate(QuantizableOpInterface op, const LayerFilter &filter,
                        const llvm::DenseSet<Operation *> &heads) {
  if (Attribute assigned = op->getAttr(LowbitDialect::formatAttrName))
    return isa<QuantFormatAttrInterface>(assigned);
  if (op.getQuantizableKind() == QuantizableKind::Embedding)
    return filter.embeddings;
  return filter.head || !heads.contains(op);
}

llvm::Expected<SmallVector<QuantizableLayer>>
lowbit::selectLayers(ModuleOp module, const LayerFilter &filter) {
  llvm::Expected<NameFilter> names =
      NameFilter::get(filter.include, filter.exclude);
  if (!names)
    return names.takeError();

  llvm::DenseSet<Operation *> heads;
  for (auto function : module.getOps<FunctionOpInterface>())
    if (QuantizableOpInterface head = findHead(function))
      heads.insert(head);
  SmallVector<QuantizableLayer> layers = findLayers(module);
  llvm::erase_if(layers, [&](const QuantizableLayer &layer) {
    return !isCandidate(layer.op, filter, heads);
  });
  const size_t numCandidates = layers.size();
  llvm::erase_if(layers, [&](const QuantizableLayer &layer) {
    return !names->matches(layer.name);
  });
  if (numCandidates == 0)
    emitWarning(module.getLoc())
        << "there are no layers with float weights to quantize";
  else if (layers.empty())
    return makeError("include='" + filter.include + "' exclude='" +
                     filter.exclude + "' leave none of the " +
                     Twine(numCandidates) + " layers to quantize");
  return layers;
}

llvm::Expected<SmallVector<QuantizableLayer>>
lowbit::selectLinearLayers(ModuleOp module, const LayerFilter &filter) {
  llvm::Expected<SmallVector<QuantizableLayer>> layers =
      selectLayers(module, filter);
  // Embeddings to which a format was assigned are among them.
  if (layers)
    llvm::erase_if(*layers, [](QuantizableLayer &layer) {
      return layer.op.getQuantizableKind() != QuantizableKind::Linear;
    });
  return layers;
}
