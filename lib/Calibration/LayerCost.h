//===- LayerCost.h - what a format of a layer takes -------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_LAYERCOST_H
#define LOWBIT_LIB_CALIBRATION_LAYERCOST_H

#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace lowbit {

/// What layers take of a budget: bytes, or time.
class LayerCost {
public:
  virtual ~LayerCost();

  /// For the weight of a layer in a format that can store it; null stands for
  /// the float weight. Fails, with a reason, where nothing can be said.
  virtual llvm::Expected<uint64_t> get(QuantizableOpInterface layer,
                                       QuantFormatAttrInterface format) = 0;
  /// A sum of costs as users see it, of layers with so many weights.
  virtual std::string describe(uint64_t cost, uint64_t weights) const = 0;
  /// What such a number allows, of layers with so many weights.
  virtual uint64_t parse(double budget, uint64_t weights) const = 0;
};

/// What is stored, padding included: bits per weight on average, or bytes.
std::unique_ptr<LayerCost> createStorageCost(bool perWeight);

/// Cycles of one core for one token with float activations, as the cost model
/// of the kernels predicts; budgets are in thousands. `target` names the
/// kernels as `--lowbit-pack-weights` does, or is "native".
llvm::Expected<std::unique_ptr<LayerCost>>
createPredictedLatency(mlir::MLIRContext *context, llvm::StringRef target);

/// What this machine takes for one token with float activations, on as many
/// threads as there are; budgets are in microseconds. Weights come from where
/// those of a model of so many bytes do: a cache or memory.
llvm::Expected<std::unique_ptr<LayerCost>>
createMeasuredLatency(mlir::MLIRContext *context, uint64_t modelBytes);

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_LAYERCOST_H
