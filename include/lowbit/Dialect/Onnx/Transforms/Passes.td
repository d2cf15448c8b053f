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

def FoldConstantsPass : Pass<"onnx-fold-constants", "::mlir::ModuleOp"> {
  let summary = "Evaluate what is known before the model runs";
  let description = [{
    Replaces results that are known by constants: integers that symbolic shapes
    tell, and small tensors that are computed from constants. A result of 64 KiB
    or more is not made; but where only the shape of a weight changes, the
    constant is given another type and its data stay in their file.

    ```mlir
    %0 = onnx.Shape(%x) {start = 2 : i64} : (tensor<?x?x64xf32>) -> tensor<1xi64>
    %1 = onnx.Div(%0, %eight) : (tensor<1xi64>, tensor<i64>) -> tensor<1xi64>
    ```

    becomes

    ```mlir
    %1 = onnx.Constant dense<8> : tensor<1xi64>
    ```
  }];
  let statistics = [
    Statistic<"numFolded", "folded", "Number of results made constant">
  ];
}

def SimplifyShapesPass : Pass<"onnx-simplify-shapes", "::mlir::ModuleOp"> {
  let summary = "Remove computations of shapes";
  let description = [{
    Writes the shape operand of Reshape and Expand as a constant wherever
    symbolic shapes allow it: 0 stands for a dimension that stays, -1 for one
    that follows from the others. Movements of data that change nothing or undo
    each other are removed. For example

    ```mlir
    %s = onnx.Concat(%batch, %sequence, %heads) {axis = 0 : i64} : (...) -> tensor<4xi64>
    %y = onnx.Reshape(%x, %s) : (tensor<?x?x64xf32>, tensor<4xi64>) -> tensor<?x?x4x16xf32>
    ```

    becomes

    ```mlir
    %s = onnx.Constant dense<[0, 0, 4, 16]> : tensor<4xi64>
    %y = onnx.Reshape(%x, %s) : (tensor<?x?x64xf32>, tensor<4xi64>) -> tensor<?x?x4x16xf32>
    ```
  }];
}

def RecognizeLinearPass : Pass<"onnx-recognize-linear", "::mlir::ModuleOp"> {
  let summary = "Bring linear layers into one form";
  let description = [{
    The canonical linear layer is `onnx.MatMul` with a constant weight
    `[in, out]`, or with the `onnx.Transpose` of a constant `[out, in]`, followed
    by an `onnx.Add` if there is a bias. `onnx.Gemm` remains where the input is a
    matrix by itself. A product between reshapes that only flatten the tokens,
    such as GPT-2's Conv1D, becomes a product of the tokens as they are:

    ```mlir
    %0 = onnx.Reshape(%x, %s0) : (tensor<?x?x64xf32>, tensor<2xi64>) -> tensor<?x64xf32>
    %1 = onnx.Gemm(%0, %w, %b) : (tensor<?x64xf32>, tensor<64x192xf32>, tensor<192xf32>) -> tensor<?x192xf32>
    %2 = onnx.Reshape(%1, %s1) : (tensor<?x192xf32>, tensor<3xi64>) -> tensor<?x?x192xf32>
    ```

    becomes

    ```mlir
    %0 = onnx.MatMul(%x, %w) : (tensor<?x?x64xf32>, tensor<64x192xf32>) -> tensor<?x?x192xf32>
    %1 = onnx.Add(%0, %b) : (tensor<?x?x192xf32>, tensor<192xf32>) -> tensor<?x?x192xf32>
    ```
  }];
}

def RecognizeLayerNormPass
    : Pass<"onnx-recognize-layer-norm", "::mlir::ModuleOp"> {
  let summary = "Recognize LayerNorm in its parts";
  let description = [{
    Replaces `(x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) * scale +
    bias`, over the last dimension and in any spelling, by
    `onnx.LayerNormalization`.
  }];
}

def RecognizeRMSNormPass : Pass<"onnx-recognize-rms-norm", "::mlir::ModuleOp"> {
  let summary = "Recognize RMSNorm in its parts";
  let description = [{
    Replaces `x / sqrt(mean(x^2) + epsilon) * scale`, over the last dimension and
    in any spelling, by `onnx.RMSNormalization`. The casts to f32 and back of
    models in half precision are taken in.

    ```mlir
    %0 = onnx.Pow(%x, %two) : (tensor<?x64xf32>, tensor<f32>) -> tensor<?x64xf32>
    %1 = onnx.ReduceMean(%0, %last) : (tensor<?x64xf32>, tensor<1xi64>) -> tensor<?x1xf32>
    %2 = onnx.Add(%1, %epsilon) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
    %3 = onnx.Sqrt(%2) : (tensor<?x1xf32>) -> tensor<?x1xf32>
    %4 = onnx.Div(%x, %3) : (tensor<?x64xf32>, tensor<?x1xf32>) -> tensor<?x64xf32>
    %5 = onnx.Mul(%4, %scale) : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
    ```

    becomes

    ```mlir
    %5 = onnx.RMSNormalization(%x, %scale) {epsilon = 1.0e-5 : f32}
        : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
    ```
  }];
}

