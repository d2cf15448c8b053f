//===- KernelsToNVVM.cpp - kernels to LLVM --------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/GPU/Passes.h"
#include "mlir/Conversion/ArithCommon/AttrToLLVMConverter.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/LLVMCommon/VectorPattern.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Transforms/DialectConversion.h"

namespace lowbit {
#define GEN_PASS_DEF_CONVERTKERNELSTONVVM
#include "lowbit/Conversion/GPU/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

template <typename SourceOp, typename TargetOp>
using FloatLowering =
    VectorConvertToLLVMPattern<SourceOp, TargetOp,
                               arith::AttrConvertFastMathToLLVM>;
using MaxNumLowering = FloatLowering<arith::MaxNumFOp, LLVM::MaxNumOp>;
using MinNumLowering = FloatLowering<arith::MinNumFOp, LLVM::MinNumOp>;
using RemainderLowering = FloatLowering<arith::RemFOp, LLVM::FRemOp>;

/// Upstream's patterns call NVIDIA's library for some functions; here nobody
/// links it.
static LogicalResult checkLibraryCalls(gpu::GPUModuleOp module) {
  for (auto function : module.getOps<LLVM::LLVMFuncOp>())
    if (function.isExternal() && function.getName().starts_with("__nv_"))
      return module.emitOpError("needs '")
             << function.getName()
             << "' of NVIDIA's libdevice; --expand-gpu-math writes out what "
                "kernels compute";
  return success();
}

/// The alignment of the widest loads, which kernels rely on.
static void alignSharedMemory(gpu::GPUModuleOp module) {
  for (auto global : module.getOps<LLVM::GlobalOp>())
    if (global.getAddrSpace() ==
        static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared))
      global.setAlignment(16);
}

namespace {
struct ConvertKernelsToNVVMPass
    : lowbit::impl::ConvertKernelsToNVVMBase<ConvertKernelsToNVVMPass> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    LLVMTypeConverter converter(context);
    configureGpuToNVVMTypeConverter(converter);
    RewritePatternSet patterns(context);
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    populateFuncToLLVMConversionPatterns(converter, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
    // Preferred to the calls of NVIDIA's library among the last patterns; so
    // are those below.
    populateMathToLLVMConversionPatterns(converter, patterns,
                                         /*approximateLog1p=*/false,
                                         /*benefit=*/2);
    patterns.add<MaxNumLowering, MinNumLowering, RemainderLowering>(
        converter, /*benefit=*/2);
    populateVectorToLLVMConversionPatterns(converter, patterns);
    populateGpuToNVVMConversionPatterns(converter, patterns);

    LLVMConversionTarget target(*context);
    configureGpuToNVVMConversionLegality(target);
    // That declares intrinsics illegal for which NVIDIA's library has a
    // function; these the backend selects itself.
    target.addLegalOp<LLVM::SqrtOp, LLVM::FAbsOp, LLVM::FCeilOp, LLVM::FFloorOp,
                      LLVM::FTruncOp, LLVM::RoundEvenOp, LLVM::CopySignOp,
                      LLVM::FMAOp, LLVM::MaxNumOp, LLVM::MinNumOp,
                      LLVM::FRemOp>();
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))) ||
        failed(checkLibraryCalls(getOperation())))
      return signalPassFailure();
    alignSharedMemory(getOperation());
  }
};
} // namespace
