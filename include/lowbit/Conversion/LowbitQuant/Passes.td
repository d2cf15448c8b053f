//===- Passes.td - between lowbit and upstream's quant dialect -*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_LOWBITQUANT_PASSES_TD
#define LOWBIT_CONVERSION_LOWBITQUANT_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertLowbitToQuant : Pass<"convert-lowbit-to-quant"> {
  let summary = "Express dequantized constants in upstream's quant dialect";
  let description = [{
    Converts `lowbit.dequantize` of a constant whose format is uniform with one
    scale, or with one scale per row of a matrix. Codes are unpacked to bytes;
    scales and zero points move into the type. Everything else stays, with a
    remark that says why. Upstream passes can then be used, such as
    `--lower-quant-ops`, which makes an independent oracle.

    Before:

    ```mlir
    %w = lowbit.constant {codes = dense<[[33], [-8]]> : tensor<2x1xi8>, scales = dense<[[0.5], [2.0]]> : tensor<2x1xf16>}
        : !lowbit.tensor<2x2xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>
    %x = lowbit.dequantize %w : !lowbit.tensor<2x2xf32, ...> -> tensor<2x2xf32>
    ```

    After:

    ```mlir
    %c = arith.constant dense<[[1, 2], [-8, -1]]> : tensor<2x2xi8>
    %q = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8<-8:7>:f32:0, {0.5, 2.0}>>
    %x = quant.dcast %q : tensor<2x2x!quant.uniform<...>> to tensor<2x2xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::quant::QuantDialect"];
}

def ConvertQuantToLowbit : Pass<"convert-quant-to-lowbit"> {
  let summary = "Take over constants from upstream's quant dialect";
  let description = [{
    Converts `quant.dcast` of a constant (`quant.scast` of stored bytes) whose
    type is per tensor, or per row of a matrix, to `lowbit.dequantize` of a
    `lowbit.constant` with f32 scales; the inverse of `convert-lowbit-to-quant`.
    Everything else stays, with a remark that says why.
  }];
  let dependentDialects = ["::lowbit::LowbitDialect"];
}

#endif // LOWBIT_CONVERSION_LOWBITQUANT_PASSES_TD
