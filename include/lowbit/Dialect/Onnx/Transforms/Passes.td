//===- Passes.td - passes on onnx graphs -------------------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_ONNX_TRANSFORMS_PASSES_TD
#define LOWBIT_DIALECT_ONNX_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def InferShapesPass : Pass<"onnx-infer-shapes", "::mlir::ModuleOp"> {
  let summary = "Infer the shapes of all values";
  let description = [{
    Replaces unknown ranks and dimensions in the types of results by what
    follows from the arguments. Dimensions that the model leaves open are
    symbols ("batch", "sequence"), and the small integer tensors that shapes are
    computed with are followed element by element, so that a reshape to a shape
    that is put together at run time still has a type:

    ```mlir
    %0 = onnx.Shape(%x) : (tensor<?x?x64xf32>) -> tensor<*xi64>
    %1 = onnx.Slice(%0, %zero, %two, %none, %none) : (...) -> tensor<*xi64>
    %2 = onnx.Concat(%1, %heads) {axis = 0 : i64} : (...) -> tensor<*xi64>
    %3 = onnx.Reshape(%x, %2) : (tensor<?x?x64xf32>, tensor<*xi64>) -> tensor<*xf32>
    ```

    becomes, if `%heads` is `[4, 16]`,

    ```mlir
    %0 = onnx.Shape(%x) : (tensor<?x?x64xf32>) -> tensor<3xi64>
    %1 = onnx.Slice(%0, %zero, %two, %none, %none) : (...) -> tensor<2xi64>
    %2 = onnx.Concat(%1, %heads) {axis = 0 : i64} : (...) -> tensor<4xi64>
    %3 = onnx.Reshape(%x, %2) : (tensor<?x?x64xf32>, tensor<4xi64>) -> tensor<?x?x4x16xf32>
    ```

    A model that contradicts itself is an error that names the node.
  }];
}

#endif // LOWBIT_DIALECT_ONNX_TRANSFORMS_PASSES_TD
