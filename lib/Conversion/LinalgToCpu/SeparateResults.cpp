//===- SeparateResults.cpp - a buffer of its own for every result ---------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace lowbit {
#define GEN_PASS_DEF_SEPARATERESULTSPASS
#include "lowbit/Conversion/LinalgToCpu/Passes.h.inc"
} // namespace lowbit

using namespace mlir;

namespace {
struct SeparateResultsPass final
    : lowbit::impl::SeparateResultsPassBase<SeparateResultsPass> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    BufferViewFlowAnalysis aliases(function);
    function.walk([&](func::ReturnOp op) {
      // All buffers that the results so far may be views of.
      BufferViewFlowAnalysis::ValueSetT returned;
      OpBuilder builder(op);
      for (OpOperand &operand : op->getOpOperands()) {
        if (!isa<MemRefType>(operand.get().getType()))
          continue;
        auto sources = aliases.resolveReverse(operand.get());
        if (llvm::any_of(sources, [&](Value source) {
              return returned.contains(source);
            }))
          operand.set(bufferization::CloneOp::create(builder, op.getLoc(),
                                                     operand.get()));
        returned.insert(sources.begin(), sources.end());
      }
    });
  }
};
} // namespace
