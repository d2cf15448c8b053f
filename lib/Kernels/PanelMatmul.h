//===- PanelMatmul.h - matmul kernels that read panels ----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_KERNELS_PANELMATMUL_H
#define LOWBIT_LIB_KERNELS_PANELMATMUL_H

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Lowbit/IR/PanelsGeometry.h"
#include "lowbit/Kernels/KernelBuilder.h"
#include "lowbit/Kernels/KernelGenerator.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace lowbit {

/// Everything that the code of a panel kernel depends on.
struct PanelMatmulSpec {
  /// Output and input channels.
  int64_t n, k;
  PanelsGeometry geometry;
  /// Codes go from 0 to this.
  uint32_t maxCode = 0;
  /// Subtracted from every code if there are no zero points.
  int32_t codeOffset = 0;
  /// Of zero points, which are codes if it is i8; null if there are none.
  mlir::Type zeroType = {};
  bool hasBias = false;
  /// Whether all tokens share the one scale of activations.
  bool hasTensorInputScale = false;
  /// Of codes; null for a weight of floats.
  mlir::Type scaleType = {};
  /// Of what scales, and offsets, are multiplied by; null if they are not.
  mlir::Type factorType = {}, offsetFactorType = {};
  /// Of a weight of floats; null for codes.
  mlir::Type floatType = {};
  /// Columns that share an activation scale; 0 for float activations.
  int64_t inputGroupCols = 0;
  /// Of what is added to the weights of a group; null if nothing is.
  mlir::Type offsetType = {};
  /// What codes stand for that are looked up; empty if they are numbers
  /// themselves. If there are pairs, what they stand for beside the identifier
  /// comes behind that.
  llvm::SmallVector<float, 16> levels = {};
  /// The float type whose bits codes are; null if they are numbers or names.
  mlir::Type codeType = {};
  /// The code that changes what its neighbour in a pair stands for.
  std::optional<uint8_t> identifier = {};
  /// Set if codes stand for bytes, which are multiplied by int8 activations.
  /// For all other purposes these are the codes.
  std::optional<ByteLevels> bytes = {};
  /// How far ahead of its use the weight is asked for; 0 if it is not. A kernel
  /// that reads many panels side by side takes 12 blocks ahead.
  int64_t prefetchBytes = 768;

  /// Fails, with a reason, for operands that the kernel cannot serve.
  static mlir::FailureOr<PanelMatmulSpec> get(QuantTensorType weightType,
                                              QuantTensorType inputType,
                                              bool hasBias,
                                              std::string &reason);

  /// What codes that stand for levels of a table become.
  llvm::LogicalResult setLevels(const ScaledCodes &codes,
                                bool hasQuantizedInput, std::string &reason);

  bool hasFloatZeros() const {
    return mlir::isa_and_nonnull<mlir::FloatType>(zeroType);
  }
  /// Whether elements are small integers with a scale, as matrix units multiply
  /// them.
  bool hasIntegerCodes() const {
    return levels.empty() && !codeType && !hasFloatZeros() &&
           geometry.terms == 1 && !offsetType;
  }
  bool hasQuantizedInput() const { return inputGroupCols != 0; }
  /// Whether float activations meet codes that are looked up in a table of
  /// their values instead of being converted.
  bool looksUpValues(const CpuInstructions &cpu) const {
    return !levels.empty() ||
           (!hasQuantizedInput() && maxCode < cpu.floatTableEntries);
  }
  /// Whether the table of values is in memory: registers hold one of 16, or
  /// with pairs two.
  bool looksUpInMemory() const {
    return levels.size() > (identifier ? 32 : 16);
  }
  /// Whether an activation scale spans several weight groups.
  bool hasRowInputScale() const {
    return hasQuantizedInput() && inputGroupCols >= k;
  }
};

/// Asks for a block some way ahead of the one at `offset` of a chunk: hardware
/// follows fewer streams than there are panels read side by side.
void prefetchBlock(KernelBuilder &k, const PanelMatmulSpec &spec,
                   mlir::Value codes, mlir::Value panel, mlir::Value chunk,
                   int64_t offset);

/// Builds the body of `function`, whose arguments are the operands of a
/// `lowbit.packed_matmul` of this kind, from tiles of the most tokens to those
/// of one.
void buildPanelMatmulBody(mlir::func::FuncOp function,
                          const PanelMatmulSpec &spec,
                          llvm::ArrayRef<MatmulTile> tiles,
                          const CpuKernelOptions &options);

} // namespace lowbit

#endif // LOWBIT_LIB_KERNELS_PANELMATMUL_H
