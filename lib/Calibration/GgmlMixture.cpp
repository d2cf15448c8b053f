//===- GgmlMixture.cpp - which type llama.cpp gives a layer ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GgmlMixture.h"
#include "llvm/ADT/STLExtras.h"
#include <array>

using namespace lowbit;

using Mixture = GgmlMixture;
using Type = GgmlType;

namespace {
struct MixtureInfo {
  llvm::StringLiteral name;
  /// What layers get that no rule singles out.
  Type base;
};
} // namespace

/// In the order of the enumeration.
static constexpr MixtureInfo mixtures[] = {
    {"Q2_K", Type::Q2_K},     {"Q3_K_S", Type::Q3_K}, {"Q3_K_M", Type::Q3_K},
    {"Q3_K_L", Type::Q3_K},   {"Q4_0", Type::Q4_0},   {"Q4_1", Type::Q4_1},
    {"Q4_K_S", Type::Q4_K},   {"Q4_K_M", Type::Q4_K}, {"Q5_0", Type::Q5_0},
    {"Q5_1", Type::Q5_1},     {"Q5_K_S", Type::Q5_K}, {"Q5_K_M", Type::Q5_K},
    {"Q6_K", Type::Q6_K},     {"Q8_0", Type::Q8_0},   {"IQ4_NL", Type::IQ4_NL},
    {"IQ4_XS", Type::IQ4_XS},
};

std::optional<Mixture> lowbit::parseGgmlMixture(llvm::StringRef name) {
  for (auto [index, info] : llvm::enumerate(mixtures))
    if (name.equals_insensitive(info.name))
      return static_cast<Mixture>(index);
  return std::nullopt;
}

llvm::ArrayRef<llvm::StringLiteral> lowbit::getGgmlMixtureNames() {
  static const auto names = [] {
    llvm::SmallVector<llvm::StringLiteral> names;
    for (const MixtureInfo &info : mixtures)
      names.push_back(info.name);
    return names;
  }();
  return names;
}

bool lowbit::isCountedAsValue(LayerRole role) {
  return role == LayerRole::AttentionValue || role == LayerRole::AttentionFused;
}

/// The first and the last eighth of the layers, and every third one between.
static bool usesMoreBits(int64_t index, int64_t count) {
  return index < count / 8 || index >= 7 * count / 8 ||
         (index - count / 8) % 3 == 2;
}

static Type chooseForOutput(Type base, int64_t cols) {
  if (cols % getGgmlLayout(base).blockCols != 0 || base == Type::Q8_0)
    return Type::Q8_0;
  return Type::Q6_K;
}

/// Groups of at least four heads make the value layers a small part of the
/// model, which can afford more bits.
static constexpr int64_t largeGroup = 4;
/// The number of blocks by which llama.cpp tells its 70B model.
static constexpr int64_t blocksOf70B = 80;

static Type chooseForValue(Mixture mixture, Type base,
                           const GgmlMixtureModel &model,
                           const GgmlMixtureLayer &layer) {
  const bool hasLargeGroups = model.headsPerGroup >= largeGroup;
  Type type = base;
  switch (mixture) {
  case Mixture::Q2_K:
    type = hasLargeGroups ? Type::Q4_K : Type::Q3_K;
    break;
  case Mixture::Q3_K_M:
    type = layer.index < 2 ? Type::Q5_K : Type::Q4_K;
    break;
  case Mixture::Q3_K_L:
    type = Type::Q5_K;
    break;
  case Mixture::IQ4_NL:
  case Mixture::IQ4_XS:
    if (hasLargeGroups)
      type = Type::Q5_K;
    break;
  case Mixture::Q4_K_M:
  case Mixture::Q5_K_M:
    if (usesMoreBits(layer.index, layer.count))
      type = Type::Q6_K;
    break;
  case Mixture::Q4_K_S:
    if (layer.index < 4)
      type = Type::Q5_K;
    break;
  default:
    break;
  }
  const bool is70B = layer.count == blocksOf70B && model.headsPerGroup > 1;
  if (is70B && (type == Type::Q3_K || type == Type::Q4_K))
    return Type::Q5_K;
  return type;
}

static Type chooseForDown(Mixture mixture, Type base,
                          const GgmlMixtureModel &model,
                          const GgmlMixtureLayer &layer) {
  const bool isEarly = layer.index < layer.count / 8;
  switch (mixture) {
  case Mixture::Q2_K:
    return Type::Q3_K;
  case Mixture::Q3_K_M:
    return layer.index < layer.count / 16 ? Type::Q5_K : Type::Q4_K;
  case Mixture::Q3_K_L:
    return Type::Q5_K;
  case Mixture::Q4_K_M:
  case Mixture::Q5_K_M:
    return usesMoreBits(layer.index, layer.count) ? Type::Q6_K : base;
  case Mixture::Q4_K_S:
    return isEarly ? Type::Q5_K : base;
  case Mixture::IQ4_NL:
  case Mixture::IQ4_XS:
    return isEarly && !model.hasImportance ? Type::Q5_K : base;
  case Mixture::Q4_0:
    return isEarly && model.hasImportance ? Type::Q4_1 : base;
  case Mixture::Q5_0:
    return isEarly && model.hasImportance ? Type::Q5_1 : base;
  default:
    return base;
  }
}

static Type chooseForAttentionOutput(Mixture mixture, Type base) {
  switch (mixture) {
  case Mixture::Q2_K:
    return Type::Q3_K;
  case Mixture::Q3_K_M:
    return Type::Q4_K;
  case Mixture::Q3_K_L:
    return Type::Q5_K;
  default:
    return base;
  }
}

std::optional<Type> lowbit::chooseGgmlType(Mixture mixture,
                                           const GgmlMixtureModel &model,
                                           const GgmlMixtureLayer &layer) {
  const Type base = mixtures[static_cast<size_t>(mixture)].base;
  switch (layer.role) {
  case LayerRole::Embedding:
    // Positions are few, and are added to every activation.
    return std::nullopt;
  case LayerRole::Head:
    return chooseForOutput(base, layer.cols);
  case LayerRole::TokenEmbedding:
    return model.hasTiedEmbeddings ? chooseForOutput(base, layer.cols) : base;
  case LayerRole::AttentionValue:
  case LayerRole::AttentionFused:
    return chooseForValue(mixture, base, model, layer);
  case LayerRole::FfnDown:
    return chooseForDown(mixture, base, model, layer);
  case LayerRole::AttentionOutput:
    return chooseForAttentionOutput(mixture, base);
  default:
    return base;
  }
}

std::optional<Type> lowbit::findGgmlFallback(Type type, int64_t cols) {
  std::optional<Type> fitting = type;
  while (fitting && cols % getGgmlLayout(*fitting).blockCols != 0)
    fitting = getGgmlLayout(*fitting).fallback;
  return fitting;
}
