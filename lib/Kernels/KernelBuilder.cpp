//===- KernelBuilder.cpp - small steps that kernels are built of ----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Kernels/KernelBuilder.h"
#include "lowbit/Kernels/ParallelLoops.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace lowbit;

Value KernelBuilder::splat(VectorType type, int64_t value) {
  Type element = type.getElementType();
  Attribute scalar = element.isIntOrIndex()
                         ? Attribute(b.getIntegerAttr(element, value))
                         : Attribute(b.getFloatAttr(element, double(value)));
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, scalar));
}

KernelBuilder::Values
KernelBuilder::loop(Value begin, Value end, int64_t step, ValueRange init,
                    function_ref<Values(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, begin, end, index(step), init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Values results = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!init.empty())
    scf::YieldOp::create(b, results);
  return Values(loop.getResults());
}

void KernelBuilder::loop(Value begin, Value end, int64_t step,
                         function_ref<void(Value)> body) {
  loop(begin, end, step, ValueRange(), [&](Value at, ValueRange) {
    body(at);
    return Values();
  });
}

void KernelBuilder::ifTrue(Value condition, function_ref<void()> body) {
  auto choice = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  body();
}

void KernelBuilder::parallelLoop(Value count, Value work,
                                 function_ref<void(Value)> body) {
  buildParallelNest(b, LoopNest{{count}, {1}}, work, parallel,
                    [&](ValueRange ivs) { body(ivs[0]); });
}
