//===- PlaceGPUBuffers.cpp - which memory is whose ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Rewrites a program in which host code and kernels use the same buffers into
// one in which each buffer lives on one side and every crossing is a copy. See
// BufferClasses.h for what lives where. Host code that reads or writes single
// elements of device memory (rare: loops that a lowering left on the host) pays
// one copy an access, which is slow but right; anything else that would touch
// device memory is an error.

#include "BufferClasses.h"
#include "lowbit/Conversion/GPU/Kernels.h"
#include "lowbit/Conversion/GPU/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/Utils/GPUUtils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace lowbit {
#define GEN_PASS_DEF_PLACEGPUBUFFERS
#include "lowbit/Conversion/GPU/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

/// Copies as one run of bytes, in the direction that the runtime needs to know.
static void buildTransfer(OpBuilder &builder, Location loc, Value target,
                          Value source, StringRef direction) {
  auto copy = gpu::MemcpyOp::create(builder, loc, TypeRange(), ValueRange(),
                                    target, source);
  copy->setAttr(kCopyAttrName, builder.getStringAttr(direction));
}

static bool isContiguous(Value memref) {
  return cast<MemRefType>(memref.getType()).getLayout().isIdentity();
}

/// The sizes of the dynamic dimensions of `memref`.
static SmallVector<Value> getDynamicSizes(OpBuilder &builder, Location loc,
                                          Value memref) {
  SmallVector<Value> sizes;
  auto type = cast<MemRefType>(memref.getType());
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      sizes.push_back(memref::DimOp::create(builder, loc, memref, i));
  return sizes;
}

static MemRefType getContiguousType(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  return MemRefType::get(type.getShape(), type.getElementType());
}

static Value buildDeviceBuffer(OpBuilder &builder, Location loc, Value like) {
  return gpu::AllocOp::create(builder, loc, getContiguousType(like),
                              /*asyncToken=*/Type(), ValueRange(),
                              getDynamicSizes(builder, loc, like), ValueRange())
      .getMemref();
}

static Value buildHostBuffer(OpBuilder &builder, Location loc, Value like) {
  return memref::AllocOp::create(builder, loc, getContiguousType(like),
                                 getDynamicSizes(builder, loc, like));
}

static void buildDeviceFree(OpBuilder &builder, Location loc, Value memref) {
  gpu::DeallocOp::create(builder, loc, TypeRange(), ValueRange(), memref);
}

/// The element of `memref` at `indices` as a buffer of its own.
static Value buildElementView(OpBuilder &builder, Location loc, Value memref,
                              ValueRange indices) {
  auto type = cast<MemRefType>(memref.getType());
  if (!type.getRank())
    return memref;
  SmallVector<OpFoldResult> ones(type.getRank(), builder.getIndexAttr(1));
  MemRefType result = memref::SubViewOp::inferRankReducedResultType(
      {}, type, getAsOpFoldResult(indices), ones, ones);
  return memref::SubViewOp::create(builder, loc, result, memref,
                                   getAsOpFoldResult(indices), ones, ones);
}

namespace {
/// Rewrites the host's operations one by one.
class Placer {
public:
  Placer(ModuleOp module) : module(module), classes(module) {}
  LogicalResult run();

private:
  LogicalResult place(Operation *op);
  void placeAllocation(memref::AllocOp op);
  void placeLoad(memref::LoadOp op);
  void placeStore(memref::StoreOp op);
  void placeCopy(memref::CopyOp op);
  void placeShape(memref::ReshapeOp op);
  void markConstant(Operation *op);
  LogicalResult placeHostCall(func::CallOp op);
  LogicalResult placeArguments(func::FuncOp function);
  void placeReturn(func::ReturnOp op);

  ModuleOp module;
  BufferClasses classes;
  /// The constants that were marked, by value; each has its own number.
  DenseMap<Attribute, unsigned> constants;
};
} // namespace

