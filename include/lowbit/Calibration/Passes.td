//===- Passes.td - passes that quantize weights ---------- -*- tablegen -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CALIBRATION_PASSES_TD
#define LOWBIT_CALIBRATION_PASSES_TD

include "mlir/Pass/PassBase.td"

/// What all passes that quantize weights have in common.
class QuantizingPass<string mnemonic> : Pass<mnemonic, "::mlir::ModuleOp"> {
  list<Option> layerOptions = [
    Option<"include", "include", "std::string", "",
           "Quantize only layers whose name matches this regular expression">,
    Option<"exclude", "exclude", "std::string", "",
           "Leave layers whose name matches this regular expression as they are">,
    Option<"head", "head", "bool", "false",
           "Quantize the last linear layer, which makes the output, too">,
    Option<"report", "report", "std::string", "",
           "File for the table of the quantized layers, as JSON if its name ends "
           "in .json; '-' prints it to standard error">,
    Option<"threads", "threads", "unsigned", "0",
           "Threads to work with; 0 takes all processors. Results do not depend "
           "on it">
  ];
  list<Option> formatOptions = [
    Option<"format", "format", "std::string", "\"uniform\"",
           "What weights are stored in: uniform, integers as the options below "
           "say; f32, f16 or bf16; or any format as IR spells it, in quotes">,
    Option<"bits", "bits", "unsigned", "4", "Bits of a code, 1 to 8, but 2 if symmetric">,
    Option<"groupSize", "group-size", "int64_t", "128",
           "Input channels that share a scale; -1 for whole rows">,
    Option<"symmetric", "symmetric", "bool", "false",
           "Signed codes without zero points">,
    Option<"scaleType", "scale-type", "std::string", "\"f16\"",
           "How scales are stored: f16, bf16 or f32">,
    Option<"zeroType", "zero-type", "std::string", "\"integer\"",
           "How zero points are stored: integer, as the codes; or f16, bf16 or "
           "f32, which may be fractional">,
    Option<"mse", "mse", "bool", "false",
           "Choose the range of each group from a grid by its error, instead of "
           "from the least to the greatest value">
  ];
  let dependentDialects = ["::lowbit::LowbitDialect",
                           "::lowbit::onnx::OnnxDialect"];
}

def QuantizeRtn : QuantizingPass<"quantize-rtn"> {
  let summary = "Round the weights of linear layers to the nearest codes";
  let description = [{
    Replaces every quantizable linear layer with a constant weight by
    `lowbit.matmul` with a `lowbit.constant` in the format that the options
    describe. Needs no data. Layers are named by their locations; `include` and `exclude` select
    among them. The last linear layer, whose output is the function's result, and
    embeddings stay float unless `head` and `embeddings` ask for them.

    Before:

    ```mlir
    %w = onnx.Constant #lowbit.external<"m.onnx", offset = 64, length = 65536> : tensor<128x128xf32>
    %y = onnx.MatMul(%x, %w) : (tensor<?x128xf32>, tensor<128x128xf32>) -> tensor<?x128xf32>
    ```

    After (`bits=4 group-size=64`):

    ```mlir
    %w = lowbit.constant {codes = ..., scales = ..., zeros = ...}
        : !lowbit.tensor<128x128xf32, #lowbit.uniform<u4, group = [1, 64], scale = f16, zero = u4>>
    %y = lowbit.matmul %x, %w : (tensor<?x128xf32>, ...) -> tensor<?x128xf32>
    ```
  }];
  let options = !listconcat(formatOptions, layerOptions, [
    Option<"embeddings", "embeddings", "bool", "false",
           "Quantize embedding tables, too">
  ]);
  let statistics = [
    Statistic<"numLayers", "layers", "Layers that were quantized">
  ];
}

def QuantizeBcq : QuantizingPass<"quantize-bcq"> {
  let summary = "Approximate the weights of linear layers by sums of scaled signs";
  let description = [{
    Binary-coding quantization, whose weights need no multiplications: stores the
    weights of linear layers in `#lowbit.bcq`. Needs no data. In each group the
    first signs are those of the weights, and their scale the mean magnitude;
    the next ones do the same to what is left. Then, `rounds` times, all scales of
    a group become those of least squares, and each weight takes the signs whose
    sum is nearest (Xu et al. 2018, arXiv 1802.00150; 15 rounds in LUT-GEMM, Park
    et al. 2024, arXiv 2206.09557). 0 rounds is the greedy method.

    Kernels look up sums of activations by these signs, or multiply with them:
    see `strategy` of `--lowbit-generate-kernels`.

    Example:

    ```
    quant-opt model.mlir --quantize-bcq="bits=3 group-size=128" -o model-bcq3.mlir
    ```
  }];
  let options = !listconcat([
    Option<"bits", "bits", "unsigned", "3", "Signs of a weight, 1 to 4">,
    Option<"groupSize", "group-size", "int64_t", "128",
           "Input channels that share scales; -1 for whole rows">,
    Option<"scaleType", "scale-type", "std::string", "\"f16\"",
           "How scales are stored: f16, bf16 or f32">,
    Option<"offset", "offset", "bool", "false",
           "Fit an offset of each group, too">,
    Option<"rounds", "rounds", "unsigned", "15",
           "How often scales and signs are fitted to each other">
  ], layerOptions, [
    Option<"embeddings", "embeddings", "bool", "false",
           "Quantize embedding tables, too">
  ]);
  let statistics = [
    Statistic<"numLayers", "layers", "Layers that were quantized">
  ];
}

