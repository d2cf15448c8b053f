//===- GgmlMixture.h - which type llama.cpp gives a layer -------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The "file types" of llama.cpp's quantize tool, such as Q4_K_M, are rules that
// give most layers one type and the sensitive ones, by their role and depth, a
// larger one. These are the rules for dense models; those for mixtures of
// experts and for the Falcon architecture are not among them.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_GGMLMIXTURE_H
#define LOWBIT_LIB_CALIBRATION_GGMLMIXTURE_H

#include "LayerRoles.h"
#include "lowbit/Quantize/GgmlLayout.h"
#include "llvm/ADT/ArrayRef.h"
#include <optional>

namespace lowbit {

enum class GgmlMixture {
  Q2_K,
  Q3_K_S,
  Q3_K_M,
  Q3_K_L,
  Q4_0,
  Q4_1,
  Q4_K_S,
  Q4_K_M,
  Q5_0,
  Q5_1,
  Q5_K_S,
  Q5_K_M,
  Q6_K,
  Q8_0,
  IQ4_NL,
  IQ4_XS
};

/// By the name that llama.cpp gives it, in upper or lower case.
std::optional<GgmlMixture> parseGgmlMixture(llvm::StringRef name);
/// The names of all, in the order of the enumeration.
llvm::ArrayRef<llvm::StringLiteral> getGgmlMixtureNames();

/// What a mixture wants to know of a layer.
struct GgmlMixtureLayer {
  LayerRole role;
  /// Place among the layers that the same rule counts, and their number.
  int64_t index;
  int64_t count;
  /// Input channels.
  int64_t cols;
};

/// What a mixture wants to know of a model.
struct GgmlMixtureModel {
  /// Query heads that share a key and value head.
  int64_t headsPerGroup;
  /// Whether the head's weight is the token embedding.
  bool hasTiedEmbeddings;
  bool hasImportance;
};

/// Whether a rule counts the layers of this role as one kind: value layers,
/// fused ones included, and down layers.
bool isCountedAsValue(LayerRole role);

/// The type that a mixture prefers for a layer; none if it stays float. It need
/// not fit the width.
std::optional<GgmlType> chooseGgmlType(GgmlMixture mixture,
                                       const GgmlMixtureModel &model,
                                       const GgmlMixtureLayer &layer);

/// The type that ggml takes for rows of `cols` where `type` has blocks that do
/// not divide them; none if it takes f16.
std::optional<GgmlType> findGgmlFallback(GgmlType type, int64_t cols);

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_GGMLMIXTURE_H