void Placer::placeAllocation(memref::AllocOp op) {
  OpBuilder builder(op);
  auto alloc =
      gpu::AllocOp::create(builder, op.getLoc(), op.getType(),
                           /*asyncToken=*/Type(), ValueRange(),
                           op.getDynamicSizes(), op.getSymbolOperands());
  op.replaceAllUsesWith(alloc.getMemref());
  op.erase();
}

/// A host buffer of one shape for all executions of `op`, which may stand in a
/// loop.
static Value buildLocal(Operation *op, MemRefType type) {
  Block &entry = op->getParentOfType<func::FuncOp>().getBody().front();
  OpBuilder builder = OpBuilder::atBlockBegin(&entry);
  return memref::AllocaOp::create(builder, op->getLoc(), type);
}

void Placer::placeLoad(memref::LoadOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Value element =
      buildElementView(builder, loc, op.getMemRef(), op.getIndices());
  Value local = buildLocal(op, MemRefType::get({}, op.getType()));
  buildTransfer(builder, loc, local, element, kCopyToHost);
  op.replaceAllUsesWith(
      memref::LoadOp::create(builder, loc, local, ValueRange()).getResult());
  op.erase();
}

void Placer::placeStore(memref::StoreOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Value local =
      buildLocal(op, MemRefType::get({}, op.getValueToStore().getType()));
  memref::StoreOp::create(builder, loc, op.getValueToStore(), local,
                          ValueRange());
  Value element =
      buildElementView(builder, loc, op.getMemRef(), op.getIndices());
  buildTransfer(builder, loc, element, local, kCopyToDevice);
  op.erase();
}

void Placer::placeCopy(memref::CopyOp op) {
  bool fromDevice = classes.isOnDevice(op.getSource());
  bool toDevice = classes.isOnDevice(op.getTarget());
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Value source = op.getSource(), target = op.getTarget();
  if (fromDevice && toDevice) {
    if (isContiguous(source) && isContiguous(target))
      buildTransfer(builder, loc, target, source, kCopyOnDevice);
    else
      buildCopyKernel(builder, loc, source, target);
  } else if (fromDevice) {
    Value packed = source, landing = target;
    if (!isContiguous(source)) {
      packed = buildDeviceBuffer(builder, loc, source);
      buildCopyKernel(builder, loc, source, packed);
    }
    if (!isContiguous(target))
      landing = buildHostBuffer(builder, loc, target);
    buildTransfer(builder, loc, landing, packed, kCopyToHost);
    if (packed != source)
      buildDeviceFree(builder, loc, packed);
    if (landing != target) {
      memref::CopyOp::create(builder, loc, landing, target);
      memref::DeallocOp::create(builder, loc, landing);
    }
  } else {
    Value packed = source, landing = target;
    if (!isContiguous(source)) {
      packed = buildHostBuffer(builder, loc, source);
      memref::CopyOp::create(builder, loc, source, packed);
    }
    if (!isContiguous(target))
      landing = buildDeviceBuffer(builder, loc, target);
    buildTransfer(builder, loc, landing, packed, kCopyToDevice);
    if (packed != source)
      memref::DeallocOp::create(builder, loc, packed);
    if (landing != target) {
      buildCopyKernel(builder, loc, landing, target);
      buildDeviceFree(builder, loc, landing);
    }
  }
  op.erase();
}

/// The host reads the shape that a reshape takes from a buffer.
void Placer::placeShape(memref::ReshapeOp op) {
  if (!classes.isOnDevice(op.getShape()))
    return;
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto type = cast<MemRefType>(op.getShape().getType());
  Value host =
      buildLocal(op, MemRefType::get(type.getShape(), type.getElementType()));
  buildTransfer(builder, loc, host, op.getShape(), kCopyToHost);
  op.getShapeMutable().assign(host);
}

