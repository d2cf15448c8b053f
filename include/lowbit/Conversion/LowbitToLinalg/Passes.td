//===- Passes.td - the reference lowering of the lowbit dialect -*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_LOWBITTOLINALG_PASSES_TD
#define LOWBIT_CONVERSION_LOWBITTOLINALG_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowbitToLinalg : Pass<"lowbit-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Lower quantized operations to linalg: the reference";
  let description = [{
    Defines what the operations mean. A quantized tensor becomes the component
    tensors of its format, in signatures and control flow, too; an operation
    decodes them (`QuantFormatAttrInterface::buildDecode`) and then computes in
    float. Every kernel is tested against this lowering.

    Only kernels know packed layouts: a `lowbit.matmul` whose weight is packed
    becomes `lowbit.packed_matmul`. That, `lowbit.weight`, for the constants, and
    `lowbit.attention`, if an option says so, are what stays of the dialect.

    Before:

    ```mlir
    %w = lowbit.constant {codes = #codes, scales = #scales} : !lowbit.tensor<96x64xf32, #format>
    %y = lowbit.matmul %x, %w
        : (tensor<?x64xf32>, !lowbit.tensor<96x64xf32, #format>) -> tensor<?x96xf32>
    ```

    After:

    ```mlir
    %codes = lowbit.weight #codes
    %scales = lowbit.weight #scales
    %w = linalg.generic ... {
      // scale * code of the element
    } -> tensor<96x64xf32>
    %y = linalg.matmul indexing_maps = [...] ins(%x, %w) outs(%zero) -> tensor<?x96xf32>
    ```
  }];
  let options = [
    Option<"keepMatmul", "keep-matmul", "bool", "false",
           "Make `lowbit.packed_matmul` of products with unpacked weights, too">,
    Option<"keepAttention", "keep-attention", "bool", "false",
           "Leave `lowbit.attention` to a kernel">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::cf::ControlFlowDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"
  ];
}

#endif // LOWBIT_CONVERSION_LOWBITTOLINALG_PASSES_TD
