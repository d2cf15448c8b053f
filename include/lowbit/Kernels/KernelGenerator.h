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
#include "lowbit/Kernels/MatmulStrategy.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <memory>
#include <optional>

namespace lowbit {

/// A product as far as its kernel depends on it.
struct MatmulSignature {
  QuantTensorType weightType;
  /// Null for float activations.
  QuantTensorType inputType;
  bool hasBias;
};

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
  /// depends on nothing but their types, so that equal layers share it. Fails,
  /// with an error, if the strategy that was asked for cannot serve `op`.
  virtual llvm::LogicalResult buildMatmul(mlir::func::FuncOp function,
                                          PackedMatmulOp op) const = 0;

  /// How the kernel of such a product, whose weight is packed, computes: as one
  /// of `tunings` says that is for this target, or else as the cost model does.
  /// Fails, with a reason, if the kernel cannot.
  virtual llvm::FailureOr<MatmulTuningAttr>
  getMatmulTuning(const MatmulSignature &product, mlir::ArrayAttr tunings,
                  std::string &reason) const = 0;

  /// What else might be the fastest for the tokens that go to one tile of a
  /// tuning: the same with other tiles there. All compute the same bits.
  virtual llvm::SmallVector<MatmulTuningAttr>
  getMatmulAlternatives(const MatmulSignature &product, MatmulTuningAttr tuning,
                        unsigned tile) const = 0;

  /// Cycles in which one core computes such a product for one token with a
  /// weight that it reads from memory, as the cost model has it: what takes
  /// longer, computing or reading. For products that there is a layout for; the
  /// weight may lack it.
  virtual double getMatmulCycles(const MatmulSignature &product) const = 0;

  /// How the kernel of `op` computes and what speaks for it, in one line.
  virtual std::string describeMatmul(PackedMatmulOp op) const = 0;

  /// The same for attention on f32 buffers.
  virtual void buildAttention(mlir::func::FuncOp function,
                              AttentionOp op) const = 0;
};

/// What decides how fast the instructions of a CPU's kernels are.
struct CpuInstructions {
  int64_t vectorBytes, registers;
  /// Vector instructions started in a cycle: of any kind, multiplications and
  /// shifts, and shuffles of bytes.
  double all, multiplies, shuffles;
  /// What one `qvec.dot` of a register is, and how many of these multiply.
  int64_t dotInstructions, dotMultiplies;
  /// The largest code that those take; larger ones are split.
  uint32_t dotMaxCode;
  /// Entries of the largest table in which one instruction looks up a register
  /// of floats, by the low bits of its indices; 0 if none does.
  uint32_t floatTableEntries;
  /// Bytes of weight that one core reads in a cycle.
  double weightBytes;
  /// Whether `qvec.mmla` is one instruction.
  bool hasMmla = false;
  /// Whether vectors may have any length; `vectorBytes` is a likely one.
  bool scalable = false;
};

/// A unit that multiplies 16 rows of bytes by as many channels, and what feeds
/// it.
struct MatrixUnit {
  /// Bytes of a row, and cycles that a product takes.
  int64_t rowBytes;
  double productCycles;
  /// The data caches of a core.
  int64_t l1Bytes, l2Bytes;
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
  /// The same for table lookups, whose sums take more registers: no more tokens
  /// than those fit.
  llvm::SmallVector<TileShape> lutTiles;
  /// Columns of a tile of float products that has several rows: with 4 rows it
  /// fills half of the registers.
  int64_t tileColumns;
  CpuInstructions instructions;
  /// Whether large loops may run on all threads.
  bool parallel;
  MatmulStrategy strategy;
  /// For int8 activations of 16 tokens and more, if there is one.
  std::optional<MatrixUnit> matrixUnit = {};
};

/// The kernels of "avx2", "avx512vnni", "amx", "neon", "i8mm", "sve" or
/// "sve-i8mm"; for another target null, with an error at `loc`.
std::unique_ptr<KernelGenerator>
createCpuKernelGenerator(llvm::StringRef target, mlir::Location loc,
                         bool parallel = true,
                         MatmulStrategy strategy = MatmulStrategy::Auto);

} // namespace lowbit

#endif // LOWBIT_KERNELS_KERNELGENERATOR_H