def QuantizeHqq : QuantizingPass<"quantize-hqq"> {
  let summary = "Fit the zero points of linear layers to weights with outliers";
  let description = [{
    Like `--quantize-rtn`, but moves the zero point of each group to where errors
    `|w - w'|^p` are small, with p < 1: a few outliers count little (HQQ, Badri
    and Shaji 2023). Needs no data. Scales stay those of the range of each group.
    In `iterations` steps, codes are rounded, errors above a threshold are set
    aside as outliers, and the zero point becomes what the rest wants; `beta`,
    which grows by `kappa` in each step, sets the threshold. A layer keeps the
    zero points of the step with the least mean `|w - w'|`.

    Works with formats whose values are scale * (code - zero). Zero points that
    are integers are rounded in the end; `zero-type=f16` keeps their fractions.

    `--hqq` is this pass with the defaults of the published method: groups of 64,
    and fractional zero points.

    Example:

    ```
    quant-opt model.mlir --hqq -o model-int4.mlir
    quant-opt model.mlir --quantize-hqq="bits=3 group-size=64 zero-type=f16" -o model-int3.mlir
    ```
  }];
  let options = !listconcat(formatOptions, layerOptions, [
    Option<"embeddings", "embeddings", "bool", "false",
           "Quantize embedding tables, too">,
    Option<"p", "p", "double", "0.7",
           "The norm in which errors count, in (0, 1]">,
    Option<"beta", "beta", "double", "10",
           "What an error costs that is not set aside; greater sets aside more">,
    Option<"kappa", "kappa", "double", "1.01",
           "What beta is multiplied by after each iteration">,
    Option<"iterations", "iterations", "int64_t", "20",
           "How often the zero points are moved">
  ]);
  let statistics = [
    Statistic<"numLayers", "layers", "Layers that were quantized">
  ];
}

def QuantizeGptq : QuantizingPass<"gptq"> {
  let summary = "Quantize linear layers with error feedback on real activations";
  let description = [{
    Like `--quantize-rtn`, but codes the columns of a weight one after the other,
    and lets the columns that follow absorb the error made so far in the way that
    changes the layer's output least (GPTQ, Frantar et al. 2022, arXiv
    2210.17323). What changes the output is learned from calibration data: the
    model runs once, layer by layer, and each layer sees inputs that come from
    the quantized layers before it.

    `calibration` names a `.npy` file with samples for the model's main input:
    int32 or int64 token windows [samples, length] for a language model. Without
    it a language model makes its own data; a remark says so.

    Afterwards each scale is fitted to its codes, and each code chosen anew with
    all others fixed, in `refinements` passes.

    With `act-order` the input channels with the largest activations are coded
    first. Unless the scales are found before (`static-groups`), the weight is
    stored in that order, and the input of the layer is gathered in it.

    Layers finished are kept in the folder `state`, if one is given; a run that
    was interrupted, even killed, goes on from there when it is started again: a
    remark says where, and the result is the same to the bit. What is there of
    another model, of other options or data, or damaged, is solved anew with a
    warning.

    Example:

    ```
    quant-opt model.mlir --gptq="bits=4 group-size=64 calibration=calib.npy" -o model-int4.mlir
    ```
  }];
  let options = !listconcat(formatOptions, layerOptions, [
    Option<"calibration", "calibration", "std::string", "",
           "A .npy file of calibration samples">,
    Option<"samples", "samples", "int64_t", "0",
           "Samples to take of the file, evenly spread (0: all), or to generate "
           "(0: 32)">,
    Option<"length", "length", "int64_t", "128",
           "Length of generated samples in tokens">,
    Option<"seed", "seed", "uint64_t", "0", "Seed of generated samples">,
    Option<"actOrder", "act-order", "bool", "false",
           "Code the input channels in the order of their importance">,
    Option<"staticGroups", "static-groups", "bool", "false",
           "Find the scales of all groups before coding">,
    Option<"damping", "damping", "double", "0.01",
           "Added to the diagonal of the Hessian, relative to its mean">,
    Option<"blockSize", "block-size", "int64_t", "128",
           "Columns that are coded between two updates of the rest">,
    Option<"refinements", "refinements", "int64_t", "2",
           "Passes of coordinate descent over the finished codes and scales; "
           "each lowers the error of the layer's output; 0 is GPTQ as "
           "published">,
    Option<"sequential", "sequential", "bool", "true",
           "Calibrate each layer on inputs that come from quantized layers, "
           "instead of float ones">,
    Option<"state", "state", "std::string", "",
           "A folder for finished layers, to resume an interrupted run from">,
    Option<"memoryBudget", "memory-budget", "uint64_t", "4096",
           "MiB of activations to hold in memory; more goes to a temporary file">
  ]);
  let statistics = [
    Statistic<"numLayers", "layers", "Layers that were quantized">
  ];
}

#endif // LOWBIT_CALIBRATION_PASSES_TD
