//===- LayerRoles.cpp - what a layer does in a language model -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerRoles.h"
#include "lowbit/Calibration/CalibrationData.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace lowbit;

llvm::StringRef lowbit::getName(LayerRole role) {
  switch (role) {
  case LayerRole::Other:
    return "other";
  case LayerRole::TokenEmbedding:
    return "token_embedding";
  case LayerRole::Embedding:
    return "embedding";
  case LayerRole::Head:
    return "head";
  case LayerRole::AttentionQuery:
    return "attention_q";
  case LayerRole::AttentionKey:
    return "attention_k";
  case LayerRole::AttentionValue:
    return "attention_v";
  case LayerRole::AttentionFused:
    return "attention_qkv";
  case LayerRole::AttentionOutput:
    return "attention_output";
  case LayerRole::FfnGate:
    return "ffn_gate";
  case LayerRole::FfnUp:
    return "ffn_up";
  case LayerRole::FfnDown:
    return "ffn_down";
  }
  llvm_unreachable("no such role");
}

namespace {
/// What a value is made of, as far back as roles reach.
struct Sources {
  /// Linear layers, and whether an op that takes one operand and keeps its
  /// shape (an activation function) lies on the way.
  llvm::SmallMapVector<Operation *, bool, 4> layers;
  bool hasAttention = false;
};
} // namespace

static bool isLinear(Operation *op) {
  // A layer that is quantized already is one, too.
  if (isa<MatmulOp>(op))
    return true;
  auto layer = dyn_cast<QuantizableOpInterface>(op);
  return layer && layer.isQuantizable() &&
         layer.getQuantizableKind() == QuantizableKind::Linear;
}

/// The operands whose values an op passes on: floats that are not constant. The
/// angles of a rotary embedding only say how.
static SmallVector<Value> getData(Operation *op) {
  if (auto rotary = dyn_cast<onnx::RotaryEmbeddingOp>(op))
    return {rotary.getX()};
  SmallVector<Value> data;
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<ShapedType>(operand.getType());
    if (type && isa<FloatType>(type.getElementType()) &&
        !matchPattern(operand, m_Constant()))
      data.push_back(operand);
  }
  return data;
}

static Sources findSources(Value value) {
  Sources sources;
  llvm::DenseMap<Value, bool> seen;
  SmallVector<std::pair<Value, bool>> worklist = {{value, false}};
  while (!worklist.empty()) {
    auto [current, activated] = worklist.pop_back_val();
    auto [known, isNew] = seen.try_emplace(current, activated);
    if (!isNew && (known->second || !activated))
      continue;
    known->second = activated;
    Operation *op = current.getDefiningOp();
    if (!op)
      continue;
    if (isLinear(op)) {
      sources.layers[op] |= activated;
      continue;
    }
    if (isa<onnx::AttentionOp>(op)) {
      sources.hasAttention = true;
      continue;
    }
    // A block begins at a norm, or where it leaves the residual stream: a sum
    // of two activations.
    if (isa<onnx::RMSNormalizationOp, onnx::LayerNormalizationOp>(op))
      continue;
    SmallVector<Value> data = getData(op);
    if (data.size() > 1 && !isa<onnx::MulOp, onnx::ConcatOp>(op))
      continue;
    const bool activates = op->getNumOperands() == 1 &&
                           op->getNumResults() == 1 &&
                           isa<ShapedType>(op->getOperand(0).getType()) &&
                           op->getOperand(0).getType() == current.getType();
    for (Value operand : data)
      worklist.push_back({operand, activated || activates});
  }
  return sources;
}

llvm::DenseMap<Operation *, LayerRole>
lowbit::findLayerRoles(FunctionOpInterface function) {
  llvm::DenseMap<Operation *, LayerRole> roles;
  auto claim = [&](Operation *op, LayerRole role) {
    roles.try_emplace(op, role);
  };
  if (QuantizableOpInterface head = findHead(function))
    claim(head, LayerRole::Head);
  if (auto model = dyn_cast<func::FuncOp>(function.getOperation()))
    if (QuantizableOpInterface embedding = findTokenEmbedding(model))
      claim(embedding, LayerRole::TokenEmbedding);

  function.walk([&](onnx::AttentionOp attention) {
    const std::pair<Value, LayerRole> operands[] = {
        {attention.getQ(), LayerRole::AttentionQuery},
        {attention.getK(), LayerRole::AttentionKey},
        {attention.getV(), LayerRole::AttentionValue}};
    for (auto [operand, role] : operands)
      for (auto [layer, activated] : findSources(operand).layers) {
        auto [known, isNew] = roles.try_emplace(layer, role);
        if (!isNew && known->second != role)
          known->second = LayerRole::AttentionFused;
      }
  });
  SmallVector<QuantizableOpInterface> rest;
  function.walk([&](QuantizableOpInterface op) {
    if (!op.isQuantizable())
      return;
    if (op.getQuantizableKind() == QuantizableKind::Embedding)
      claim(op, LayerRole::Embedding);
    else if (isLinear(op) && !roles.contains(op))
      rest.push_back(op);
  });
  // From the last one on: in a chain of layers the last one is the down layer,
  // and what feeds it is claimed before it is asked what feeds itself.
  for (QuantizableOpInterface op : llvm::reverse(rest)) {
    if (roles.contains(op))
      continue;
    Sources sources = findSources(op.getQuantizableInput().get());
    if (sources.hasAttention) {
      claim(op, LayerRole::AttentionOutput);
      continue;
    }
    if (sources.layers.empty())
      continue;
    claim(op, LayerRole::FfnDown);
    for (auto [layer, activated] : sources.layers)
      claim(layer, activated && sources.layers.size() > 1 ? LayerRole::FfnGate
                                                          : LayerRole::FfnUp);
  }
  return roles;
}
