//===- WriteUpdatedArguments.cpp - results in the buffers of arguments ----===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Bufferization computes a result that updates an argument in its buffer where
// it can, which is then what the function returns. Where it could not, the
// result is copied: what the caller sees does not depend on it.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/BitVector.h"

namespace lowbit {
#define GEN_PASS_DEF_WRITEUPDATEDARGUMENTSPASS
#include "lowbit/Conversion/LinalgToCpu/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

static Value lookThroughCasts(Value buffer) {
  while (auto cast = buffer.getDefiningOp<memref::CastOp>())
    buffer = cast.getSource();
  return buffer;
}

/// Copies `value` to an argument's buffer, which must be as large.
static void copyTo(ImplicitLocOpBuilder &b, Value value, Value argument) {
  auto type = cast<MemRefType>(argument.getType());
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    if (!type.isDynamicDim(dim))
      continue;
    Value isEqual = arith::CmpIOp::create(
        b, arith::CmpIPredicate::eq, memref::DimOp::create(b, value, dim),
        memref::DimOp::create(b, argument, dim));
    cf::AssertOp::create(b, isEqual,
                         "a result that updates an input has another shape");
  }
  memref::CopyOp::create(b, value, argument);
}

namespace {
struct WriteUpdatedArgumentsPass final
    : lowbit::impl::WriteUpdatedArgumentsPassBase<WriteUpdatedArgumentsPass> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function.isPublic() || function.isExternal())
      return;
    llvm::BitVector isDropped(function.getNumResults());
    function.walk([&](func::ReturnOp op) {
      ImplicitLocOpBuilder b(op.getLoc(), op);
      SmallVector<std::pair<Value, Value>> copies;
      for (unsigned i = 0; i < function.getNumResults(); ++i) {
        auto index = function.getResultAttrOfType<IntegerAttr>(
            i, LowbitDialect::updatesAttrName);
        if (!index)
          continue;
        isDropped.set(i);
        function.setArgAttr(index.getInt(), LowbitDialect::updatedAttrName,
                            b.getUnitAttr());
        Value argument = function.getArgument(index.getInt());
        Value value = lookThroughCasts(op.getOperand(i));
        if (value == argument)
          continue;
        // It may be a view of an argument that is written before it is read.
        if (!value.getDefiningOp<memref::AllocOp>())
          value = bufferization::CloneOp::create(b, value);
        copies.push_back({value, argument});
      }
      for (auto [value, argument] : copies)
        copyTo(b, value, argument);
      numCopied += copies.size();
      op->eraseOperands(isDropped);
    });
    if (failed(function.eraseResults(isDropped)))
      signalPassFailure();
  }
};
} // namespace
