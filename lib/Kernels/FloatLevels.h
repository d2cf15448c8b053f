//===- FloatLevels.h - what codes stand for, as floats ----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_KERNELS_FLOATLEVELS_H
#define LOWBIT_LIB_KERNELS_FLOATLEVELS_H

#include "PanelMatmul.h"
#include "lowbit/Kernels/KernelBuilder.h"

namespace lowbit {

/// The f32 of a byte of each 32-bit lane, which has the bits of f8E4M3FN or
/// f8E5M2.
mlir::Value decodeFloat8(KernelBuilder &k, mlir::Type type, mlir::Value lanes,
                         int64_t byte);

/// The values of codes that are names of them or the bits of a small float, for
/// float activations. Tables of 16 are in registers, longer ones are constants
/// of the module.
class FloatLevels {
public:
  /// Builds what a kernel needs once, before its loops.
  FloatLevels(KernelBuilder &k, const PanelMatmulSpec &spec);

  /// Whether vectors must have a known length.
  bool areLookedUp() const { return !spec.codeType; }
  /// Whether bits of a slice that are above four of each byte may be any, and
  /// those above the code, too.
  bool takesFourBits() const { return bool(normal); }
  /// What the codes in a byte of `slice`, 32-bit lanes, stand for.
  mlir::Value get(mlir::Value slice, int64_t byte);

private:
  mlir::Value isolate(mlir::Value slice, int64_t byte);
  mlir::Value gather(mlir::Value indices);

  KernelBuilder &k;
  const PanelMatmulSpec &spec;
  /// Sixteen levels, and what they are beside the identifier; null for a longer
  /// table.
  mlir::Value normal, changed;
  /// A longer table in memory.
  mlir::Value table;
};

} // namespace lowbit

#endif // LOWBIT_LIB_KERNELS_FLOATLEVELS_H
