//===- SafeTensors.h - the safetensors container ------------- -*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_SUPPORT_SAFETENSORS_H
#define LOWBIT_SUPPORT_SAFETENSORS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace lowbit {

/// Where a tensor of a safetensors file lies and what it holds.
struct SafeTensorsEntry {
  /// The container's name of the element type: "F32", "F16", "BF16", "I8", ...
  std::string dtype;
  std::vector<int64_t> shape;
  /// First byte, from the start of the file.
  uint64_t offset;
  uint64_t length;
};

using SafeTensorsIndex = llvm::StringMap<SafeTensorsEntry>;

/// Reads the index of a safetensors file (8 bytes of little-endian header
/// length, a JSON header, the data). `path` serves the messages only. Checks
/// that every tensor lies inside the file and is as long as its shape says.
llvm::Expected<SafeTensorsIndex> parseSafeTensors(llvm::ArrayRef<char> file,
                                                  llvm::StringRef path);

/// The bytes that precede the data of a file with these tensors, whose offsets
/// are counted from the end of the header; a multiple of 64 long, so that the
/// data of a mapped file is aligned.
std::string makeSafeTensorsHeader(
    llvm::ArrayRef<std::pair<std::string, SafeTensorsEntry>> tensors);

/// The size of one element, or 0 for a name that the container does not know.
unsigned getSafeTensorsElementSize(llvm::StringRef dtype);

} // namespace lowbit

#endif // LOWBIT_SUPPORT_SAFETENSORS_H
