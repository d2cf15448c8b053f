//===- OutlineLinalg.cpp - equal operations share their code --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/StringMap.h"

namespace lowbit {
#define GEN_PASS_DEF_OUTLINELINALGPASS
#include "lowbit/Conversion/LinalgToCpu/Passes.h.inc"
} // namespace lowbit

using namespace mlir;

/// The values that `op` uses from outside, without repetition; numbers, which
/// the function shall know, apart.
static void collectInputs(Operation *op, llvm::SetVector<Value> &inputs,
                          llvm::SetVector<Operation *> &constants) {
  llvm::SetVector<Value> used;
  used.insert(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), used);
  for (Value value : used) {
    if (value.getType().isIntOrIndexOrFloat() &&
        matchPattern(value, m_Constant()))
      constants.insert(value.getDefiningOp());
    else
      inputs.insert(value);
  }
}

/// A function that consists of `op`.
static func::FuncOp buildFunction(Operation *op, ArrayRef<Value> inputs,
                                  ArrayRef<Operation *> constants) {
  OpBuilder b(op->getContext());
  auto type = b.getFunctionType(ValueRange(inputs).getTypes(), {});
  // Equal functions are recognized by their text, name included.
  std::string name = ("lowbit_" + op->getName().stripDialect()).str();
  auto function = func::FuncOp::create(op->getLoc(), name, type);
  function.setPrivate();
  function.setNoInline(true);
  b.setInsertionPointToStart(function.addEntryBlock());
  IRMapping mapping;
  mapping.map(inputs, function.getArguments());
  for (Operation *constant : constants)
    b.clone(*constant, mapping);
  b.clone(*op, mapping);
  func::ReturnOp::create(b, op->getLoc());
  return function;
}

static std::string getText(func::FuncOp function) {
  std::string text;
  llvm::raw_string_ostream os(text);
  function->print(os, OpPrintingFlags().useLocalScope().assumeVerified());
  return text;
}

namespace {
struct OutlineLinalgPass final
    : lowbit::impl::OutlineLinalgPassBase<OutlineLinalgPass> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
      if (!isa<scf::ForallOp>(op) &&
          !(linalgOp && linalgOp.hasPureBufferSemantics() &&
            linalgOp.getNumLoops() > 0))
        return WalkResult::advance();
      ops.push_back(op);
      return WalkResult::skip();
    });
    SymbolTable symbols(getOperation());
    llvm::StringMap<func::FuncOp> known;
    for (Operation *op : ops) {
      llvm::SetVector<Value> inputs;
      llvm::SetVector<Operation *> constants;
      collectInputs(op, inputs, constants);
      func::FuncOp function =
          buildFunction(op, inputs.getArrayRef(), constants.getArrayRef());
      auto [entry, isNew] = known.try_emplace(getText(function), function);
      if (isNew) {
        symbols.insert(function);
        ++numFunctions;
      } else {
        function->erase();
      }
      OpBuilder b(op);
      func::CallOp::create(b, op->getLoc(), entry->second,
                           inputs.getArrayRef());
      op->erase();
      ++numOutlined;
    }
  }
};
} // namespace
