//===- BufferClasses.h - buffers that may be one -------------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_GPUTORUNTIME_BUFFERCLASSES_H
#define LOWBIT_LIB_CONVERSION_GPUTORUNTIME_BUFFERCLASSES_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/EquivalenceClasses.h"

namespace lowbit {

/// Puts memrefs that may name the same memory into one class: views, the values
/// that control flow forwards, arguments and results of calls of private
/// functions. A class lives on the device if a kernel uses one of its members.
class BufferClasses {
public:
  explicit BufferClasses(mlir::ModuleOp module);

  bool isOnDevice(mlir::Value memref) const;

private:
  void unite(mlir::Value left, mlir::Value right);
  void uniteAliasesOf(mlir::Operation *op, mlir::SymbolTable &symbols);
  void addKernelOperands(mlir::gpu::LaunchOp launch);

  llvm::EquivalenceClasses<void *> classes;
  /// The leaders of the classes that live on the device.
  llvm::DenseSet<void *> device;
};

} // namespace lowbit

#endif // LOWBIT_LIB_CONVERSION_GPUTORUNTIME_BUFFERCLASSES_H
