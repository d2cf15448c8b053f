//===- LayerRoles.h - what a layer does in a language model -----*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Roles follow from the graph, not from names, which every exporter chooses
// differently. The layers whose results reach the operands of an attention are
// its query, key and value layers; one that reaches several of them is fused.
// The layer that reads an attention's result is its output layer. A layer that
// reads what other layers made, through elementwise ops alone, is the down
// layer of a feed-forward block, and those are its gate and up layers: the gate
// is the one of several that meets an activation function.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_LAYERROLES_H
#define LOWBIT_LIB_CALIBRATION_LAYERROLES_H

#include "lowbit/Calibration/LayerSelection.h"
#include "llvm/ADT/DenseMap.h"

namespace lowbit {

enum class LayerRole {
  Other,
  TokenEmbedding,
  Embedding,
  Head,
  AttentionQuery,
  AttentionKey,
  AttentionValue,
  /// Query, key and value in one.
  AttentionFused,
  AttentionOutput,
  FfnGate,
  FfnUp,
  FfnDown
};

/// As rules spell it: "attention_v", "ffn_down", "head".
llvm::StringRef getName(LayerRole role);

/// The roles of the layers of a normalized function.
llvm::DenseMap<mlir::Operation *, LayerRole>
findLayerRoles(mlir::FunctionOpInterface function);

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_LAYERROLES_H
