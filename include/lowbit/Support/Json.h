//===- Json.h - JSON that says everything once -------------------*- C++-*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_SUPPORT_JSON_H
#define LOWBIT_SUPPORT_JSON_H

#include "llvm/Support/JSON.h"

namespace lowbit {

/// Parses what users write or other programs have stored. An object with two
/// entries of one key is an error that names the key; LLVM's parser would keep
/// the last of them.
llvm::Expected<llvm::json::Value> parseJson(llvm::StringRef text);

} // namespace lowbit

#endif // LOWBIT_SUPPORT_JSON_H
