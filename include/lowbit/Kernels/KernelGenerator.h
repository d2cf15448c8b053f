//===- KernelGenerator.h - code made to measure -----------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_KERNELS_KERNELGENERATOR_H
#define LOWBIT_KERNELS_KERNELGENERATOR_H

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <memory>

namespace lowbit {

/// What a target's kernels look like. There is one
/// implementation for each kind of machine; kernels are generated for the
/// shape, the format and the features at hand.
class KernelGenerator {
public:
  virtual ~KernelGenerator();

  /// The layout in which this target wants a matmul's weight. Null if it has no
  /// kernel for these operands; `reason` then says why, and the reference
  /// lowering serves. `inputType` is null for float activations.
  virtual PackedLayoutAttrInterface
  getMatmulLayout(QuantTensorType weightType, QuantTensorType inputType,
                  std::string &reason) const = 0;

  /// Builds the body of `function`, which computes `op`: its operands are
  /// buffers, and its weight has the layout that `getMatmulLayout` chose. The
  /// arguments of the function are the operands of `op`, in order. The code
  /// depends on nothing but their types, so that equal layers share it.
  virtual void buildMatmul(mlir::func::FuncOp function,
                           PackedMatmulOp op) const = 0;

  /// The same for attention on f32 buffers.
  virtual void buildAttention(mlir::func::FuncOp function,
                              AttentionOp op) const = 0;
};

/// Tokens and panels of 16 output channels that a kernel computes together.
struct TileShape {
  int64_t tokens, panels;

  int64_t size() const { return tokens * panels; }
};

/// The shapes of a CPU kernel's tiles, which its registers limit, and its
/// loops.
struct CpuKernelOptions {
  /// From the most tokens, for each number of which a weight is unpacked once,
  /// to a single one, for which many panels are read side by side: memory
  /// reaches its bandwidth only with several streams.
  llvm::SmallVector<TileShape> tiles;
  /// The same for weights that are floats and need no unpacking.
  llvm::SmallVector<TileShape> floatTiles;
  /// Columns of a tile of float products that has several rows: with 4 rows it
  /// fills half of the registers.
  int64_t tileColumns;
  /// Whether the loops of attention may run on all threads.
  bool parallel;
};

/// The kernels of "avx2", "avx512vnni" or "neon"; for another target null, with
/// an error at `loc`.
std::unique_ptr<KernelGenerator>
createCpuKernelGenerator(llvm::StringRef target, mlir::Location loc,
                         bool parallel = true);

} // namespace lowbit

#endif // LOWBIT_KERNELS_KERNELGENERATOR_H
