//===- OnlineAttention.h - attention without a matrix of scores -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_KERNELS_ONLINEATTENTION_H
#define LOWBIT_LIB_KERNELS_ONLINEATTENTION_H

#include "lowbit/Kernels/KernelGenerator.h"

namespace lowbit {

/// Builds the body of a kernel whose arguments are the operands of `op`.
void buildOnlineAttentionBody(mlir::func::FuncOp function, AttentionOp op,
                              const CpuKernelOptions &options);

} // namespace lowbit

#endif // LOWBIT_LIB_KERNELS_ONLINEATTENTION_H
