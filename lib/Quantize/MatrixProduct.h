//===- MatrixProduct.h - sums of products of matrices -----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_QUANTIZE_MATRIXPRODUCT_H
#define LOWBIT_LIB_QUANTIZE_MATRIXPRODUCT_H

#include "lowbit/Quantize/MatrixView.h"

namespace lowbit {

enum class Sign { Plus, Minus };

/// Adds a b to `sum`, or subtracts it. The rows of `sum`, or its columns, must
/// be contiguous; all else may have any stride. Works on the calling thread
/// with the widest vectors that the processor has, of at most `maxLanes`
/// elements; the sums over a's columns are formed in an order that depends on
/// nothing but their number.
void addProduct(ConstMatrixView a, ConstMatrixView b, MatrixView sum,
                Sign sign = Sign::Plus, int maxLanes = 16);

} // namespace lowbit

#endif // LOWBIT_LIB_QUANTIZE_MATRIXPRODUCT_H
