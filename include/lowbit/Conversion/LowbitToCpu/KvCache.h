//===- KvCache.h - the interface of a decoder's cache --------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_LOWBITTOCPU_KVCACHE_H
#define LOWBIT_CONVERSION_LOWBITTOCPU_KVCACHE_H

namespace lowbit {

/// What becomes of the past and present keys and values of a decoder.
enum class KvCache {
  /// Caches that a run updates, where the model allows it.
  InPlace,
  /// The same, of 8 bits with a scale for each token and head.
  Int8,
  /// The same, of 4 bits with a scale and a zero point for each 32 channels of
  /// a token's head.
  Int4,
  /// Inputs and outputs, as the exporter wrote them.
  AsIs
};

} // namespace lowbit

#endif // LOWBIT_CONVERSION_LOWBITTOCPU_KVCACHE_H
