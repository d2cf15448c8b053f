//===- LowerAsserts.cpp - failed assertions end the process ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/FunctionCallUtils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/StringMap.h"

namespace lowbit {
#define GEN_PASS_DEF_LOWERASSERTSPASS
#include "lowbit/Conversion/LinalgToCpu/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

static constexpr StringLiteral failureName = "errx";

namespace {
class LowerAssertsPass final
    : public lowbit::impl::LowerAssertsPassBase<LowerAssertsPass> {
  void runOnOperation() override {
    SmallVector<cf::AssertOp> asserts;
    getOperation().walk([&](cf::AssertOp op) { asserts.push_back(op); });
    if (asserts.empty())
      return;
    MLIRContext *context = &getContext();
    auto pointer = LLVM::LLVMPointerType::get(context);
    failureType = LLVM::LLVMFunctionType::get(
        LLVM::LLVMVoidType::get(context),
        {IntegerType::get(context, 32), pointer}, /*isVarArg=*/true);
    OpBuilder b = OpBuilder::atBlockBegin(getOperation().getBody());
    LLVM::LLVMFuncOp::create(b, getOperation().getLoc(), failureName,
                             failureType);
    strings.clear();
    for (cf::AssertOp op : asserts)
      lower(op);
  }

  /// The address of a constant, zero-terminated string.
  Value getString(ImplicitLocOpBuilder &b, StringRef text) {
    LLVM::GlobalOp &global = strings[text];
    if (!global) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(getOperation().getBody());
      std::string value = (text + StringRef("\0", 1)).str();
      auto type = LLVM::LLVMArrayType::get(b.getI8Type(), value.size());
      global = LLVM::GlobalOp::create(
          b, type, /*isConstant=*/true, LLVM::Linkage::Private,
          "lowbit_message_" + std::to_string(strings.size()),
          b.getStringAttr(value));
    }
    return LLVM::AddressOfOp::create(b, global);
  }

  void lower(cf::AssertOp op) {
    ImplicitLocOpBuilder b(op.getLoc(), op);
    Block *before = op->getBlock();
    Block *after = before->splitBlock(op);
    Block *failure = b.createBlock(after);
    Value status = LLVM::ConstantOp::create(b, b.getI32Type(), 1);
    Value format = getString(b, "%s");
    Value message = getString(b, op.getMsg());
    LLVM::CallOp::create(b, failureType, failureName,
                         ValueRange{status, format, message});
    cf::BranchOp::create(b, after);
    b.setInsertionPointToEnd(before);
    cf::CondBranchOp::create(b, op.getArg(), after, failure);
    op.erase();
  }

  LLVM::LLVMFunctionType failureType;
  llvm::StringMap<LLVM::GlobalOp> strings;
};
} // namespace
