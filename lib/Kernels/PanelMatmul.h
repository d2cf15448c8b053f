//===- PanelMatmul.h - matmul kernels that read weights in panels - -*- C++
//-*--===//
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
  bool hasZeros = false;
  bool hasBias = false;
  /// Of codes; null for a weight of floats.
  mlir::Type scaleType = {};
  /// Of a weight of floats; null for codes.
  mlir::Type floatType = {};
  /// Columns that share an activation scale; 0 for float activations.
  int64_t inputGroupCols = 0;

  /// Fails, with a reason, for operands that the kernel cannot serve.
  static mlir::FailureOr<PanelMatmulSpec> get(QuantTensorType weightType,
                                              QuantTensorType inputType,
                                              bool hasBias,
                                              std::string &reason);

  bool hasQuantizedInput() const { return inputGroupCols != 0; }
  /// Whether an activation scale spans several weight groups.
  bool hasRowInputScale() const {
    return hasQuantizedInput() && inputGroupCols >= k;
  }
};

/// Builds the body of `function`, whose arguments are the operands of a
/// `lowbit.packed_matmul` of this kind.
void buildPanelMatmulBody(mlir::func::FuncOp function,
                          const PanelMatmulSpec &spec,
                          const CpuKernelOptions &options);

} // namespace lowbit

#endif // LOWBIT_LIB_KERNELS_PANELMATMUL_H
