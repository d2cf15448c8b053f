//===- EncodeTensor.h - builds tensors of codes -----------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_DIALECT_LOWBIT_IR_ENCODETENSOR_H
#define LOWBIT_LIB_DIALECT_LOWBIT_IR_ENCODETENSOR_H

#include "FormatEmitter.h"

namespace lowbit {

/// Builds the element of a tensor at `indices`.
using ElementBuilder = llvm::function_ref<mlir::Value(
    FormatEmitter &b, llvm::ArrayRef<mlir::Value> indices)>;

/// An empty tensor whose dynamic dimensions are those of `source`.
mlir::Value buildEmpty(FormatEmitter &b, mlir::RankedTensorType type,
                       mlir::Value source);

/// A tensor whose elements `element` builds, each from its indices.
mlir::Value buildTensor(FormatEmitter &b, mlir::RankedTensorType type,
                        mlir::Value source, ElementBuilder element);

/// Packs `count` codes of type i32 along the last dimension of `type`.
mlir::Value buildPack(FormatEmitter &b, unsigned bits,
                      mlir::RankedTensorType type, mlir::Value source,
                      int64_t count, ElementBuilder code);

/// A constant of `type`, whose elements are floats of any width, that holds
/// `scale` everywhere.
mlir::Value buildScaleConstant(FormatEmitter &b, mlir::RankedTensorType type,
                               float scale);

} // namespace lowbit

#endif // LOWBIT_LIB_DIALECT_LOWBIT_IR_ENCODETENSOR_H
