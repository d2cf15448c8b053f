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

def QuantizeKvCache : Pass<"quantize-kv-cache", "::mlir::ModuleOp"> {
  let summary = "Store KV caches in few bits";
  let description = [{
    Takes the caches that `--onnx-update-kv-cache-in-place` makes. Each becomes
    one argument for each component of a `#lowbit.uniform` format: codes, scales,
    and zero points unless `symmetric`. The keys and values of new tokens are
    quantized when they are appended, every token and head by itself, and never
    again; what has been appended is dequantized where it is read. Kernels of
    attention do that in registers, so that no float copy of a cache exists.

    Keys and values keep their own ranges: nothing is clipped. There is no window
    of recent tokens in floats, which formats that share scales between tokens
    need.

    The names of the arguments are the cache's and the component's:
    `past_key_values.0.key.codes`. All begin as zeros. A cache whose head size is
    not static stays as it is, with a remark; it is an error if no cache can be
    quantized.

    Before:

    ```mlir
    func.func @main(%k: tensor<1x2x?x64xf32>, %cache: tensor<1x2x?x64xf32>, ...)
        -> (tensor<1x2x?x64xf32> {lowbit.updates = 1 : i64}, ...) {
      %0 = onnx.TensorScatter(%cache, %k, %starts) {axis = 2 : i64} : ...
      %y:4 = onnx.Attention(%q, %0, ...) : ...
      return %0, ...
    ```

    After (`bits=8 symmetric`):

    ```mlir
    func.func @main(%k: tensor<1x2x?x64xf32>,
                    %codes: tensor<1x2x?x64xi8>, %scales: tensor<1x2x?x1xf16>, ...)
        -> (tensor<1x2x?x64xi8> {lowbit.updates = 1 : i64},
            tensor<1x2x?x1xf16> {lowbit.updates = 2 : i64}, ...) {
      %q = lowbit.quantize %k : tensor<1x2x?x64xf32> -> !lowbit.tensor<1x2x?x64xf32, #s8>
      %c, %s = lowbit.disassemble %q : !lowbit.tensor<1x2x?x64xf32, #s8> -> tensor<1x2x?x64xi8>, tensor<1x2x?x1xf16>
      %0 = onnx.TensorScatter(%codes, %c, %starts) {axis = 2 : i64} : ...
      %1 = onnx.TensorScatter(%scales, %s, %starts) {axis = 2 : i64} : ...
      %2 = lowbit.assemble %0, %1 : ... -> !lowbit.tensor<1x2x?x64xf32, #s8>
      %3 = lowbit.dequantize %2 : !lowbit.tensor<1x2x?x64xf32, #s8> -> tensor<1x2x?x64xf32>
      %y:4 = onnx.Attention(%q, %3, ...) : ...
      return %0, %1, ...
    ```
  }];
  let options = [
    Option<"bits", "bits", "unsigned", "8", "Bits of a code, 4 or 8">,
    Option<"groupSize", "group-size", "int64_t", "-1",
           "Channels of a head that share a scale, a multiple of 16; -1 for the "
           "whole head">,
    Option<"symmetric", "symmetric", "bool", "false",
           "Signed codes without zero points">
  ];
  let statistics = [
    Statistic<"numCaches", "num-caches", "Number of caches quantized">
  ];
  let dependentDialects = ["::lowbit::LowbitDialect",
                           "::lowbit::onnx::OnnxDialect"];
}

#endif // LOWBIT_CONVERSION_ONNXTOLOWBIT_PASSES_TD
