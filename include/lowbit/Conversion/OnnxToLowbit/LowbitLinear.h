//===- LowbitLinear.h - a linear layer on a stored weight ------ -*- C++ -*-==//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_ONNXTOLOWBIT_LOWBITLINEAR_H
#define LOWBIT_CONVERSION_ONNXTOLOWBIT_LOWBITLINEAR_H

#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.h"
#include "mlir/IR/Builders.h"

namespace lowbit {

/// What the linear layer `op` computes, but of another input and with `weight`,
/// a `!lowbit.tensor`. The bias, if there is one, stays.
mlir::Value buildLowbitLinear(mlir::OpBuilder &builder,
                              QuantizableOpInterface op, mlir::Value input,
                              mlir::Value weight);

/// Replaces a layer by `output`, and erases it and its weight if nothing else
/// uses that.
void replaceQuantizable(QuantizableOpInterface op, mlir::Value output);

} // namespace lowbit

#endif // LOWBIT_CONVERSION_ONNXTOLOWBIT_LOWBITLINEAR_H
