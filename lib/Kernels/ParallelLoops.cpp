//===- ParallelLoops.cpp - loop nests that may run on several threads -----===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Kernels/ParallelLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace lowbit;

/// Waking the threads takes a few microseconds, in which one core executes some
/// tens of thousands of vectorized operations.
static constexpr int64_t minParallelWork = 1 << 16;

static constexpr StringLiteral maxThreadsName = "omp_get_max_threads";

void lowbit::declareThreading(ModuleOp module) {
  if (module.lookupSymbol(maxThreadsName))
    return;
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  auto type = b.getFunctionType({}, b.getI32Type());
  func::FuncOp::create(b, module.getLoc(), maxThreadsName, type).setPrivate();
}

Value lowbit::buildProduct(ImplicitLocOpBuilder &b, ValueRange values) {
  Value product;
  for (Value value : values)
    product = product ? b.createOrFold<arith::MulIOp>(product, value) : value;
  return product ? product : arith::ConstantIndexOp::create(b, 1).getResult();
}

static SmallVector<Value> buildConstants(ImplicitLocOpBuilder &b,
                                         ArrayRef<int64_t> values) {
  SmallVector<Value> constants;
  for (int64_t value : values)
    constants.push_back(arith::ConstantIndexOp::create(b, value));
  return constants;
}

/// Builds the body of a nest at the end of the block or before its terminator.
/// The stack that an iteration takes is free again after it.
static void buildBody(ImplicitLocOpBuilder &b, ValueRange ivs,
                      LoopBodyFn body) {
  Block *block = b.getInsertionBlock();
  body(ivs);
  if (block->getOps<memref::AllocaOp>().empty())
    return;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(block);
  Value stack =
      LLVM::StackSaveOp::create(b, LLVM::LLVMPointerType::get(b.getContext()));
  if (block->mightHaveTerminator())
    b.setInsertionPoint(block->getTerminator());
  else
    b.setInsertionPointToEnd(block);
  LLVM::StackRestoreOp::create(b, stack);
}

void lowbit::buildParallelNest(ImplicitLocOpBuilder &b, const LoopNest &nest,
                               Value work, bool parallel, LoopBodyFn body) {
  SmallVector<Value> steps = buildConstants(b, nest.steps);
  SmallVector<Value> lowerBounds =
      buildConstants(b, SmallVector<int64_t>(nest.steps.size(), 0));
  if (nest.steps.empty()) {
    body({});
    return;
  }
  OpBuilder::InsertionGuard guard(b);
  Operation *parent = b.getInsertionBlock()->getParentOp();
  if (!parallel || isa<omp::LoopNestOp>(parent) ||
      parent->getParentOfType<omp::LoopNestOp>()) {
    SmallVector<Value> ivs;
    for (auto [begin, end, step] :
         llvm::zip_equal(lowerBounds, nest.upperBounds, steps)) {
      auto loop = scf::ForOp::create(b, begin, end, step);
      ivs.push_back(loop.getInductionVar());
      b.setInsertionPointToStart(loop.getBody());
    }
    buildBody(b, ivs, body);
    return;
  }

  Value threshold = arith::ConstantIndexOp::create(b, minParallelWork);
  Value worthIt =
      b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::sge, work, threshold);
  // Not an `if` clause: the runtime of LLVM 14, which Debian 12 has, lacks its
  // entry point.
  Value all =
      func::CallOp::create(b, maxThreadsName, b.getI32Type()).getResult(0);
  Value one = arith::ConstantOp::create(b, b.getI32IntegerAttr(1));
  omp::ParallelOperands parallelOperands;
  parallelOperands.numThreads =
      b.createOrFold<arith::SelectOp>(worthIt, all, one);
  auto region = omp::ParallelOp::create(b, parallelOperands);
  b.createBlock(&region.getRegion());
  omp::WsloopOperands shareOperands;
  shareOperands.scheduleKind = omp::ClauseScheduleKindAttr::get(
      b.getContext(), omp::ClauseScheduleKind::Static);
  auto share = omp::WsloopOp::create(b, shareOperands);
  omp::TerminatorOp::create(b);
  b.createBlock(&share.getRegion());
  omp::LoopNestOperands nestOperands;
  nestOperands.loopLowerBounds = lowerBounds;
  nestOperands.loopUpperBounds = nest.upperBounds;
  nestOperands.loopSteps = steps;
  auto loops = omp::LoopNestOp::create(b, nestOperands);
  SmallVector<Type> types(nest.steps.size(), b.getIndexType());
  SmallVector<Location> locations(nest.steps.size(), b.getLoc());
  Block *block = b.createBlock(&loops.getRegion(), {}, types, locations);
  buildBody(b, block->getArguments(), body);
  omp::YieldOp::create(b, ValueRange());
}
