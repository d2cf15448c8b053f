//===- VerifyPhase.cpp - what may exist between phases --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Lowbit/Transforms/Passes.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/MapVector.h"

namespace lowbit {
#define GEN_PASS_DEF_LOWBITVERIFYPHASE
#include "lowbit/Dialect/Lowbit/Transforms/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
/// What may exist when a phase has ended.
struct PhaseContents {
  StringRef name;
  /// The dialects that may exist; empty for all that `gone` lacks.
  ArrayRef<StringRef> dialects;
  /// Dialects and operations that may not.
  ArrayRef<StringRef> gone;
  /// Operations of other dialects that may exist.
  ArrayRef<StringRef> operations;
  bool tensors;
  bool quantizedTensors;
};
} // namespace

/// One for each Phase, in the same order.
static ArrayRef<PhaseContents> getPhases() {
  static const StringRef graph[] = {"builtin", "func", "onnx"};
  static const StringRef quantized[] = {"builtin", "func", "onnx", "lowbit"};
  static const StringRef llvmIR[] = {"builtin",  "llvm",      "omp", "nvvm",
                                     "arm_neon", "x86vector", "amx"};
  static const StringRef ours[] = {"onnx", "lowbit", "qvec"};
  static const StringRef highLevel[] = {"onnx", "lowbit", "linalg", "tensor",
                                        "bufferization"};
  static const StringRef highLevelAndKernels[] = {
      "onnx",          "lowbit",     "linalg",  "tensor",
      "bufferization", "gpu.module", "gpu.func"};
  static const StringRef plain[] = {"lowbit.weight", "lowbit.packed_matmul",
                                    "lowbit.attention"};
  static const StringRef plainTensors[] = {
      "lowbit.weight", "lowbit.packed_matmul", "lowbit.attention",
      "lowbit.cache_append"};
  static const StringRef weight[] = {"lowbit.weight"};
  static const StringRef binary[] = {"gpu.binary", "gpu.launch_func"};
  static const PhaseContents phases[] = {
      {"onnx", graph, {}, {}, true, false},
      {"quantized", quantized, {}, {}, true, true},
      {"linalg", {}, ours, plainTensors, true, false},
      {"buffers", {}, ours, plain, false, false},
      {"kernels", {}, highLevel, weight, false, false},
      {"ptx", {}, highLevelAndKernels, weight, false, false},
      {"llvm", llvmIR, {}, binary, false, false},
  };
  return phases;
}

StringRef lowbit::getPhaseName(Phase phase) {
  return getPhases()[size_t(phase)].name;
}

void lowbit::endPhase(OpPassManager &pm, Phase phase) {
  LowbitVerifyPhaseOptions options;
  options.phase = getPhaseName(phase).str();
  pm.addPass(createLowbitVerifyPhase(options));
}

static bool mayExist(const PhaseContents &phase, Operation *op) {
  StringRef name = op->getName().getStringRef();
  if (llvm::is_contained(phase.operations, name))
    return true;
  StringRef dialect = op->getName().getDialectNamespace();
  return phase.dialects.empty() ? !llvm::is_contained(phase.gone, dialect) &&
                                      !llvm::is_contained(phase.gone, name)
                                : llvm::is_contained(phase.dialects, dialect);
}

static bool mayExist(const PhaseContents &phase, Type type) {
  if (isa<QuantTensorType>(type))
    return phase.quantizedTensors;
  return phase.tensors || !isa<TensorType>(type);
}

/// The first type of the operation that may not exist; null if all may.
static Type findWrongType(const PhaseContents &phase, Operation *op) {
  SmallVector<Type> types(op->getResultTypes());
  llvm::append_range(types, op->getOperandTypes());
  if (auto function = dyn_cast<FunctionOpInterface>(op)) {
    llvm::append_range(types, function.getArgumentTypes());
    llvm::append_range(types, function.getResultTypes());
  }
  const auto *it =
      llvm::find_if(types, [&](Type type) { return !mayExist(phase, type); });
  return it == types.end() ? Type() : *it;
}

namespace {
struct LowbitVerifyPhasePass final
    : lowbit::impl::LowbitVerifyPhaseBase<LowbitVerifyPhasePass> {
  using LowbitVerifyPhaseBase::LowbitVerifyPhaseBase;

  void runOnOperation() override {
    const auto *current =
        llvm::find_if(getPhases(), [&](const PhaseContents &candidate) {
          return candidate.name == phase;
        });
    if (current == getPhases().end()) {
      InFlightDiagnostic error = emitError(UnknownLoc::get(&getContext()))
                                 << "lowbit-verify-phase: phase is '" << phase
                                 << "', but must be one of";
      for (const PhaseContents &candidate : getPhases())
        error << " " << candidate.name;
      return signalPassFailure();
    }

    /// The first operation of each kind, and how many there are.
    llvm::MapVector<OperationName, std::pair<Operation *, unsigned>> wrong;
    Operation *wrongTypeOp = nullptr;
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!mayExist(*current, op)) {
        auto &[first, count] = wrong[op->getName()];
        first = first ? first : op;
        ++count;
      } else if (!wrongTypeOp && findWrongType(*current, op)) {
        wrongTypeOp = op;
      }
    });
    for (auto &[name, found] : wrong)
      found.first->emitOpError() << "must not exist after phase '" << phase
                                 << "'; there are " << found.second;
    if (wrongTypeOp)
      wrongTypeOp->emitOpError()
          << "must not use type " << findWrongType(*current, wrongTypeOp)
          << " after phase '" << phase << "'";
    if (!wrong.empty() || wrongTypeOp)
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
