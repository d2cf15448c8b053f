//===- KernelBuilder.h - small steps that kernels are built of --*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_KERNELS_KERNELBUILDER_H
#define LOWBIT_LIB_KERNELS_KERNELBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lowbit {

/// An insertion point and what every kernel does there.
struct KernelBuilder {
  using Values = llvm::SmallVector<mlir::Value>;

  KernelBuilder(mlir::Location loc, mlir::MLIRContext *context)
      : b(loc, context) {}

  mlir::Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, value);
  }
  mlir::Value plus(mlir::Value value, int64_t offset) {
    return offset ? plus(value, index(offset)) : value;
  }
  mlir::Value plus(mlir::Value x, mlir::Value y) {
    return mlir::arith::AddIOp::create(b, x, y);
  }
  mlir::Value times(mlir::Value value, int64_t factor) {
    return times(value, index(factor));
  }
  mlir::Value times(mlir::Value x, mlir::Value y) {
    return mlir::arith::MulIOp::create(b, x, y);
  }
  mlir::Value splat(mlir::VectorType type, int64_t value) {
    mlir::Type element = type.getElementType();
    mlir::Attribute scalar =
        element.isIntOrIndex()
            ? mlir::Attribute(b.getIntegerAttr(element, value))
            : mlir::Attribute(b.getFloatAttr(element, double(value)));
    return mlir::arith::ConstantOp::create(
        b, mlir::DenseElementsAttr::get(type, scalar));
  }

  /// Runs `body` for [begin, end) in steps, carrying `init` through.
  Values
  buildLoop(mlir::Value begin, mlir::Value end, int64_t step,
            mlir::ValueRange init,
            llvm::function_ref<Values(mlir::Value, mlir::ValueRange)> body) {
    auto loop = mlir::scf::ForOp::create(b, begin, end, index(step), init);
    mlir::OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Values results = body(loop.getInductionVar(), loop.getRegionIterArgs());
    if (!init.empty())
      mlir::scf::YieldOp::create(b, results);
    return Values(loop.getResults());
  }
  /// The same with nothing carried.
  void buildLoop(mlir::Value begin, mlir::Value end, int64_t step,
                 llvm::function_ref<void(mlir::Value)> body) {
    buildLoop(begin, end, step, {}, [&](mlir::Value at, mlir::ValueRange) {
      body(at);
      return Values();
    });
  }
  /// Runs `body` for [0, count) on all threads.
  void buildParallelLoop(mlir::Value count,
                         llvm::function_ref<void(mlir::Value)> body) {
    auto loop = mlir::scf::ParallelOp::create(b, mlir::ValueRange{index(0)},
                                              mlir::ValueRange{count},
                                              mlir::ValueRange{index(1)});
    mlir::OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVars()[0]);
  }

  mlir::ImplicitLocOpBuilder b;
};

} // namespace lowbit

#endif // LOWBIT_LIB_KERNELS_KERNELBUILDER_H
