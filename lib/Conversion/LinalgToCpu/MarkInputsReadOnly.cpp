//===- MarkInputsReadOnly.cpp - inputs belong to the caller ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SmallBitVector.h"

namespace lowbit {
#define GEN_PASS_DEF_MARKINPUTSREADONLYPASS
#include "lowbit/Conversion/LinalgToCpu/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
struct MarkInputsReadOnlyPass final
    : lowbit::impl::MarkInputsReadOnlyPassBase<MarkInputsReadOnlyPass> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function.isPublic())
      return;
    llvm::SmallBitVector isUpdated(function.getNumArguments());
    for (unsigned i = 0; i < function.getNumResults(); ++i)
      if (auto argument = function.getResultAttrOfType<IntegerAttr>(
              i, LowbitDialect::updatesAttrName))
        isUpdated.set(argument.getInt());
    StringRef name = bufferization::BufferizationDialect::kWritableAttrName;
    for (BlockArgument argument : function.getArguments())
      if (isa<TensorType>(argument.getType()))
        function.setArgAttr(
            argument.getArgNumber(), name,
            BoolAttr::get(&getContext(), isUpdated[argument.getArgNumber()]));
  }
};
} // namespace
