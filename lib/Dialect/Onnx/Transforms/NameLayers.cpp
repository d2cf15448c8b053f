//===- NameLayers.cpp - a name for every quantizable op -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Quantization is configured and reported by layer names, which are the names
// of nodes. Models without them, and rewrites that made two ops of one node,
// get names that depend on the graph alone.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.h"
#include "lowbit/Dialect/Onnx/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringSet.h"

namespace lowbit::onnx {
#define GEN_PASS_DEF_NAMELAYERSPASS
#include "lowbit/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lowbit::onnx

using namespace mlir;
using namespace lowbit;

/// `base`, or `base` with the first number that makes it new.
static std::string makeUnique(llvm::StringSet<> &names, StringRef base) {
  std::string name = base.str();
  for (int suffix = 1; !names.insert(name).second; ++suffix)
    name = base.str() + "_" + std::to_string(suffix);
  return name;
}

namespace {
struct NameLayersPass final
    : lowbit::onnx::impl::NameLayersPassBase<NameLayersPass> {
  void runOnOperation() override {
    llvm::StringSet<> names;
    getOperation()->walk([&](QuantizableOpInterface op) {
      if (!op.isQuantizable())
        return;
      auto loc = op->getLoc()->findInstanceOf<NameLoc>();
      StringRef own = loc ? loc.getName().getValue() : StringRef();
      StringRef base = own.empty() ? op->getName().stripDialect() : own;
      std::string name = makeUnique(names, base);
      if (name == own)
        return;
      Location child = loc ? loc.getChildLoc() : op->getLoc();
      op->setLoc(NameLoc::get(StringAttr::get(&getContext(), name), child));
    });
  }
};
} // namespace
