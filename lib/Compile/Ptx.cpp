//===- Ptx.cpp - models to PTX --------------------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Compile/Ptx.h"
#include "lowbit/Conversion/LowbitToNvptx/LowbitToNvptx.h"
#include "lowbit/Execution/Lowering.h"
#include "lowbit/Support/OutputFile.h"

using namespace mlir;
using namespace lowbit;

/// The GPU that PTX is for, as it says itself.
static StringRef getChip(StringRef ptx) {
  StringRef target = ptx.split(".target ").second;
  return target.take_while([](char c) { return llvm::isAlnum(c) || c == '_'; });
}

llvm::Expected<std::string> lowbit::getPtx(ModuleOp module, StringRef chip) {
  SmallVector<StringRef> texts = getPtxTexts(module);
  if (texts.empty()) {
    if (llvm::Error error =
            lowerModelForGpu(module, /*entry=*/"", chip, Phase::Ptx))
      return error;
    texts = getPtxTexts(module);
  }
  if (texts.empty())
    return makeError("the model has no operation that runs on a GPU");
  if (texts.size() > 1)
    return makeError("there are " + Twine(texts.size()) +
                     " PTX texts, not one");
  if (getChip(texts.front()) != chip)
    return makeError("the model has been lowered for " +
                     getChip(texts.front()) + ", not for " + chip);
  return texts.front().str();
}
