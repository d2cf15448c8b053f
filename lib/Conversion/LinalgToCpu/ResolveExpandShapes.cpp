//===- ResolveExpandShapes.cpp - several unknown sizes in a group ---------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lowbit {
#define GEN_PASS_DEF_RESOLVEEXPANDSHAPESPASS
#include "lowbit/Conversion/LinalgToCpu/Passes.h.inc"
} // namespace lowbit

using namespace mlir;

/// The sizes are operands of the op; the strides within a group follow from
/// that of the source dimension.
static void resolve(memref::ExpandShapeOp op) {
  OpBuilder builder(op);
  ImplicitLocOpBuilder b(op.getLoc(), builder);
  auto metadata = memref::ExtractStridedMetadataOp::create(b, op.getSrc());
  SmallVector<OpFoldResult> sizes = op.getMixedOutputShape();
  int64_t knownOffset;
  SmallVector<int64_t> knownStrides;
  MemRefType type = op.getResultType();
  (void)type.getStridesAndOffset(knownStrides, knownOffset);

  SmallVector<OpFoldResult> strides(sizes.size());
  for (auto [dim, group] : llvm::enumerate(op.getReassociationIndices())) {
    Value stride = metadata.getStrides()[dim];
    for (int64_t index : llvm::reverse(group)) {
      strides[index] = ShapedType::isDynamic(knownStrides[index])
                           ? OpFoldResult(stride)
                           : b.getIndexAttr(knownStrides[index]);
      Value size = getValueOrCreateConstantIndexOp(b, b.getLoc(), sizes[index]);
      stride = b.createOrFold<arith::MulIOp>(stride, size);
    }
  }
  OpFoldResult offset = ShapedType::isDynamic(knownOffset)
                            ? OpFoldResult(metadata.getOffset())
                            : b.getIndexAttr(knownOffset);
  auto cast = memref::ReinterpretCastOp::create(
      b, type, metadata.getBaseBuffer(), offset, sizes, strides);
  op->replaceAllUsesWith(cast);
  op->erase();
}

namespace {
struct ResolveExpandShapesPass final
    : lowbit::impl::ResolveExpandShapesPassBase<ResolveExpandShapesPass> {
  void runOnOperation() override {
    SmallVector<memref::ExpandShapeOp> ops;
    getOperation().walk([&](memref::ExpandShapeOp op) { ops.push_back(op); });
    for (memref::ExpandShapeOp op : ops) {
      ArrayRef<int64_t> shape = op.getResultType().getShape();
      if (llvm::any_of(op.getReassociationIndices(), [&](auto &group) {
            return llvm::count_if(group, [&](int64_t index) {
                     return ShapedType::isDynamic(shape[index]);
                   }) > 1;
          }))
        resolve(op);
    }
  }
};
} // namespace
