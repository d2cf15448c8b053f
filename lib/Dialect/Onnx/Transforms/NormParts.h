//===- NormParts.h - what surrounds a recognized norm -----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_NORMPARTS_H
#define LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_NORMPARTS_H

#include "Matchers.h"

namespace lowbit::onnx {

/// A norm and what follows it.
struct NormParts {
  mlir::Value x;
  mlir::Value scale, bias;
  /// The op whose result is that of the whole.
  mlir::Operation *last;
};

/// The norm that ends in `root`. If `x` was cast up for it and the result is
/// cast back at once, the casts belong to it.
NormParts collectNormParts(mlir::Operation *root, mlir::Value x);

/// Takes in a multiplication by (or an addition of) one number for each
/// channel, if nothing else uses what it takes.
void absorbScale(NormParts &parts);
void absorbBias(NormParts &parts);

/// Makes a scale of ones, if there is none yet.
llvm::LogicalResult addMissingScale(NormParts &parts, mlir::OpBuilder &builder);

} // namespace lowbit::onnx

#endif // LOWBIT_LIB_DIALECT_ONNX_TRANSFORMS_NORMPARTS_H
