//===- GPUHostToLLVM.cpp - launches as calls ------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The host's side of a GPU program, in terms of Lowbit's runtime (lib/Runtime,
// lowbit/Runtime/gpu.h). Upstream's gpu-to-llvm would do, but its runtime has
// no way to report an error, loads modules before main, and creates and
// destroys a stream for each launch.

#include "EmulateKernels.h"
#include "lowbit/Conversion/GPU/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Transforms/DialectConversion.h"
#include "llvm/ADT/SetVector.h"

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

/// A zero-terminated constant.
static LLVM::GlobalOp getString(Operation *op, StringRef name, StringRef text) {
  auto module = op->getParentOfType<ModuleOp>();
  if (auto global = module.lookupSymbol<LLVM::GlobalOp>(name))
    return global;
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  std::string terminated = text.str() + '\0';
  return LLVM::GlobalOp::create(
      builder, module.getLoc(),
      LLVM::LLVMArrayType::get(builder.getI8Type(), terminated.size()),
      /*isConstant=*/true, LLVM::Linkage::Internal, name,
      builder.getStringAttr(terminated));
}

static std::string getHostName(gpu::LaunchFuncOp op) {
  return lowbit::getHostName(op.getKernelModuleName(), op.getKernelName());
}

static StringAttr getModuleSlotName(gpu::LaunchFuncOp op) {
  return StringAttr::get(op.getContext(),
                         op.getKernelModuleName().getValue() + "_module");
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
    rewriter.replaceOp(
        op, Value(createMemRefDescriptor(loc, op.getType(), pointer, pointer,
                                         sizes, strides, rewriter)));
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
    Location loc = op.getLoc();
    auto targetType = cast<MemRefType>(op.getDst().getType());
    auto sourceType = cast<MemRefType>(op.getSrc().getType());
    MemRefDescriptor source(adaptor.getSrc()), target(adaptor.getDst());
    Value bytes = getSizeInBytes(loc, sourceType.getElementType(), rewriter);
    for (int64_t i = 0; i < sourceType.getRank(); ++i)
      bytes = LLVM::MulOp::create(rewriter, loc, bytes,
                                  source.size(rewriter, loc, i));
    Value to = target.bufferPtr(rewriter, loc, *getTypeConverter(), targetType);
    Value from =
        source.bufferPtr(rewriter, loc, *getTypeConverter(), sourceType);
    callRuntime(rewriter, op, ("lowbit_gpu_copy_" + direction.getValue()).str(),
                {to, from, bytes});
    rewriter.eraseOp(op);
    return success();
  }
};

