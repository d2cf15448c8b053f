//===- WireFormat.h - ONNX models as protobuf bytes -------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_TARGET_ONNX_WIREFORMAT_H
#define LOWBIT_LIB_TARGET_ONNX_WIREFORMAT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace lowbit::onnx {

/// Keys of `external_data` entries that `detachRawData` writes.
inline constexpr llvm::StringLiteral kDetachedOffset = "lowbit.offset";
inline constexpr llvm::StringLiteral kDetachedLength = "lowbit.length";

/// Copies a serialized ModelProto without the `raw_data` of its tensors that
/// have at least `limit` bytes, wherever they stand. In their place the tensor
/// gets `external_data` entries that say where in `model` the data lies. What
/// is left is small, so that parsing it copies no weights.
llvm::Expected<std::string> detachRawData(llvm::ArrayRef<char> model,
                                          uint64_t limit);

} // namespace lowbit::onnx

#endif // LOWBIT_LIB_TARGET_ONNX_WIREFORMAT_H
