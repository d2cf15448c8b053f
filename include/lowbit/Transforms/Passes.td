//===- Passes.td - transforms that keep a model's function -*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_TRANSFORMS_PASSES_TD
#define LOWBIT_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def Rotate : Pass<"rotate", "::mlir::ModuleOp"> {
  let summary = "Rotate activations and weights by Hadamard matrices";
  let description = [{
    Changes the basis in which activations are computed, so that outliers spread
    over all channels and weights and activations lose less when a solver that
    follows quantizes them (QuaRot, Ashkboos et al. 2024, arXiv 2404.00456;
    SpinQuant without its training). The model computes the same. Needs no data.

    * Scales and biases of the norms that read the residual stream go into the
      layers after them. Where the norm is LayerNormalization, what writes the
      stream is centered first, and the norm becomes RMSNormalization.
    * What writes the residual stream (embeddings, the last layer of attention
      and of the MLP) is rotated; the layers that read it, the head included,
      undo that. All of it is in their weights. A table that the embedding and
      the head share becomes one for each; a remark says what that costs.
    * The values of attention are rotated within each head in the layer that
      makes them; the layer after attention undoes that.
    * With `online=down`, inputs of layers that write the stream and that nothing
      could be fused with, those of the MLP's last layer, are rotated by
      `lowbit.hadamard` while the model runs. With `online=all` those of the
      layer after attention, too, instead of within heads. `online=none` does
      without.

    The matrix of the residual stream also flips the signs of some channels,
    which `seed` chooses; not with `randomize=false`. A width without a Hadamard
    matrix is rotated in blocks of the largest order that divides it and has one
    (`lowbit.hadamard` says which do); a remark names it.

    A graph without a residual stream, or with one that something reads or writes
    that is none of the above, is an error that names the op; attention whose
    values are a result of the model, as in a cache, keeps them as they are.

    Before:

    ```mlir
    %n = onnx.RMSNormalization(%x, %scale) ...
    %u = onnx.MatMul(%n, %up) ...
    %r = onnx.Relu(%u) ...
    %d = onnx.MatMul(%r, %down) ...
    %y = onnx.Add(%x, %d) ...
    ```

    After:

    ```mlir
    %n = onnx.RMSNormalization(%x, %ones) ...
    %u = onnx.MatMul(%n, %up_rotated) ...
    %r = onnx.Relu(%u) ...
    %h = lowbit.hadamard %r {block = 352 : i64} : tensor<?x352xf32>
    %d = onnx.MatMul(%h, %down_rotated) ...
    %y = onnx.Add(%x, %d) ...
    ```
  }];
  let options = [
    Option<"online", "online", "std::string", "\"down\"",
           "Which inputs are rotated while the model runs: none, down or all">,
    Option<"randomize", "randomize", "bool", "true",
           "Flip the signs of random channels of the residual stream">,
    Option<"seed", "seed", "uint64_t", "0", "Seed of the signs">,
    Option<"threads", "threads", "unsigned", "0",
           "Threads to work with; 0 takes all processors. Results do not depend "
           "on it">
  ];
  let statistics = [
    Statistic<"numStreams", "streams", "Residual streams that were rotated">,
    Statistic<"numHeads", "values", "Attention values that were rotated">,
    Statistic<"numOnline", "online", "Inputs that are rotated at run time">
  ];
  let dependentDialects = ["::lowbit::LowbitDialect",
                           "::lowbit::onnx::OnnxDialect"];
}

def DataFreeSmooth : Pass<"data-free-smooth", "::mlir::ModuleOp"> {
  let summary = "Even out the channels of activations and weights without data";
  let description = [{
    Divides channels with large activations by a factor, and multiplies the
    weights that read them, so that both are easier to quantize. The model
    computes the same. This is SmoothQuant's migration (Xiao et al. 2022, arXiv
    2211.10438) with magnitudes that are estimated from the model instead of
    measured, and cross-layer equalization (Nagel et al. 2019, arXiv 1906.04721):
    this project's own combination, not a published method.

    * After a norm with the scale g and the bias b, channel k is taken to reach
      a = |b| + `deviations` |g|. With w, the largest weight of all layers that
      read it, the factor is a^`alpha` / w^(1 - `alpha`).
    * Between two layers (the values and the layer after attention, `up` and
      `down` of a gated MLP, layers with a Relu in between), the factor is the
      square root of the largest weight that makes the channel over the largest
      that reads it; with `equalize=false` these stay as they are.

    Factors are folded where everything that reads the channels is a linear
    layer; else a remark names the op in the way.

    Before:

    ```mlir
    %n = onnx.RMSNormalization(%x, %scale) ...
    %q = onnx.MatMul(%n, %wq) ...
    ```

    After, with the same operations: `%scale` divided by the factors, the rows of
    `%wq` multiplied by them.
  }];
  let options = [
    Option<"alpha", "alpha", "double", "0.5",
           "How much of the difficulty goes from activations to weights, from 0 "
           "to 1">,
    Option<"deviations", "deviations", "double", "6",
           "What a normalized channel is taken to reach, in standard deviations">,
    Option<"equalize", "equalize", "bool", "true",
           "Equalize the channels between pairs of layers, too">
  ];
  let statistics = [
    Statistic<"numNorms", "norms", "Norms whose channels were scaled">,
    Statistic<"numPairs", "pairs", "Layers whose outputs were equalized">
  ];
  let dependentDialects = ["::lowbit::LowbitDialect",
                           "::lowbit::onnx::OnnxDialect"];
}

#endif // LOWBIT_TRANSFORMS_PASSES_TD
