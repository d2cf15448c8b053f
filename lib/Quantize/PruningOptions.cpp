//===- PruningOptions.cpp - How many weights become zero ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/PruningOptions.h"
#include "lowbit/Support/OutputFile.h"

using namespace lowbit;

llvm::Error PruningOptions::check() const {
  if (!(sparsity >= 0 && sparsity <= 1))
    return makeError("sparsity is " + std::to_string(sparsity) +
                     ", but must lie in [0, 1]");
  if (block < 1)
    return makeError("the pruned blocks have " + llvm::Twine(block) +
                     " columns, but must have at least 1");
  return llvm::Error::success();
}

int64_t lowbit::getPrunedCount(double sparsity, int64_t elements) {
  return static_cast<int64_t>(sparsity * static_cast<double>(elements));
}