def RecognizeGeluPass : Pass<"onnx-recognize-gelu", "::mlir::ModuleOp"> {
  let summary = "Recognize GELU in its parts";
  let description = [{
    Replaces `x * 0.5 * (1 + erf(x / sqrt(2)))` and its approximation by tanh, in
    any order of factors, by `onnx.Gelu`.
  }];
}

def RecognizeSwishPass : Pass<"onnx-recognize-swish", "::mlir::ModuleOp"> {
  let summary = "Recognize SiLU in its parts";
  let description = [{
    Replaces `x * sigmoid(a * x)` and `x / (1 + exp(-x))` by `onnx.Swish`.
  }];
}

def RecognizeRotaryEmbeddingPass
    : Pass<"onnx-recognize-rotary-embedding", "::mlir::ModuleOp"> {
  let summary = "Recognize rotary embeddings in their parts";
  let description = [{
    Replaces `x * cos + rotate_half(x) * sin` by `onnx.RotaryEmbedding`, if the
    tables of cosines and sines are repeated for the second half of the channels,
    which ONNX's op does by itself. The tables stay what they were, for the first
    half.
  }];
}

def RecognizeAttentionPass
    : Pass<"onnx-recognize-attention", "::mlir::ModuleOp"> {
  let summary = "Recognize attention in its parts";
  let description = [{
    Replaces `softmax(q k^T * scale + mask) v` by `onnx.Attention` on tensors
    `[batch, heads, sequence, channels]`. Heads of k and v that are repeated for
    groups of queries are left single; a cache that the new keys and values are
    appended to becomes `past_key` and `past_value`. A mask that provably hides
    the future, and nothing else, becomes `is_causal`; any other stays an
    operand.
  }];
}

def NameLayersPass : Pass<"onnx-name-layers", "::mlir::ModuleOp"> {
  let summary = "Give every quantizable op a name of its own";
  let description = [{
    Layers are chosen and reported by the names of their locations. Ops without
    a name get that of their operator, and equal names are numbered.
  }];
}

def UpdateKvCacheInPlacePass
    : Pass<"onnx-update-kv-cache-in-place", "::mlir::ModuleOp"> {
  let summary = "Let a decoder write new keys and values into its caches";
  let description = [{
    Exporters write decoders that take the past keys and values and return them
    with the new ones behind, so that every step copies all of them. Each such
    pair of an argument and a result becomes one cache `[batch, heads, capacity,
    size]`: new rows are written behind the past ones, where the argument lies,
    and attention reads the first rows of it. How many rows are past is a new
    scalar argument, `past_length`. The result stands for the argument after the
    run, which the attribute `lowbit.updates` says; compiled models have no
    output for it.

    ```mlir
    func.func @main(%q: tensor<?x8x?x64xf32>, %k: tensor<?x4x?x64xf32>, %v: tensor<?x4x?x64xf32>,
                    %past_k: tensor<?x4x?x64xf32>, %past_v: tensor<?x4x?x64xf32>)
        -> (tensor<?x8x?x64xf32>, tensor<?x4x?x64xf32>, tensor<?x4x?x64xf32>) {
      %y, %present_k, %present_v, %_ = onnx.Attention(%q, %k, %v, %none, %past_k, %past_v, %none) ...
      return %y, %present_k, %present_v : ...
    ```

    becomes

    ```mlir
    func.func @main(..., %cache_k: tensor<?x4x?x64xf32>, %cache_v: tensor<?x4x?x64xf32>,
                    %past_length: tensor<i64>)
        -> (tensor<?x8x?x64xf32>, tensor<?x4x?x64xf32> {lowbit.updates = 3 : i64},
            tensor<?x4x?x64xf32> {lowbit.updates = 4 : i64}) {
      %keys = onnx.TensorScatter(%cache_k, %k, %starts) {axis = 2 : i64} : ...
      %values = onnx.TensorScatter(%cache_v, %v, %starts) {axis = 2 : i64} : ...
      %y, ... = onnx.Attention(%q, %keys, %values, %none, %none, %none, %lengths) ...
      return %y, %keys, %values : ...
    ```

    where `%starts` are `past_length` and `%lengths` are `past_length` plus the
    number of new rows, for each batch. Where the graph reads the length of the
    past as a dimension, it gets the scalar; of an argument whose length is that
    of past and new rows together, such as an attention mask, the first ones
    count. A cache that cannot be updated in place is left as it is, and a remark
    says why.

    Runs on a normalized graph, in which attention is one operation
    (`onnx-recognize-attention`); caches that other operations read are updated
    in place too.
  }];
  let statistics = [
    Statistic<"numFunctions", "num-functions", "Number of functions with caches">
  ];
  let dependentDialects = ["::lowbit::LowbitDialect"];
}

#endif // LOWBIT_DIALECT_ONNX_TRANSFORMS_PASSES_TD
