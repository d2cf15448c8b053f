//===- DecodedWeight.h - the values of any layer's weight -------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CALIBRATION_DECODEDWEIGHT_H
#define LOWBIT_CALIBRATION_DECODEDWEIGHT_H

#include "mlir/IR/Operation.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace lowbit {

/// What a layer's weight stands for, whether it is stored as floats or in a
/// format.
struct DecodedWeight {
  /// Output channels and input channels; of an embedding, tokens and channels.
  int64_t rows = 0, cols = 0;
  /// Row-major. Where the inputs are put into another order just before the
  /// layer, as for a solver that stores columns in an order of its own, columns
  /// come in the order from before.
  std::vector<float> values;
  /// The format, as tables of results have it; "f32" and so on for floats.
  std::string format;
  /// All that is stored, divided by the number of weights.
  double bitsPerWeight = 0;
};

/// Decodes the weight of a layer. Fails for a weight that is no matrix, such as
/// that of a convolution, and one that is packed for a target.
llvm::Expected<DecodedWeight> decodeWeight(mlir::Operation *layer);

} // namespace lowbit

#endif // LOWBIT_CALIBRATION_DECODEDWEIGHT_H
