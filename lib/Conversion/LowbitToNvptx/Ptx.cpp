//===- Ptx.cpp - the device code of a lowered model -----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/GPU/Passes.h"
#include "lowbit/Conversion/LowbitToNvptx/LowbitToNvptx.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace lowbit;

SmallVector<StringRef> lowbit::getPtxTexts(ModuleOp module) {
  SmallVector<StringRef> texts;
  // The driver wants a zero at the end; it is not part of the text.
  auto add = [&](StringRef text) { texts.push_back(text.rtrim('\0')); };
  for (Operation &op : module.getOps()) {
    if (auto binary = dyn_cast<gpu::BinaryOp>(op)) {
      for (Attribute attr : binary.getObjects())
        if (auto object = cast<gpu::ObjectAttr>(attr);
            object.getFormat() == gpu::CompilationTarget::Assembly)
          add(object.getObject().getValue());
    } else if (auto global = dyn_cast<LLVM::GlobalOp>(op)) {
      auto text = dyn_cast_or_null<StringAttr>(global.getValueAttr());
      if (text && global->hasAttr(kPtxAttrName))
        add(text.getValue());
    }
  }
  return texts;
}
