//===- BufferClasses.cpp - buffers that may be one ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BufferClasses.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace lowbit;

static bool isMemRef(Value value) {
  return isa<BaseMemRefType>(value.getType());
}

void BufferClasses::unite(Value left, Value right) {
  if (isMemRef(left) && isMemRef(right))
    classes.unionSets(left.getAsOpaquePointer(), right.getAsOpaquePointer());
}

/// The operands of the returns of `function`, result by result.
static SmallVector<SmallVector<Value>> getReturned(func::FuncOp function) {
  SmallVector<SmallVector<Value>> returned(function.getNumResults());
  function.walk([&](func::ReturnOp op) {
    for (auto [values, operand] : llvm::zip_equal(returned, op.getOperands()))
      values.push_back(operand);
  });
  return returned;
}

void BufferClasses::uniteAliasesOf(Operation *op, SymbolTable &symbols) {
  if (auto view = dyn_cast<ViewLikeOpInterface>(op)) {
    unite(view.getViewSource(), view.getViewDest());
  } else if (auto reshape = dyn_cast<memref::ReshapeOp>(op)) {
    unite(reshape.getSource(), reshape.getResult());
  } else if (auto metadata = dyn_cast<memref::ExtractStridedMetadataOp>(op)) {
    unite(metadata.getSource(), metadata.getBaseBuffer());
  } else if (auto select = dyn_cast<arith::SelectOp>(op)) {
    unite(select.getTrueValue(), select.getResult());
    unite(select.getFalseValue(), select.getResult());
  } else if (auto branch = dyn_cast<RegionBranchOpInterface>(op)) {
    RegionBranchSuccessorMapping mapping;
    branch.getSuccessorOperandInputMapping(mapping);
    for (auto &[operand, inputs] : mapping)
      for (Value input : inputs)
        unite(operand->get(), input);
  } else if (auto branch = dyn_cast<BranchOpInterface>(op)) {
    for (auto [index, successor] : llvm::enumerate(op->getSuccessors())) {
      SuccessorOperands operands = branch.getSuccessorOperands(index);
      for (unsigned i = operands.getProducedOperandCount(); i < operands.size();
           ++i)
        unite(operands[i], successor->getArgument(i));
    }
  } else if (auto call = dyn_cast<func::CallOp>(op)) {
    auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
    // Public and external functions take and return buffers of the host.
    if (!callee || callee.isExternal() || callee.isPublic())
      return;
    for (auto [operand, argument] :
         llvm::zip_equal(call.getOperands(), callee.getArguments()))
      unite(operand, argument);
    for (auto [result, values] :
         llvm::zip_equal(call.getResults(), getReturned(callee)))
      for (Value value : values)
        unite(result, value);
  }
}

void BufferClasses::addKernelOperands(gpu::LaunchOp launch) {
  SetVector<Value> captured;
  getUsedValuesDefinedAbove(launch.getBody(), captured);
  for (Value value : captured)
    if (isMemRef(value))
      device.insert(classes.getOrInsertLeaderValue(value.getAsOpaquePointer()));
}

BufferClasses::BufferClasses(ModuleOp module) {
  SymbolTable symbols(module);
  module.walk([&](Operation *op) { uniteAliasesOf(op, symbols); });
  // Leaders change as classes grow, so the classes must be complete here.
  module.walk([&](gpu::LaunchOp launch) { addKernelOperands(launch); });
}

bool BufferClasses::isOnDevice(Value memref) const {
  auto leader = classes.findLeader(memref.getAsOpaquePointer());
  if (leader == classes.member_end())
    return device.contains(memref.getAsOpaquePointer());
  return device.contains(*leader);
}
