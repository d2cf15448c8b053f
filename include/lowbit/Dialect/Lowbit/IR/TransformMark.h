//===- TransformMark.h - what transforms did to a layer ---------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A transform keeps what a model computes, but not what its layers do: a
// rotated layer has another weight, and perhaps other outputs, than the layer
// of the same name in the original model. Whoever sets layers side by side has
// to know. The mark stands where the layer's name does, in its location, and so
// outlives whatever replaces the layer later:
//
//   loc(fused<{lowbit.fingerprint = 17 : i64, lowbit.transformed =
//   "outputs"}>["layer"])
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_TRANSFORMMARK_H
#define LOWBIT_DIALECT_LOWBIT_IR_TRANSFORMMARK_H

#include "mlir/IR/Location.h"
#include <optional>

namespace lowbit {

struct TransformMark {
  /// Whether the layer's outputs are others than in the original model, and not
  /// only its weight and inputs.
  bool outputs = false;
  /// Of all that was changed in the layer's constants: layers with one mark had
  /// the same constants after their transforms.
  uint64_t fingerprint = 0;

  bool operator==(const TransformMark &other) const {
    return outputs == other.outputs && fingerprint == other.fingerprint;
  }
};

/// The mark at `loc`, if a transform has left one there.
std::optional<TransformMark> getTransformMark(mlir::Location loc);

/// `loc` with this mark instead of the one that it may have.
mlir::Location setTransformMark(mlir::Location loc, TransformMark mark);

} // namespace lowbit

#endif // LOWBIT_DIALECT_LOWBIT_IR_TRANSFORMMARK_H
