//===- BufferDecoder.cpp - formats' decoders on buffers -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Kernels are built after bufferization, formats speak of tensors. A decoder
// only extracts elements, of components and of constant tables, and every such
// extraction is a load from a buffer.

#include "BufferDecoder.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferUtils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lowbit;

/// As bufferization aligns constants.
static constexpr uint64_t kTableAlignment = 64;
/// Device memory is aligned to 256 bytes; loads are of up to 16.
static constexpr uint32_t kComponentAlignment = 16;

namespace {
/// Remembers the extractions that are built.
struct ExtractionListener final : OpBuilder::Listener {
  void notifyOperationInserted(Operation *op, OpBuilder::InsertPoint) override {
    if (auto extract = dyn_cast<tensor::ExtractOp>(op))
      extracts.push_back(extract);
  }
  SmallVector<tensor::ExtractOp> extracts;
};
} // namespace

BufferDecoder::BufferDecoder(OpBuilder &builder, gpu::LaunchOp launch,
                             QuantTensorType type, ValueRange components)
    : launch(launch), type(type) {
  // Lets the backend join the loads of neighbouring elements.
  for (Value component : components) {
    bool isWhole =
        cast<MemRefType>(component.getType()).getLayout().isIdentity();
    this->components.push_back(
        isWhole ? memref::AssumeAlignmentOp::create(
                      builder, launch.getLoc(), component, kComponentAlignment)
                      .getResult()
                : component);
  }
}

Value BufferDecoder::getTable(arith::ConstantOp constant) {
  Value &table = tables[constant.getValue()];
  if (table)
    return table;
  // Kernels see no globals of the host's module: the launch passes the address.
  OpBuilder builder(launch);
  SymbolTableCollection symbols;
  memref::GlobalOp global = *bufferization::getGlobalFor(
      constant, symbols, /*alignment=*/kTableAlignment);
  table = memref::GetGlobalOp::create(builder, constant.getLoc(),
                                      global.getType(), global.getName());
  return table;
}

Value BufferDecoder::build(OpBuilder &builder, Location loc,
                           ValueRange indices) {
  ExtractionListener listener;
  OpBuilder observed(builder);
  observed.setListener(&listener);
  SmallVector<Value> tensors;
  for (Value component : components)
    tensors.push_back(bufferization::ToTensorOp::create(
        builder, loc, memref::getTensorTypeFromMemRefType(component.getType()),
        component,
        /*restrict=*/true));
  RankedTensorType expressed =
      type.getExpressedType().clone(builder.getF32Type());
  Value element =
      type.getFormat().buildDecode(observed, loc, expressed, tensors, indices);

  for (tensor::ExtractOp extract : listener.extracts) {
    Operation *source = extract.getTensor().getDefiningOp();
    Value buffer;
    if (auto constant = dyn_cast<arith::ConstantOp>(source))
      buffer = getTable(constant);
    else
      buffer = cast<bufferization::ToTensorOp>(source).getBuffer();
    OpBuilder replace(extract);
    Value loaded =
        memref::LoadOp::create(replace, loc, buffer, extract.getIndices());
    if (element == extract.getResult())
      element = loaded;
    extract.getResult().replaceAllUsesWith(loaded);
    extract.erase();
    if (isa<arith::ConstantOp>(source) && source->use_empty())
      source->erase();
  }
  for (Value tensor : tensors)
    tensor.getDefiningOp()->erase();
  return element;
}
