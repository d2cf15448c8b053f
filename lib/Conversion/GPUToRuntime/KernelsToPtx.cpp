//===- KernelsToPtx.cpp - kernels in the NVVM dialect to PTX --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/GPU/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Target/LLVM/ModuleToObject.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "llvm/Support/TargetSelect.h"

namespace lowbit {
#define GEN_PASS_DEF_CONVERTKERNELSTOPTX
#include "lowbit/Conversion/GPU/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
/// Stops at the text, which the driver compiles.
class PtxSerializer final : public LLVM::ModuleToObject {
public:
  PtxSerializer(gpu::GPUModuleOp module, NVVM::NVVMTargetAttr target)
      : ModuleToObject(*module, target.getTriple(), target.getChip(),
                       target.getFeatures(), target.getO()) {}

private:
  FailureOr<SmallVector<char, 0>> moduleToObject(llvm::Module &llvm) override {
    FailureOr<llvm::TargetMachine *> machine = getOrCreateTargetMachine();
    if (failed(machine))
      return failure();
    FailureOr<SmallString<0>> text = translateModuleToISA(
        llvm, **machine, [&] { return getOperation().emitError(); });
    if (failed(text))
      return failure();
    // The driver reads up to a zero.
    text->push_back('\0');
    return SmallVector<char, 0>(text->begin(), text->end());
  }
};

struct ConvertKernelsToPtxPass
    : lowbit::impl::ConvertKernelsToPtxBase<ConvertKernelsToPtxPass> {
  void getDependentDialects(DialectRegistry &registry) const override {
    ConvertKernelsToPtxBase::getDependentDialects(registry);
    registerGPUDialectTranslation(registry);
    registerLLVMDialectTranslation(registry);
    registerNVVMDialectTranslation(registry);
  }

  LogicalResult initialize(MLIRContext *) override {
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return success();
  }

  void runOnOperation() override {
    SmallVector<gpu::GPUModuleOp> modules(
        getOperation().getOps<gpu::GPUModuleOp>());
    for (gpu::GPUModuleOp module : modules)
      if (failed(convert(module)))
        return signalPassFailure();
  }

private:
  static LogicalResult convert(gpu::GPUModuleOp module) {
    ArrayAttr targets = module.getTargetsAttr();
    auto target = targets && targets.size() == 1
                      ? dyn_cast<NVVM::NVVMTargetAttr>(targets[0])
                      : NVVM::NVVMTargetAttr();
    if (!target)
      return module.emitOpError("must have one #nvvm.target; "
                                "--nvvm-attach-target gives it");
    std::optional<SmallVector<char, 0>> ptx =
        PtxSerializer(module, target).run();
    if (!ptx)
      return failure(); // it has said why
    OpBuilder b(module);
    auto text = b.getStringAttr(StringRef(ptx->data(), ptx->size()));
    Attribute object = gpu::ObjectAttr::get(
        b.getContext(), target, gpu::CompilationTarget::Assembly, text,
        /*properties=*/nullptr, /*kernels=*/nullptr);
    gpu::BinaryOp::create(b, module.getLoc(), module.getName(),
                          /*offloadingHandler=*/nullptr,
                          b.getArrayAttr(object));
    module.erase();
    return success();
  }
};
} // namespace
