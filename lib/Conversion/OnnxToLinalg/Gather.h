//===- Gather.h - safe indices ----------------------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_ONNXTOLINALG_GATHER_H
#define LOWBIT_LIB_CONVERSION_ONNXTOLINALG_GATHER_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lowbit::onnx::lowering {

/// An index that the model computed, as an index into a dimension of `size`
/// elements: counted from the end if negative, then clamped.
mlir::Value emitSafeIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value element,
                          mlir::Value size);

} // namespace lowbit::onnx::lowering

#endif // LOWBIT_LIB_CONVERSION_ONNXTOLINALG_GATHER_H
