//===- GPUHostToLLVM.cpp - launches as calls ------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The host's side of a GPU program, in terms of Lowbit's runtime (lib/Runtime,
// lowbit/Runtime/gpu.h). Upstream's gpu-to-llvm would do, but its runtime has no
// way to report an error, loads modules before main, and creates and destroys a
// stream for each launch.

#include "EmulateKernels.h"
#include "lowbit/Conversion/GPU/Passes.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Transforms/DialectConversion.h"

namespace lowbit {
#define GEN_PASS_DEF_CONVERTGPUHOSTTOLLVM
#include "lowbit/Conversion/GPU/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

static LLVM::LLVMPointerType getPointerType(OpBuilder &builder) {
  return LLVM::LLVMPointerType::get(builder.getContext());
}

static Value callRuntime(ConversionPatternRewriter &rewriter, Operation *op,
                         StringRef name, ValueRange operands,
                         Type result = Type()) {
  func::FuncOp callee = declareRuntimeFunction(
      op->getParentOfType<ModuleOp>(), name,
      rewriter.getFunctionType(operands.getTypes(),
                               result ? TypeRange(result) : TypeRange()));
  auto call = func::CallOp::create(rewriter, op->getLoc(), callee, operands);
  return result ? call.getResult(0) : Value();
}

/// A pointer that the runtime keeps for this program; null at first.
static Value getSlot(OpBuilder &builder, Operation *op, StringRef name) {
  auto module = op->getParentOfType<ModuleOp>();
  Type pointer = getPointerType(builder);
  if (!module.lookupSymbol(name)) {
    OpBuilder globals = OpBuilder::atBlockBegin(module.getBody());
    auto global = LLVM::GlobalOp::create(globals, module.getLoc(), pointer,
                                         /*isConstant=*/false,
                                         LLVM::Linkage::Internal, name,
                                         /*value=*/Attribute());
    globals.createBlock(&global.getInitializerRegion());
    Value null = LLVM::ZeroOp::create(globals, module.getLoc(), pointer);
    LLVM::ReturnOp::create(globals, module.getLoc(), null);
  }
  return LLVM::AddressOfOp::create(builder, op->getLoc(), pointer, name);
}

/// The address of a zero-terminated constant.
static Value getString(OpBuilder &builder, Operation *op, StringRef name,
                       StringRef text) {
  auto module = op->getParentOfType<ModuleOp>();
  if (!module.lookupSymbol(name)) {
    OpBuilder globals = OpBuilder::atBlockBegin(module.getBody());
    std::string terminated = text.str() + '\0';
    LLVM::GlobalOp::create(
        globals, module.getLoc(),
        LLVM::LLVMArrayType::get(builder.getI8Type(), terminated.size()),
        /*isConstant=*/true, LLVM::Linkage::Internal, name,
        builder.getStringAttr(terminated));
  }
  return LLVM::AddressOfOp::create(builder, op->getLoc(),
                                   getPointerType(builder), name);
}

namespace {
struct LowerAlloc final : ConvertOpToLLVMPattern<gpu::AllocOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(gpu::AllocOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<Value> sizes, strides;
    Value bytes;
    getMemRefDescriptorSizes(loc, op.getType(), adaptor.getDynamicSizes(),
                             rewriter, sizes, strides, bytes);
    Value pointer = callRuntime(rewriter, op, "lowbit_gpu_alloc", bytes,
                                getPointerType(rewriter));
    rewriter.replaceOp(op, Value(createMemRefDescriptor(loc, op.getType(),
                                                        pointer, pointer, sizes,
                                                        strides, rewriter)));
    return success();
  }
};

struct LowerDealloc final : ConvertOpToLLVMPattern<gpu::DeallocOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(gpu::DeallocOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Value pointer = MemRefDescriptor(adaptor.getMemref())
                        .allocatedPtr(rewriter, op.getLoc());
    callRuntime(rewriter, op, "lowbit_gpu_free", pointer);
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerCopy final : ConvertOpToLLVMPattern<gpu::MemcpyOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(gpu::MemcpyOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto direction = op->getAttrOfType<StringAttr>(kCopyAttrName);
    if (!direction)
      return rewriter.notifyMatchFailure(op, "the direction is not known");
    Location loc = op.getLoc();
    auto targetType = cast<MemRefType>(op.getDst().getType());
    auto sourceType = cast<MemRefType>(op.getSrc().getType());
    MemRefDescriptor source(adaptor.getSrc()), target(adaptor.getDst());
    Value bytes = getSizeInBytes(loc, sourceType.getElementType(), rewriter);
    for (int64_t i = 0; i < sourceType.getRank(); ++i)
      bytes = LLVM::MulOp::create(rewriter, loc, bytes,
                                  source.size(rewriter, loc, i));
    Value to = target.bufferPtr(rewriter, loc, *getTypeConverter(), targetType);
    Value from = source.bufferPtr(rewriter, loc, *getTypeConverter(), sourceType);
    callRuntime(rewriter, op, ("lowbit_gpu_copy_" + direction.getValue()).str(),
                {to, from, bytes});
    rewriter.eraseOp(op);
    return success();
  }
};

/// A constant's device address is kept in a variable of its own, which the
/// runtime fills at the first use.
struct LowerDeviceConstant final : ConvertOpToLLVMPattern<memref::GetGlobalOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(memref::GetGlobalOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!op->hasAttr(kDeviceAttrName))
      return rewriter.notifyMatchFailure(op, "a constant of the host");
    Location loc = op.getLoc();
    auto type = cast<MemRefType>(op.getType());
    SmallVector<Value> sizes, strides;
    Value bytes;
    getMemRefDescriptorSizes(loc, type, {}, rewriter, sizes, strides, bytes);
    Value host = memref::GetGlobalOp::create(rewriter, loc, type, op.getName());
    Value number =
        memref::ExtractAlignedPointerAsIndexOp::create(rewriter, loc, host);
    number = arith::IndexCastOp::create(rewriter, loc, rewriter.getI64Type(),
                                        number);
    Value address = LLVM::IntToPtrOp::create(
        rewriter, loc, getPointerType(rewriter), number);
    Value slot = getSlot(rewriter, op, (op.getName() + "_on_device").str());
    Value pointer = callRuntime(rewriter, op, "lowbit_gpu_constant",
                                {slot, address, bytes},
                                getPointerType(rewriter));
    rewriter.replaceOp(op, Value(createMemRefDescriptor(loc, type, pointer,
                                                        pointer, sizes, strides,
                                                        rewriter)));
    return success();
  }
};

