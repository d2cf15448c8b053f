//===- KernelBuilder.h - small steps that kernels are built of --*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_KERNELS_KERNELBUILDER_H
#define LOWBIT_KERNELS_KERNELBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lowbit {

/// An insertion point and what every kernel does there.
class KernelBuilder {
public:
  using Value = mlir::Value;
  using ValueRange = mlir::ValueRange;
  using Values = llvm::SmallVector<Value>;

  /// Parallel loops are so only if `parallel` is set.
  KernelBuilder(mlir::Location loc, mlir::MLIRContext *context,
                bool parallel = false)
      : b(loc, context), parallel(parallel) {}
  explicit KernelBuilder(const mlir::ImplicitLocOpBuilder &b) : b(b) {}

  //===--------------------------------------------------------------------===//
  // Numbers
  //===--------------------------------------------------------------------===//

  Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, value);
  }
  Value add(Value x, Value y) {
    return b.createOrFold<mlir::arith::AddIOp>(x, y);
  }
  Value add(Value x, int64_t y) { return y ? add(x, index(y)) : x; }
  Value sub(Value x, Value y) {
    return b.createOrFold<mlir::arith::SubIOp>(x, y);
  }
  Value mul(Value x, Value y) {
    return b.createOrFold<mlir::arith::MulIOp>(x, y);
  }
  Value mul(Value x, int64_t y) { return mul(x, index(y)); }
  Value div(Value x, Value y) {
    return b.createOrFold<mlir::arith::DivUIOp>(x, y);
  }
  Value ceilDiv(Value x, Value y) {
    return b.createOrFold<mlir::arith::CeilDivUIOp>(x, y);
  }
  Value rem(Value x, Value y) {
    return b.createOrFold<mlir::arith::RemUIOp>(x, y);
  }
  Value min(Value x, Value y) {
    return b.createOrFold<mlir::arith::MinSIOp>(x, y);
  }
  Value max(Value x, Value y) {
    return b.createOrFold<mlir::arith::MaxSIOp>(x, y);
  }
  Value roundDown(Value x, int64_t multiple) {
    return sub(x, rem(x, index(multiple)));
  }
  Value constant(double value) {
    return mlir::arith::ConstantOp::create(b, b.getF32FloatAttr(value));
  }
  Value splat(mlir::VectorType type, int64_t value);

  //===--------------------------------------------------------------------===//
  // Control flow
  //===--------------------------------------------------------------------===//

  /// A loop that carries `init` through.
  Values loop(Value begin, Value end, int64_t step, ValueRange init,
              llvm::function_ref<Values(Value, ValueRange)> body);
  void loop(Value begin, Value end, int64_t step,
            llvm::function_ref<void(Value)> body);
  void ifTrue(Value condition, llvm::function_ref<void()> body);
  /// Runs `body` for [0, count), on all threads if `work`, the number of scalar
  /// operations, is worth it.
  void parallelLoop(Value count, Value work,
                    llvm::function_ref<void(Value)> body);

  mlir::ImplicitLocOpBuilder b;

private:
  bool parallel = false;
};

} // namespace lowbit

#endif // LOWBIT_KERNELS_KERNELBUILDER_H
