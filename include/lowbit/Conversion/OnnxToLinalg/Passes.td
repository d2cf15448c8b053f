//===- Passes.td - lowering of the onnx dialect ------------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_ONNXTOLINALG_PASSES_TD
#define LOWBIT_CONVERSION_ONNXTOLINALG_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertOnnxToLinalg : Pass<"convert-onnx-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Lower the onnx dialect to structured ops on tensors";
  let description = [{
    Every op becomes `linalg` ops, slices and reshapes of tensors, and scalar
    arithmetic. Sizes may be unknown: they are computed with `tensor.dim`, small
    tensors of integers from which shapes are computed become scalars, and a
    dimension that may broadcast or not is decided at run time, unless shape
    inference has proven what it is. What can only be found wrong at run time
    (sizes that contradict each other) stops the program through `cf.assert`,
    with the name of the node.

    Weights stay names of slices of files (`lowbit.weight`). Unsigned integers
    become signless. Quantized ops of the lowbit dialect are left as they are.

    If some ops cannot be lowered, all of them are reported, and the module is
    left unfinished.

    Before:

    ```mlir
    func.func @main(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
      %0 = onnx.Relu(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
      return %0 : tensor<?x8xf32>
    }
    ```

    After:

    ```mlir
    #map = affine_map<(d0, d1) -> (d0, d1)>
    func.func @main(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
      %c0 = arith.constant 0 : index
      %zero = arith.constant 0.0 : f32
      %dim = tensor.dim %x, %c0 : tensor<?x8xf32>
      %init = tensor.empty(%dim) : tensor<?x8xf32>
      %0 = linalg.generic {indexing_maps = [#map, #map],
                           iterator_types = ["parallel", "parallel"]}
          ins(%x : tensor<?x8xf32>) outs(%init : tensor<?x8xf32>) {
      ^bb0(%in: f32, %out: f32):
        %negative = arith.cmpf olt, %in, %zero : f32
        %relu = arith.select %negative, %zero, %in : f32
        linalg.yield %relu : f32
      } -> tensor<?x8xf32>
      return %0 : tensor<?x8xf32>
    }
    ```
  }];
  let options = [
    Option<"keepAttention", "keep-attention", "bool", "false",
           "Make `lowbit.attention` of what its kernels compute">
  ];
  let dependentDialects = [
    "::lowbit::LowbitDialect", "::mlir::arith::ArithDialect",
    "::mlir::cf::ControlFlowDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

#endif // LOWBIT_CONVERSION_ONNXTOLINALG_PASSES_TD
