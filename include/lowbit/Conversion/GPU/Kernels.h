//===- Kernels.h - launches of generated kernels -------------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Builders of `gpu.launch` operations. Each computes one structured operation
// on buffers with one kernel; grid sizes follow from the buffers' run-time
// sizes, block sizes are fixed. All of them give the same bits in every run: no
// atomics, and reductions in an order that depends only on the shape.

#ifndef LOWBIT_CONVERSION_GPU_KERNELS_H
#define LOWBIT_CONVERSION_GPU_KERNELS_H

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace lowbit {

/// The lanes of a warp, which exchange values by shuffles.
constexpr int64_t kWarpSize = 32;

/// Inserts a launch named `name` whose blocks are numbered along x only (y and
/// z are limited to 65535), and calls `buildBody` with a builder inside of it.
mlir::gpu::LaunchOp buildLaunch(
    mlir::OpBuilder &builder, mlir::Location loc, llvm::StringRef name,
    mlir::Value blocks, llvm::ArrayRef<int64_t> threads,
    mlir::TypeRange sharedBuffers,
    llvm::function_ref<void(mlir::OpBuilder &, mlir::gpu::LaunchOp)> buildBody);

/// One thread for each element of the parallel iteration space; reduction
/// dimensions are loops inside the thread. Takes any structured operation on
/// buffers.
void buildMapKernel(mlir::OpBuilder &builder, mlir::linalg::LinalgOp op);

/// One warp for each element of the parallel iteration space. Lanes stride over
/// the reduction dimensions and combine their partial results in a butterfly.
/// Fails, and builds nothing, if the combiner is not a single operation with a
/// neutral element.
mlir::LogicalResult buildWarpReductionKernel(mlir::OpBuilder &builder,
                                             mlir::linalg::LinalgOp op);

/// One block for each 64x64 tile of a contraction, through tiles of its
/// operands in shared memory. Takes any number of batch, row, column and
/// reduction dimensions. Fails if `op` is not a contraction.
mlir::LogicalResult buildContractionKernel(mlir::OpBuilder &builder,
                                           mlir::linalg::LinalgOp op);

/// One warp for each row of the weight and a few tokens, which decodes the
/// weight in registers. Takes every format as it is stored; packed layouts and
/// quantized inputs are reported.
mlir::LogicalResult buildPackedMatmulKernel(mlir::OpBuilder &builder,
                                            PackedMatmulOp op);

/// Gives each launch that has no kernel module yet a name of its own in the
/// module `kernels`, in program order. The outliner needs both.
void nameKernels(mlir::ModuleOp module);

/// An elementwise copy between buffers of the same shape and any layout.
void buildCopyKernel(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value source, mlir::Value target);

} // namespace lowbit

#endif // LOWBIT_CONVERSION_GPU_KERNELS_H