LogicalResult Placer::placeArguments(func::FuncOp function) {
  OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
  for (BlockArgument argument : function.getArguments()) {
    if (!isa<BaseMemRefType>(argument.getType()) ||
        !classes.isOnDevice(argument))
      continue;
    if (!isa<MemRefType>(argument.getType()) || !isContiguous(argument))
      return function.emitError("argument ")
             << argument.getArgNumber() << " of type " << argument.getType()
             << " must be contiguous to be copied to the device";
    Location loc = argument.getLoc();
    SmallVector<OpOperand *> uses = llvm::map_to_vector(
        argument.getUses(), [](OpOperand &use) { return &use; });
    Value copy = buildDeviceBuffer(builder, loc, argument);
    buildTransfer(builder, loc, copy, argument, kCopyToDevice);
    for (OpOperand *use : uses)
      use->set(copy);
    bool isUpdated(function.getArgAttr(argument.getArgNumber(),
                                       LowbitDialect::updatedAttrName));
    function.walk([&](func::ReturnOp op) {
      OpBuilder builder(op);
      if (isUpdated)
        buildTransfer(builder, loc, argument, copy, kCopyToHost);
      buildDeviceFree(builder, loc, copy);
    });
  }
  return success();
}

void Placer::placeReturn(func::ReturnOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  SmallPtrSet<void *, 4> freed;
  for (OpOperand &operand : op->getOpOperands()) {
    Value value = operand.get();
    if (!isa<MemRefType>(value.getType()) || !classes.isOnDevice(value))
      continue;
    Value host = buildHostBuffer(builder, loc, value);
    buildTransfer(builder, loc, host, value, kCopyToHost);
    operand.set(host);
    // The caller owns what a function returns; here the caller is the host, so
    // the device's copy ends with the call.
    if (freed.insert(value.getAsOpaquePointer()).second)
      buildDeviceFree(builder, loc, value);
  }
}

/// Names the place that holds the address of a constant's copy on the device.
/// Constants of one value share it.
void Placer::markConstant(Operation *op) {
  Attribute value;
  if (auto weight = dyn_cast<WeightOp>(op))
    value = weight.getValueAttr();
  else
    value = cast<memref::GetGlobalOp>(op).getNameAttr();
  unsigned number =
      constants.try_emplace(value, constants.size()).first->second;
  op->setAttr(
      kDeviceAttrName,
      StringAttr::get(op->getContext(), "device_constant_" + Twine(number)));
}

/// Operations that only pass a buffer on, or that need not read it.
static bool forwardsBuffers(Operation *op) {
  return isa<
      ViewLikeOpInterface, RegionBranchOpInterface, BranchOpInterface,
      RegionBranchTerminatorOpInterface, memref::ExtractStridedMetadataOp,
      memref::ExtractAlignedPointerAsIndexOp, memref::DimOp, arith::SelectOp>(
      op);
}

/// Public and external functions take and return buffers of the host.
static bool callsHostFunction(func::CallOp call) {
  auto callee = dyn_cast_or_null<func::FuncOp>(call.resolveCallable());
  return !callee || callee.isPublic() || callee.isExternal();
}

LogicalResult Placer::placeHostCall(func::CallOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  OpBuilder after(op->getContext());
  after.setInsertionPointAfter(op);
  for (OpOperand &operand : op->getOpOperands()) {
    Value value = operand.get();
    if (!isa<BaseMemRefType>(value.getType()) || !classes.isOnDevice(value))
      continue;
    // The ranked buffer behind a cast to any rank.
    Value ranked = value;
    if (auto cast = value.getDefiningOp<memref::CastOp>();
        cast && isa<UnrankedMemRefType>(value.getType()))
      ranked = cast.getSource();
    if (!isa<MemRefType>(ranked.getType()) || !isContiguous(ranked))
      return op.emitOpError(
          "passes a buffer to the host that is not contiguous");
    Value host = buildHostBuffer(builder, loc, ranked);
    buildTransfer(builder, loc, host, ranked, kCopyToHost);
    operand.set(
        builder.createOrFold<memref::CastOp>(loc, value.getType(), host));
    // The callee may have written to it.
    buildTransfer(after, loc, ranked, host, kCopyToDevice);
    memref::DeallocOp::create(after, loc, host);
  }
  for (Value result : op.getResults()) {
    if (!isa<MemRefType>(result.getType()) || !classes.isOnDevice(result))
      continue;
    SmallVector<OpOperand *> uses = llvm::map_to_vector(
        result.getUses(), [](OpOperand &use) { return &use; });
    Value device = buildDeviceBuffer(after, loc, result);
    buildTransfer(after, loc, device, result, kCopyToDevice);
    memref::DeallocOp::create(after, loc, result);
    for (OpOperand *use : uses)
      use->set(device);
  }
  return success();
}

