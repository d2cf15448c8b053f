//===- EmitEntry.cpp - the entry point of one C signature -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lowbit {
#define GEN_PASS_DEF_EMITENTRYPASS
#include "lowbit/Conversion/LinalgToCpu/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

static constexpr StringLiteral entryName = "lowbit_entry";

/// Loads element `index` of the array of descriptor pointers.
static Value loadPointer(ImplicitLocOpBuilder &b, Value array, int32_t index) {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value slot = LLVM::GEPOp::create(b, pointer, pointer, array,
                                   ArrayRef<LLVM::GEPArg>{index});
  return LLVM::LoadOp::create(b, pointer, slot);
}

namespace {
struct EmitEntryPass final : lowbit::impl::EmitEntryPassBase<EmitEntryPass> {
  using EmitEntryPassBase::EmitEntryPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto callee = module.lookupSymbol<func::FuncOp>(function);
    if (!callee || callee.isExternal()) {
      // Not of the op, which would be printed with all that is in it.
      mlir::emitError(module.getLoc())
          << "entry is '" << function
          << "', but the module has no such function to call from "
          << entryName;
      return signalPassFailure();
    }
    FunctionType type = callee.getFunctionType();
    for (Type operand :
         llvm::concat<const Type>(type.getInputs(), type.getResults()))
      if (!isa<MemRefType>(operand)) {
        callee.emitError("must take and return ranked tensors only to be "
                         "called from ")
            << entryName << ", got " << operand;
        return signalPassFailure();
      }

    MLIRContext *context = &getContext();
    LLVMTypeConverter converter(context);
    ImplicitLocOpBuilder b(callee.getLoc(), context);
    b.setInsertionPointToEnd(module.getBody());
    auto entryType = LLVM::LLVMFunctionType::get(
        LLVM::LLVMVoidType::get(context), LLVM::LLVMPointerType::get(context));
    auto entry = LLVM::LLVMFuncOp::create(b, entryName, entryType);
    Block *block = entry.addEntryBlock(b);
    b.setInsertionPointToStart(block);
    Value descriptors = block->getArgument(0);

    SmallVector<Value> operands;
    for (auto [index, input] : llvm::enumerate(type.getInputs())) {
      Value descriptor = LLVM::LoadOp::create(
          b, converter.convertType(input), loadPointer(b, descriptors, index));
      operands.push_back(
          UnrealizedConversionCastOp::create(b, input, descriptor)
              .getResult(0));
    }
    auto call = func::CallOp::create(b, callee, operands);
    for (auto [index, result] : llvm::enumerate(call.getResults())) {
      Value descriptor = UnrealizedConversionCastOp::create(
                             b, converter.convertType(result.getType()), result)
                             .getResult(0);
      LLVM::StoreOp::create(
          b, descriptor,
          loadPointer(b, descriptors, type.getNumInputs() + index));
    }
    LLVM::ReturnOp::create(b, ValueRange());
  }
};
} // namespace
