//===- EmulateKernels.cpp - kernels as host functions ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The same kernels, on a machine without a GPU: what a thread of the kernel
// does becomes a function of the host. It finds out who it is by asking the
// emulator (lib/Runtime), and a barrier gives control to the emulator, which
// runs the other threads of the block up to there. Memory shared by a block is
// a global variable, because blocks run one after another.

#include "EmulateKernels.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace lowbit;

bool lowbit::isCooperative(gpu::GPUFuncOp kernel) {
  return kernel
      .walk([](Operation *op) {
        return isa<gpu::BarrierOp, gpu::ShuffleOp>(op) ? WalkResult::interrupt()
                                                       : WalkResult::advance();
      })
      .wasInterrupted();
}

std::string lowbit::getHostName(StringAttr device, StringAttr kernel) {
  return (device.getValue() + "_" + kernel.getValue()).str();
}

static std::string getHostNameOf(gpu::GPUFuncOp kernel) {
  return lowbit::getHostName(
      kernel->getParentOfType<gpu::GPUModuleOp>().getNameAttr(),
      kernel.getNameAttr());
}

func::FuncOp lowbit::declareRuntimeFunction(ModuleOp module, StringRef name,
                                            FunctionType type) {
  if (auto function = module.lookupSymbol<func::FuncOp>(name))
    return function;
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  auto function = func::FuncOp::create(builder, module.getLoc(), name, type);
  function.setPrivate();
  return function;
}

static Value callEmulator(OpBuilder &builder, Operation *op, StringRef name,
                          ValueRange operands, Type result) {
  func::FuncOp callee = declareRuntimeFunction(
      op->getParentOfType<ModuleOp>(), ("lowbit_emulator_" + name).str(),
      builder.getFunctionType(operands.getTypes(),
                              result ? TypeRange(result) : TypeRange()));
  auto call = func::CallOp::create(builder, op->getLoc(), callee, operands);
  return result ? call.getResult(0) : Value();
}

/// Replaces a query of the position by a call with the dimension's number.
template <typename OpTy>
static void replaceQuery(OpTy op, StringRef name) {
  OpBuilder builder(op);
  Value dimension = arith::ConstantIntOp::create(
      builder, op.getLoc(), static_cast<int64_t>(op.getDimension()), 32);
  op.replaceAllUsesWith(
      callEmulator(builder, op, name, dimension, builder.getIndexType()));
  op.erase();
}

/// Values travel as 64 bits whatever their type.
static void replaceShuffle(gpu::ShuffleOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Type type = op.getValue().getType();
  Type bits = builder.getIntegerType(type.getIntOrFloatBitWidth());
  Type wide = builder.getI64Type();
  Value value = op.getValue();
  if (type != bits)
    value = arith::BitcastOp::create(builder, loc, bits, value);
  if (bits != wide)
    value = arith::ExtUIOp::create(builder, loc, wide, value);
  Value mode = arith::ConstantIntOp::create(
      builder, loc, static_cast<int64_t>(op.getMode()), 32);
  Value result =
      callEmulator(builder, op, "shuffle",
                   {value, op.getOffset(), op.getWidth(), mode}, wide);
  if (bits != wide)
    result = arith::TruncIOp::create(builder, loc, bits, result);
  if (type != bits)
    result = arith::BitcastOp::create(builder, loc, type, result);
  Value valid = arith::ConstantIntOp::create(builder, loc, 1, 1);
  op->replaceAllUsesWith(ValueRange{result, valid});
  op.erase();
}

static void replaceDeviceOps(func::FuncOp thread) {
  thread.walk([](Operation *op) {
    OpBuilder builder(op);
    if (auto id = dyn_cast<gpu::ThreadIdOp>(op)) {
      replaceQuery(id, "thread_id");
    } else if (auto id = dyn_cast<gpu::BlockIdOp>(op)) {
      replaceQuery(id, "block_id");
    } else if (auto size = dyn_cast<gpu::BlockDimOp>(op)) {
      replaceQuery(size, "block_dim");
    } else if (auto size = dyn_cast<gpu::GridDimOp>(op)) {
      replaceQuery(size, "grid_dim");
    } else if (isa<gpu::BarrierOp>(op)) {
      callEmulator(builder, op, "barrier", {}, Type());
      op->erase();
    } else if (auto shuffle = dyn_cast<gpu::ShuffleOp>(op)) {
      replaceShuffle(shuffle);
    } else if (isa<gpu::ReturnOp>(op)) {
      func::ReturnOp::create(builder, op->getLoc());
      op->erase();
    }
  });
}