struct LowerLaunch final : ConvertOpToLLVMPattern<gpu::LaunchFuncOp> {
  LowerLaunch(const LLVMTypeConverter &converter, SymbolTable &symbols)
      : ConvertOpToLLVMPattern(converter), symbols(symbols) {}
  LogicalResult
  matchAndRewrite(gpu::LaunchFuncOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override;

private:
  Value packArguments(gpu::LaunchFuncOp op, OpAdaptor adaptor,
                      ConversionPatternRewriter &rewriter) const;
  LogicalResult callDriver(gpu::LaunchFuncOp op, ArrayRef<Value> extent,
                           Value arguments,
                           ConversionPatternRewriter &rewriter) const;
  void callEmulator(gpu::LaunchFuncOp op, gpu::GPUModuleOp device,
                    ArrayRef<Value> extent, Value arguments,
                    ConversionPatternRewriter &rewriter) const;

  SymbolTable &symbols;
};
} // namespace

/// Stores the arguments on the stack and returns an array of pointers to them.
Value LowerLaunch::packArguments(gpu::LaunchFuncOp op, OpAdaptor adaptor,
                                 ConversionPatternRewriter &rewriter) const {
  Location loc = op.getLoc();
  Type pointer = getPointerType(rewriter);
  SmallVector<Value> arguments = getTypeConverter()->promoteOperands(
      loc, op.getKernelOperands(), adaptor.getKernelOperands(), rewriter);
  Value one = LLVM::ConstantOp::create(rewriter, loc, rewriter.getI64Type(), 1);
  SmallVector<Type> types = llvm::to_vector(ValueRange(arguments).getTypes());
  auto structType =
      LLVM::LLVMStructType::getLiteral(rewriter.getContext(), types);
  Value values =
      LLVM::AllocaOp::create(rewriter, loc, pointer, structType, one);
  auto arrayType = LLVM::LLVMArrayType::get(pointer, arguments.size());
  Value array = LLVM::AllocaOp::create(rewriter, loc, pointer, arrayType, one);
  for (auto [index, argument] : llvm::enumerate(arguments)) {
    auto position = static_cast<int32_t>(index);
    Value value =
        LLVM::GEPOp::create(rewriter, loc, pointer, structType, values,
                            ArrayRef<LLVM::GEPArg>{0, position});
    LLVM::StoreOp::create(rewriter, loc, argument, value);
    Value element = LLVM::GEPOp::create(rewriter, loc, pointer, pointer, array,
                                        ArrayRef<LLVM::GEPArg>{position});
    LLVM::StoreOp::create(rewriter, loc, value, element);
  }
  return array;
}

