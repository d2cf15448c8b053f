//===- MatmulTimer.h - how long a kernel takes ---------------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_EXECUTION_MATMULTIMER_H
#define LOWBIT_EXECUTION_MATMULTIMER_H

#include "lowbit/Execution/CompiledFunction.h"
#include "lowbit/Kernels/KernelGenerator.h"

namespace lowbit {

/// Times the kernels of one product, on weights of its own.
class MatmulTimer {
public:
  /// The weights take at least `bytes` and are read in turn, so that they come
  /// from where those of a model of that size do.
  MatmulTimer(const MatmulSignature &product, std::shared_ptr<JitEngine> engine,
              uint64_t bytes);

  /// Bytes that no cache of this machine holds.
  static uint64_t getUncachedBytes();

  struct Timing {
    /// The median of the time.
    double microseconds;
    /// Of its ratio to that of the first tuning in the same round: the median,
    /// and what three quarters of the rounds do not exceed.
    double ratio, highRatio;
  };
  /// The times of kernels for so many tokens.
  llvm::Expected<llvm::SmallVector<Timing>>
  compare(llvm::ArrayRef<MatmulTuningAttr> tunings, int64_t tokens);

private:
  mlir::OwningOpRef<mlir::ModuleOp> buildModule(MatmulTuningAttr tuning) const;
  llvm::SmallVector<Tensor> makeOperands(QuantTensorType type,
                                         int64_t rows) const;
  llvm::SmallVector<Tensor> makeInputs(int64_t tokens) const;
  llvm::Expected<double> timeCalls(const CompiledFunction &function,
                                   llvm::ArrayRef<Tensor> inputs, size_t calls);

  MatmulSignature product;
  FunctionCache functions;
  /// Each with the bias, if there is one.
  std::vector<llvm::SmallVector<Tensor>> weights;
  size_t nextWeight = 0;
};

} // namespace lowbit

#endif // LOWBIT_EXECUTION_MATMULTIMER_H
