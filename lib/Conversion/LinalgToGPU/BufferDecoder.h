//===- BufferDecoder.h - formats' decoders on buffers --------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_LINALGTOGPU_BUFFERDECODER_H
#define LOWBIT_LIB_CONVERSION_LINALGTOGPU_BUFFERDECODER_H

#include "lowbit/Dialect/Lowbit/IR/LowbitTypes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace lowbit {

/// Reads elements of a quantized tensor inside a kernel, by what its format
/// says of tensors (`QuantFormatAttrInterface::buildDecode`): a format needs no
/// code of its own to run on a GPU.
class BufferDecoder {
public:
  /// `components` are the buffers that store a tensor of this type; `builder`
  /// is at the kernel's start.
  BufferDecoder(mlir::OpBuilder &builder, mlir::gpu::LaunchOp launch,
                QuantTensorType type, mlir::ValueRange components);

  /// The element at `indices`, in f32.
  mlir::Value build(mlir::OpBuilder &builder, mlir::Location loc,
                    mlir::ValueRange indices);

  /// A buffer in device memory that holds the value of `constant`, a tensor.
  mlir::Value getTable(mlir::arith::ConstantOp constant);

private:
  mlir::gpu::LaunchOp launch;
  QuantTensorType type;
  llvm::SmallVector<mlir::Value> components;
  llvm::SmallDenseMap<mlir::Attribute, mlir::Value> tables;
};

} // namespace lowbit

#endif // LOWBIT_LIB_CONVERSION_LINALGTOGPU_BUFFERDECODER_H
