//===- BufferizableOpInterfaceImpl.cpp - bufferization of lowbit ----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/Transforms/BufferizableOpInterfaceImpl.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace lowbit;

namespace {
/// The buffer is the weight itself, which nothing may write to.
struct WeightOpInterface final
    : BufferizableOpInterface::ExternalModel<WeightOpInterface, WeightOp> {
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto weight = cast<WeightOp>(op);
    auto type = cast<RankedTensorType>(weight.getType());
    replaceOpWithNewBufferizedOp<WeightOp>(
        rewriter, op, getMemRefTypeWithStaticIdentityLayout(type),
        weight.getValue());
    return success();
  }

  bool isWritable(Operation *, Value, const AnalysisState &) const {
    return false;
  }

  FailureOr<BufferLikeType> getBufferType(Operation *, Value value,
                                          const BufferizationOptions &,
                                          const BufferizationState &,
                                          SmallVector<Value> &) const {
    return cast<BufferLikeType>(getMemRefTypeWithStaticIdentityLayout(
        cast<TensorType>(value.getType())));
  }
};

/// What kernels compute becomes the same operation on buffers. The init, the
/// last operand, is only written.
template <typename OpTy>
struct KernelOpInterface final
    : DstBufferizableOpInterfaceExternalModel<KernelOpInterface<OpTy>, OpTy> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return !cast<OpTy>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    SmallVector<Value> buffers;
    for (Value operand : op->getOperands()) {
      if (!isa<TensorType>(operand.getType())) {
        buffers.push_back(operand);
        continue;
      }
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    // The same operation, attributes included, without a result.
    OperationState newState(op->getLoc(), op->getName(), buffers,
                            /*types=*/TypeRange(), op->getAttrs());
    rewriter.setInsertionPoint(op);
    rewriter.create(newState);
    replaceOpWithBufferizedValues(rewriter, op, buffers.back());
    return success();
  }
};

/// Rows are copied into the buffer of the cache.
struct CacheAppendOpInterface final
    : DstBufferizableOpInterfaceExternalModel<CacheAppendOpInterface,
                                              CacheAppendOp> {
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto append = cast<CacheAppendOp>(op);
    rewriter.setInsertionPoint(op);
    FailureOr<Value> rows =
        getBuffer(rewriter, append.getRows(), options, state);
    FailureOr<Value> cache =
        getBuffer(rewriter, append.getCache(), options, state);
    if (failed(rows) || failed(cache))
      return failure();
    Location loc = op->getLoc();
    int64_t rank = cast<MemRefType>(cache->getType()).getRank();
    SmallVector<OpFoldResult> offsets(rank, rewriter.getIndexAttr(0));
    SmallVector<OpFoldResult> strides(rank, rewriter.getIndexAttr(1));
    offsets.front() = getAsOpFoldResult(append.getBatch());
    offsets[append.getAxis()] = getAsOpFoldResult(append.getRow());
    Value place = memref::SubViewOp::create(
        rewriter, loc, *cache, offsets,
        memref::getMixedSizes(rewriter, loc, *rows), strides);
    if (failed(options.createMemCpy(rewriter, loc, *rows, place)))
      return failure();
    replaceOpWithBufferizedValues(rewriter, op, *cache);
    return success();
  }
};
} // namespace

void lowbit::registerBufferizableOpInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, LowbitDialect *) {
    WeightOp::attachInterface<WeightOpInterface>(*context);
    PackedMatmulOp::attachInterface<KernelOpInterface<PackedMatmulOp>>(
        *context);
    AttentionOp::attachInterface<KernelOpInterface<AttentionOp>>(*context);
    CacheAppendOp::attachInterface<CacheAppendOpInterface>(*context);
  });
}
