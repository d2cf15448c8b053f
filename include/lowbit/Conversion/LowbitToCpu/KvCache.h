//===- KvCache.h - the interface of a decoder's cache --------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_LOWBITTOCPU_KVCACHE_H
#define LOWBIT_CONVERSION_LOWBITTOCPU_KVCACHE_H

#include "llvm/Support/CommandLine.h"

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

/// The values of an option; `inPlace` describes the first one.
inline llvm::cl::ValuesClass getKvCacheValues(llvm::StringRef inPlace) {
  return llvm::cl::values(
      clEnumValN(KvCache::InPlace, "in-place", inPlace),
      clEnumValN(KvCache::Int8, "int8",
                 "the same, in 8 bits with a scale for each token and head"),
      clEnumValN(KvCache::Int4, "int4",
                 "in 4 bits with a scale and a zero point for each 32 channels "
                 "of a head"),
      clEnumValN(KvCache::AsIs, "as-is",
                 "inputs and outputs, as the exporter wrote them"));
}

} // namespace lowbit

#endif // LOWBIT_CONVERSION_LOWBITTOCPU_KVCACHE_H