/// The host's memory of a constant is found by the same operation without the
/// mark, which the lowering of the host's program knows.
template <typename OpTy>
struct LowerDeviceConstant final : ConvertOpToLLVMPattern<OpTy> {
  using ConvertOpToLLVMPattern<OpTy>::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto slotName = op->template getAttrOfType<StringAttr>(kDeviceAttrName);
    if (!slotName)
      return rewriter.notifyMatchFailure(op, "a constant of the host");
    Location loc = op.getLoc();
    auto type = cast<MemRefType>(op->getResult(0).getType());
    SmallVector<Value> sizes, strides;
    Value bytes;
    this->getMemRefDescriptorSizes(loc, type, {}, rewriter, sizes, strides,
                                   bytes);
    Operation *host = rewriter.clone(*op);
    host->removeAttr(kDeviceAttrName);
    Value number = memref::ExtractAlignedPointerAsIndexOp::create(
        rewriter, loc, host->getResult(0));
    number = arith::IndexCastOp::create(rewriter, loc, rewriter.getI64Type(),
                                        number);
    Value address = LLVM::IntToPtrOp::create(rewriter, loc,
                                             getPointerType(rewriter), number);
    Value slot = getSlot(rewriter, op, slotName.getValue());
    Value pointer =
        callRuntime(rewriter, op, "lowbit_gpu_constant", {slot, address, bytes},
                    getPointerType(rewriter));
    rewriter.replaceOp(
        op, Value(this->createMemRefDescriptor(loc, type, pointer, pointer,
                                               sizes, strides, rewriter)));
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
  void callDriver(gpu::LaunchFuncOp op, gpu::BinaryOp binary,
                  ArrayRef<Value> extent, Value arguments,
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

void LowerLaunch::callDriver(gpu::LaunchFuncOp op, gpu::BinaryOp binary,
                             ArrayRef<Value> extent, Value arguments,
                             ConversionPatternRewriter &rewriter) const {
  Location loc = op.getLoc();
  auto object = cast<gpu::ObjectAttr>(binary.getObjects()[0]);
  std::string base = binary.getName().str();
  std::string kernel = getHostName(op);
  LLVM::GlobalOp ptx =
      getString(op, base + "_ptx", object.getObject().getValue());
  ptx->setAttr(kPtxAttrName, rewriter.getUnitAttr());
  LLVM::GlobalOp name =
      getString(op, kernel + "_name", op.getKernelName().getValue());
  SmallVector<Value> operands{getSlot(rewriter, op, getModuleSlotName(op)),
                              LLVM::AddressOfOp::create(rewriter, loc, ptx),
                              getSlot(rewriter, op, kernel + "_function"),
                              LLVM::AddressOfOp::create(rewriter, loc, name)};
  llvm::append_range(operands, extent);
  operands.push_back(arguments);
  callRuntime(rewriter, op, "lowbit_gpu_launch", operands);
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
      FlatSymbolRefAttr::get(rewriter.getContext(), getHostName(op)));
  Value address =
      UnrealizedConversionCastOp::create(rewriter, loc, pointer, function)
          .getResult(0);
  Value cooperative =
      arith::ConstantIntOp::create(rewriter, loc, isCooperative(kernel), 32);
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
  else
    callDriver(op, symbols.lookup<gpu::BinaryOp>(op.getKernelModuleName()),
               extent, arguments, rewriter);
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

static LogicalResult checkLaunch(gpu::LaunchFuncOp op, SymbolTable &symbols,
                                 bool emulate) {
  if (op.getDynamicSharedMemorySize())
    return op.emitOpError("asks for dynamic shared memory, which the runtime "
                          "does not hand out");
  if (op.hasClusterSize())
    return op.emitOpError("asks for clusters, which the runtime does not form");
  StringAttr device = op.getKernelModuleName();
  if (emulate) {
    if (!symbols.lookup<gpu::GPUModuleOp>(device))
      return op.emitOpError("needs @")
             << device.getValue() << " as a gpu.module to be emulated";
    return success();
  }
  auto binary = symbols.lookup<gpu::BinaryOp>(device);
  if (!binary)
    return op.emitOpError("needs @")
           << device.getValue()
           << " as a gpu.binary; --convert-kernels-to-ptx makes it";
  auto object = dyn_cast<gpu::ObjectAttr>(binary.getObjects()[0]);
  if (!object || object.getFormat() != gpu::CompilationTarget::Assembly)
    return binary.emitOpError("must hold PTX, which the driver compiles");
  return success();
}

/// Whether the runtime can do what the host asks for. An error from here says
/// more than that no pattern matches.
static LogicalResult check(ModuleOp module, bool emulate) {
  SymbolTable symbols(module);
  WalkResult result = module.walk([&](Operation *op) -> WalkResult {
    if (auto async = dyn_cast<gpu::AsyncOpInterface>(op))
      if (async.getAsyncToken() || !async.getAsyncDependencies().empty())
        return op->emitOpError("must not be asynchronous; the runtime's stream "
                               "keeps the order");
    if (auto alloc = dyn_cast<gpu::AllocOp>(op); alloc && alloc.getHostShared())
      return op->emitOpError("asks for memory that the host shares, which the "
                             "runtime does not hand out");
    if (isa<gpu::MemcpyOp>(op) && !op->hasAttr(kCopyAttrName))
      return op->emitOpError("lacks '")
             << kCopyAttrName
             << "', the direction; --place-gpu-buffers sets it";
    if (auto launch = dyn_cast<gpu::LaunchFuncOp>(op))
      return checkLaunch(launch, symbols, emulate);
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

namespace {
/// The variables of the program that hold something of the runtime's.
struct HeldSlots {
  HeldSlots(ModuleOp module, bool emulate) {
    module.walk([&](Operation *op) {
      if (auto name = op->getAttrOfType<StringAttr>(kDeviceAttrName))
        constants.insert(name);
      if (auto launch = dyn_cast<gpu::LaunchFuncOp>(op); launch && !emulate)
        modules.insert(getModuleSlotName(launch));
    });
  }

  llvm::SetVector<StringAttr> constants, modules;
};
} // namespace

/// A library calls this function as its destructor; who compiles in memory
/// calls it before the code goes away.
static void buildUnload(ModuleOp module, const HeldSlots &held) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  Location loc = module.getLoc();
  Type none = LLVM::LLVMVoidType::get(module.getContext());
  auto unload = LLVM::LLVMFuncOp::create(builder, loc, kUnloadName,
                                         LLVM::LLVMFunctionType::get(none, {}));
  LLVM::GlobalDtorsOp::create(
      builder, loc, builder.getArrayAttr(FlatSymbolRefAttr::get(unload)),
      builder.getI32ArrayAttr(/*the default priority*/ 65535),
      builder.getArrayAttr(LLVM::ZeroAttr::get(module.getContext())));
  builder.setInsertionPointToStart(unload.addEntryBlock(builder));
  auto release = [&](const llvm::SetVector<StringAttr> &slots,
                     StringRef function) {
    for (StringAttr name : slots) {
      Value slot = getSlot(builder, unload, name);
      func::FuncOp callee = declareRuntimeFunction(
          module, function,
          builder.getFunctionType(slot.getType(), TypeRange()));
      func::CallOp::create(builder, loc, callee, slot);
    }
  };
  release(held.constants, "lowbit_gpu_release_constant");
  release(held.modules, "lowbit_gpu_release_module");
  LLVM::ReturnOp::create(builder, loc, ValueRange());
}

void ConvertGPUHostToLLVMPass::runOnOperation() {
  ModuleOp module = getOperation();
  if (failed(check(module, emulate)))
    return signalPassFailure();
  LLVMTypeConverter converter(&getContext());
  if (emulate)
    for (auto device : module.getOps<gpu::GPUModuleOp>())
      if (failed(emulateKernels(device, converter)))
        return signalPassFailure();

  HeldSlots held(module, emulate);
  SymbolTable symbols(module);
  RewritePatternSet patterns(&getContext());
  patterns.add<LowerAlloc, LowerDealloc, LowerCopy,
               LowerDeviceConstant<memref::GetGlobalOp>,
               LowerDeviceConstant<WeightOp>>(converter);
  patterns.add<LowerLaunch>(converter, symbols);
  ConversionTarget target(getContext());
  target.addIllegalOp<gpu::AllocOp, gpu::DeallocOp, gpu::MemcpyOp,
                      gpu::LaunchFuncOp>();
  target.addDynamicallyLegalOp<memref::GetGlobalOp, WeightOp>(
      [](Operation *op) { return !op->hasAttr(kDeviceAttrName); });
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  if (failed(applyPartialConversion(module, target, std::move(patterns))))
    return signalPassFailure();

  if (!held.constants.empty() || !held.modules.empty())
    buildUnload(module, held);
  for (Operation &op : llvm::make_early_inc_range(module.getOps()))
    if (isa<gpu::GPUModuleOp, gpu::BinaryOp>(op))
      op.erase();
  module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
}
