//===- MatmulStrategy.cpp - options that choose a strategy ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Kernels/MatmulStrategy.h"

using namespace lowbit;

llvm::cl::ValuesClass lowbit::getMatmulStrategyValues() {
  return llvm::cl::values(
      clEnumValN(MatmulStrategy::Auto, "auto",
                 "The fastest, by counts of instructions and bytes"),
      clEnumValN(MatmulStrategy::Dot, "dot",
                 "Integer dot products with int8 activations"),
      clEnumValN(MatmulStrategy::Dequantize, "dequantize",
                 "Float products with dequantized weights"),
      clEnumValN(MatmulStrategy::Lut, "lut",
                 "Sums of int8 activations, looked up by codes of up to four "
                 "bits"),
      clEnumValN(MatmulStrategy::Tiles, "tiles",
                 "Integer products of tiles by a matrix unit (amx)"));
}