LogicalResult
LowerLaunch::callDriver(gpu::LaunchFuncOp op, ArrayRef<Value> extent,
                        Value arguments,
                        ConversionPatternRewriter &rewriter) const {
  auto binary = symbols.lookup<gpu::BinaryOp>(op.getKernelModuleName());
  if (!binary)
    return op.emitError("has no compiled kernel");
  auto object = cast<gpu::ObjectAttr>(binary.getObjects()[0]);
  std::string base = binary.getName().str();
  std::string kernel = op.getKernelName().str();
  SmallVector<Value> operands{
      getSlot(rewriter, op, base + "_module"),
      getString(rewriter, op, base + "_ptx", object.getObject().getValue()),
      getSlot(rewriter, op, kernel + "_function"),
      getString(rewriter, op, kernel + "_name", kernel)};
  llvm::append_range(operands, extent);
  operands.push_back(arguments);
  callRuntime(rewriter, op, "lowbit_gpu_launch", operands);
  return success();
}

void LowerLaunch::callEmulator(gpu::LaunchFuncOp op, gpu::GPUModuleOp device,
                               ArrayRef<Value> extent, Value arguments,
                               ConversionPatternRewriter &rewriter) const {
  Location loc = op.getLoc();
  auto kernel = device.lookupSymbol<gpu::GPUFuncOp>(op.getKernelName());
  Type pointer = getPointerType(rewriter);
  auto type = rewriter.getFunctionType(pointer, TypeRange());
  Value function = func::ConstantOp::create(
      rewriter, loc, type,
      FlatSymbolRefAttr::get(rewriter.getContext(), op.getKernelName()));
  Value address =
      UnrealizedConversionCastOp::create(rewriter, loc, pointer, function)
          .getResult(0);
  Value cooperative = arith::ConstantIntOp::create(
      rewriter, loc, isCooperative(kernel), 32);
  SmallVector<Value> operands{address, cooperative};
  llvm::append_range(operands, extent);
  operands.push_back(arguments);
  callRuntime(rewriter, op, "lowbit_emulator_launch", operands);
}

LogicalResult
LowerLaunch::matchAndRewrite(gpu::LaunchFuncOp op, OpAdaptor adaptor,
                             ConversionPatternRewriter &rewriter) const {
  Location loc = op.getLoc();
  // Launches may stand in loops; their arguments must not pile up.
  Value stack =
      LLVM::StackSaveOp::create(rewriter, loc, getPointerType(rewriter));
  Value arguments = packArguments(op, adaptor, rewriter);
  SmallVector<Value> extent{adaptor.getGridSizeX(),  adaptor.getGridSizeY(),
                            adaptor.getGridSizeZ(),  adaptor.getBlockSizeX(),
                            adaptor.getBlockSizeY(), adaptor.getBlockSizeZ()};
  if (auto device = symbols.lookup<gpu::GPUModuleOp>(op.getKernelModuleName()))
    callEmulator(op, device, extent, arguments, rewriter);
  else if (failed(callDriver(op, extent, arguments, rewriter)))
    return failure();
  LLVM::StackRestoreOp::create(rewriter, loc, stack);
  rewriter.eraseOp(op);
  return success();
}

namespace {
struct ConvertGPUHostToLLVMPass
    : lowbit::impl::ConvertGPUHostToLLVMBase<ConvertGPUHostToLLVMPass> {
  using ConvertGPUHostToLLVMBase::ConvertGPUHostToLLVMBase;
  void runOnOperation() override;
};
} // namespace

void ConvertGPUHostToLLVMPass::runOnOperation() {
  ModuleOp module = getOperation();
  LLVMTypeConverter converter(&getContext());
  if (emulate)
    for (auto device : module.getOps<gpu::GPUModuleOp>())
      if (failed(emulateKernels(device, converter)))
        return signalPassFailure();

  SymbolTable symbols(module);
  RewritePatternSet patterns(&getContext());
  patterns.add<LowerAlloc, LowerDealloc, LowerCopy, LowerDeviceConstant>(
      converter);
  patterns.add<LowerLaunch>(converter, symbols);
  ConversionTarget target(getContext());
  target.addIllegalOp<gpu::AllocOp, gpu::DeallocOp, gpu::MemcpyOp,
                      gpu::LaunchFuncOp>();
  target.addDynamicallyLegalOp<memref::GetGlobalOp>(
      [](Operation *op) { return !op->hasAttr(kDeviceAttrName); });
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  if (failed(applyPartialConversion(module, target, std::move(patterns))))
    return signalPassFailure();

  for (Operation &op : llvm::make_early_inc_range(module.getOps()))
    if (isa<gpu::GPUModuleOp, gpu::BinaryOp>(op))
      op.erase();
  module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
}