LogicalResult Placer::place(Operation *op) {
  auto onDevice = [&](Value value) {
    return isa<BaseMemRefType>(value.getType()) && classes.isOnDevice(value);
  };
  if (auto reshape = dyn_cast<memref::ReshapeOp>(op)) {
    placeShape(reshape);
    return success();
  }
  if (llvm::none_of(op->getOperands(), onDevice) &&
      llvm::none_of(op->getResults(), onDevice))
    return success();
  if (auto call = dyn_cast<func::CallOp>(op)) {
    if (callsHostFunction(call))
      return placeHostCall(call);
  } else if (auto dealloc = dyn_cast<memref::DeallocOp>(op)) {
    OpBuilder builder(op);
    buildDeviceFree(builder, op->getLoc(), dealloc.getMemref());
    op->erase();
  } else if (auto load = dyn_cast<memref::LoadOp>(op)) {
    placeLoad(load);
  } else if (auto store = dyn_cast<memref::StoreOp>(op)) {
    placeStore(store);
  } else if (auto copy = dyn_cast<memref::CopyOp>(op)) {
    placeCopy(copy);
  } else if (isa<memref::GetGlobalOp, WeightOp>(op)) {
    markConstant(op);
  } else if (auto ret = dyn_cast<func::ReturnOp>(op)) {
    if (op->getParentOfType<func::FuncOp>().isPublic())
      placeReturn(ret);
  } else if (!forwardsBuffers(op)) {
    return op->emitOpError("runs on the host but uses a buffer that kernels "
                           "use; it has no kernel of its own");
  }
  return success();
}

LogicalResult Placer::run() {
  SmallVector<Operation *> ops;
  SmallVector<memref::AllocOp> allocations;
  SmallVector<func::FuncOp> functions;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<gpu::LaunchOp, gpu::GPUModuleOp>(op))
      return WalkResult::skip();
    if (auto alloc = dyn_cast<memref::AllocOp>(op)) {
      if (classes.isOnDevice(alloc.getResult()))
        allocations.push_back(alloc);
    } else if (auto function = dyn_cast<func::FuncOp>(op)) {
      if (function.isPublic() && !function.isExternal())
        functions.push_back(function);
    } else {
      ops.push_back(op);
    }
    return WalkResult::advance();
  });
  // The classes know no new value, so what defines one changes last.
  for (Operation *op : ops)
    if (failed(place(op)))
      return failure();
  for (memref::AllocOp op : allocations)
    placeAllocation(op);
  for (func::FuncOp function : functions)
    if (failed(placeArguments(function)))
      return failure();
  return success();
}

/// Numbers and sizes that a kernel finds out itself instead of taking them as
/// arguments. Upstream's pass for this would take weights along.
static bool isCheapInKernel(Operation *op) {
  return isa<arith::ConstantOp, arith::SelectOp, arith::CmpIOp, memref::DimOp>(
             op) &&
         !isa<BaseMemRefType>(op->getResult(0).getType());
}

namespace {
struct PlaceGPUBuffersPass
    : lowbit::impl::PlaceGPUBuffersBase<PlaceGPUBuffersPass> {
  void runOnOperation() override {
    if (failed(Placer(getOperation()).run()))
      return signalPassFailure();
    // Copies may have become kernels.
    nameKernels(getOperation());
    getOperation().walk([](gpu::LaunchOp launch) {
      // It fails if there is nothing to sink only.
      (void)sinkOperationsIntoLaunchOp(launch, isCheapInKernel);
    });
  }
};
} // namespace
