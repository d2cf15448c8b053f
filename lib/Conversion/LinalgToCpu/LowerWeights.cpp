//===- LowerWeights.cpp - weights through a table of addresses ------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/MapVector.h"

namespace lowbit {
#define GEN_PASS_DEF_LOWERWEIGHTSPASS
#include "lowbit/Conversion/LinalgToCpu/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

static constexpr StringLiteral tableName = "lowbit_weight_table";
static constexpr StringLiteral listName = "lowbit.weights";

namespace {
struct LowerWeightsPass final
    : lowbit::impl::LowerWeightsPassBase<LowerWeightsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<WeightOp> ops;
    module.walk([&](WeightOp op) { ops.push_back(op); });
    if (ops.empty())
      return;
    llvm::MapVector<Attribute, int32_t> entries;
    SmallVector<int32_t> indices;
    for (WeightOp op : ops) {
      auto type = dyn_cast<MemRefType>(op.getType());
      if (!type || !type.getLayout().isIdentity()) {
        op.emitOpError("must have a contiguous buffer as result to be reached "
                       "by its address");
        return signalPassFailure();
      }
      indices.push_back(
          entries.try_emplace(op.getValueAttr(), entries.size()).first->second);
    }

    MLIRContext *context = &getContext();
    Type pointer = LLVM::LLVMPointerType::get(context);
    auto tableType = LLVM::LLVMArrayType::get(pointer, entries.size());
    OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
    LLVM::GlobalOp::create(b, module.getLoc(), tableType, /*isConstant=*/false,
                           LLVM::Linkage::External, tableName,
                           /*value=*/Attribute());
    auto values = llvm::map_to_vector(
        entries, [](const auto &entry) { return entry.first; });
    module->setAttr(listName, b.getArrayAttr(values));

    LLVMTypeConverter converter(context);
    for (auto [op, index] : llvm::zip_equal(ops, indices)) {
      b.setInsertionPoint(op);
      Location loc = op.getLoc();
      Value table = LLVM::AddressOfOp::create(b, loc, pointer, tableName);
      Value slot = LLVM::GEPOp::create(b, loc, pointer, tableType, table,
                                       ArrayRef<LLVM::GEPArg>{0, index});
      Value address = LLVM::LoadOp::create(b, loc, pointer, slot);
      Value descriptor = MemRefDescriptor::fromStaticShape(
          b, loc, converter, cast<MemRefType>(op.getType()), address);
      auto cast =
          UnrealizedConversionCastOp::create(b, loc, op.getType(), descriptor);
      op->replaceAllUsesWith(cast);
      op->erase();
    }
  }
};
} // namespace