/// A global variable in place of each buffer that a block shares.
static void replaceSharedBuffers(gpu::GPUFuncOp kernel, func::FuncOp thread,
                                 ModuleOp module) {
  OpBuilder globals = OpBuilder::atBlockEnd(module.getBody());
  OpBuilder builder = OpBuilder::atBlockBegin(&thread.getBody().front());
  for (auto [index, buffer] :
       llvm::enumerate(kernel.getWorkgroupAttributions())) {
    auto type = cast<MemRefType>(buffer.getType());
    auto hostType = MemRefType::get(type.getShape(), type.getElementType());
    std::string name =
        getHostNameOf(kernel) + "_shared_" + std::to_string(index);
    memref::GlobalOp::create(globals, kernel.getLoc(), name,
                             globals.getStringAttr("private"), hostType,
                             globals.getUnitAttr(), /*constant=*/false,
                             /*alignment=*/globals.getI64IntegerAttr(64));
    Value global =
        memref::GetGlobalOp::create(builder, kernel.getLoc(), hostType, name);
    thread.getArgument(kernel.getNumArguments() + index)
        .replaceAllUsesWith(global);
  }
}

/// Loads argument by argument from the array, in the order in which launches
/// promote them, and runs the thread.
static void buildEntry(gpu::GPUFuncOp kernel, func::FuncOp thread,
                       ModuleOp module, const LLVMTypeConverter &converter) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  Location loc = kernel.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(module.getContext());
  auto entry =
      func::FuncOp::create(builder, loc, getHostNameOf(kernel),
                           builder.getFunctionType(Type(pointer), TypeRange()));
  entry.setPrivate();
  builder.setInsertionPointToStart(entry.addEntryBlock());
  int32_t next = 0;
  auto loadNext = [&](Type type) {
    Value slot = LLVM::GEPOp::create(builder, loc, pointer, pointer,
                                     entry.getArgument(0),
                                     ArrayRef<LLVM::GEPArg>{next++});
    Value address = LLVM::LoadOp::create(builder, loc, pointer, slot);
    return LLVM::LoadOp::create(builder, loc, type, address).getResult();
  };
  SmallVector<Value> arguments;
  for (Type type : kernel.getArgumentTypes()) {
    Value value;
    if (auto memref = dyn_cast<MemRefType>(type)) {
      SmallVector<Value> parts;
      for (Type part : converter.getMemRefDescriptorFields(
               memref, /*unpackAggregates=*/true))
        parts.push_back(loadNext(part));
      value = MemRefDescriptor::pack(builder, loc, converter, memref, parts);
    } else {
      value = loadNext(converter.convertType(type));
    }
    if (value.getType() != type)
      value = UnrealizedConversionCastOp::create(builder, loc, type, value)
                  .getResult(0);
    arguments.push_back(value);
  }
  func::CallOp::create(builder, loc, thread, arguments);
  func::ReturnOp::create(builder, loc);
}

LogicalResult lowbit::emulateKernels(gpu::GPUModuleOp device,
                                     const LLVMTypeConverter &converter) {
  auto module = device->getParentOfType<ModuleOp>();
  for (auto kernel : device.getOps<gpu::GPUFuncOp>()) {
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    auto thread = func::FuncOp::create(
        builder, kernel.getLoc(), getHostNameOf(kernel) + "_thread",
        builder.getFunctionType(kernel.getArgumentTypes(), TypeRange()));
    thread.setPrivate();
    IRMapping mapping;
    kernel.getBody().cloneInto(&thread.getBody(), mapping);
    replaceSharedBuffers(kernel, thread, module);
    Block &body = thread.getBody().front();
    body.eraseArguments(kernel.getNumArguments(),
                        body.getNumArguments() - kernel.getNumArguments());
    replaceDeviceOps(thread);
    buildEntry(kernel, thread, module, converter);
  }
  return success();
}
