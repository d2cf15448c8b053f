//===- Passes.td - from the graph to the lowbit dialect ----- -*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_ONNXTOLOWBIT_PASSES_TD
#define LOWBIT_CONVERSION_ONNXTOLOWBIT_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertLinearToLowbit : Pass<"convert-linear-to-lowbit", "::mlir::ModuleOp"> {
  let summary = "Let float linear layers use the kernels of quantized ones";
  let description = [{
    Replaces linear layers with a constant f32 weight by `lowbit.matmul` on a
    `lowbit.constant` in the format `#lowbit.float`, which refers to the same
    bytes: `--lowbit-pack-weights` can then lay the weight out for the kernels of
    a target. Layers with fewer than 16 outputs stay: they would fill a panel
    with padding.

    Before:

    ```mlir
    %w = onnx.Constant #lowbit.external<"m.onnx", offset = 64, length = 65536> : tensor<128x128xf32>
    %y = onnx.MatMul(%x, %w) : (tensor<?x128xf32>, tensor<128x128xf32>) -> tensor<?x128xf32>
    ```

    After:

    ```mlir
    %w = lowbit.constant {values = #lowbit.external<"m.onnx", offset = 64, length = 65536> : tensor<128x128xf32>}
        : !lowbit.tensor<128x128xf32, #lowbit.float<f32, transposed>>
    %y = lowbit.matmul %x, %w : (tensor<?x128xf32>, ...) -> tensor<?x128xf32>
    ```
  }];
  let statistics = [
    Statistic<"numConverted", "num-converted", "Number of layers converted">
  ];
  let dependentDialects = ["::lowbit::LowbitDialect"];
}

#endif // LOWBIT_CONVERSION_ONNXTOLOWBIT_PASSES_TD
