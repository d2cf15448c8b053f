//===- FloatPanelMatmul.h - matmul kernels on float panels -----*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_KERNELS_FLOATPANELMATMUL_H
#define LOWBIT_LIB_KERNELS_FLOATPANELMATMUL_H

#include "PanelMatmul.h"

namespace lowbit {

/// Builds the body of `function`, whose arguments are the operands of a
/// `lowbit.packed_matmul` with a weight of floats, from tiles of the most
/// tokens to those of one.
void buildFloatPanelMatmulBody(mlir::func::FuncOp function,
                               PanelMatmulSpec spec,
                               llvm::ArrayRef<MatmulTile> tiles,
                               const CpuKernelOptions &options);

} // namespace lowbit

#endif // LOWBIT_LIB_KERNELS_FLOATPANELMATMUL_H
