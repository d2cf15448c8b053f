//===- DeduplicateKernels.cpp - keep one of equal kernels -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Two kernels are equal if their operations are, in order, with the same
// operands up to renaming; names and locations do not count. The key by which
// candidates are found is the printed signature and the number of operations,
// which tells most kernels apart at no cost.

#include "lowbit/Conversion/GPU/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/OperationSupport.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/MapVector.h"

namespace lowbit {
#define GEN_PASS_DEF_DEDUPLICATEKERNELS
#include "lowbit/Conversion/GPU/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

/// A hash of what must be equal in equal kernels and does not depend on where
/// things lie in memory from kernel to kernel.
static llvm::hash_code hashKernel(gpu::GPUFuncOp kernel) {
  llvm::hash_code hash =
      llvm::hash_value(kernel.getFunctionType().getAsOpaquePointer());
  kernel.walk([&](Operation *op) {
    hash = llvm::hash_combine(hash, op->getName().getAsOpaquePointer(),
                              op->getNumOperands());
    for (Type type : op->getResultTypes())
      hash = llvm::hash_combine(hash, type.getAsOpaquePointer());
  });
  return hash;
}

static bool areEqual(gpu::GPUFuncOp left, gpu::GPUFuncOp right) {
  if (left.getFunctionType() != right.getFunctionType() ||
      left.getNumWorkgroupAttributions() !=
          right.getNumWorkgroupAttributions() ||
      left.getKnownBlockSizeAttr() != right.getKnownBlockSizeAttr())
    return false;
  return OperationEquivalence::isRegionEquivalentTo(
      &left.getBody(), &right.getBody(), OperationEquivalence::IgnoreLocations);
}

namespace {
struct DeduplicateKernelsPass
    : lowbit::impl::DeduplicateKernelsBase<DeduplicateKernelsPass> {
  using DeduplicateKernelsBase::DeduplicateKernelsBase;
  void runOnOperation() override;
};
} // namespace

void DeduplicateKernelsPass::runOnOperation() {
  DenseMap<Attribute, SymbolRefAttr> replacements;
  for (auto device : getOperation().getOps<gpu::GPUModuleOp>()) {
    DenseMap<size_t, SmallVector<gpu::GPUFuncOp, 1>> kept;
    auto getReference = [&](gpu::GPUFuncOp kernel) {
      return SymbolRefAttr::get(device.getNameAttr(),
                                FlatSymbolRefAttr::get(kernel.getNameAttr()));
    };
    for (auto kernel :
         llvm::make_early_inc_range(device.getOps<gpu::GPUFuncOp>())) {
      if (!kernel.isKernel())
        continue;
      auto &candidates = kept[hashKernel(kernel)];
      auto *equal = llvm::find_if(candidates, [&](gpu::GPUFuncOp candidate) {
        return areEqual(candidate, kernel);
      });
      if (equal == candidates.end()) {
        candidates.push_back(kernel);
        continue;
      }
      replacements[getReference(kernel)] = getReference(*equal);
      kernel.erase();
      ++numErased;
    }
  }
  getOperation().walk([&](gpu::LaunchFuncOp launch) {
    if (SymbolRefAttr kernel = replacements.lookup(launch.getKernelAttr()))
      launch.setKernelAttr(kernel);
  });
}
