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

/// What the passes of this library have in common.
class LayerPass<string mnemonic> : Pass<mnemonic, "::mlir::ModuleOp"> {
  /// Options of passes that run the model on calibration data.
  list<Option> dataOptions = [
    Option<"calibration", "calibration", "std::string", "",
           "A file of calibration samples: .npy, .npz or text">,
    Option<"tokenizer", "tokenizer", "std::string", "",
           "The tokenizer of text: tokenizer.json of Hugging Face, .model of "
           "SentencePiece, or .bin of llama2.c">,
    Option<"samples", "samples", "int64_t", "0",
           "Samples to take of the file (0: all), or to generate (0: 32)">,
    Option<"sampling", "sampling", "std::string", "\"even\"",
           "Which samples to take of more than are wanted: even, evenly spread, "
           "or random">,
    Option<"length", "length", "int64_t", "128",
           "Length of windows of text, and of generated samples, in tokens">,
    Option<"seed", "seed", "uint64_t", "0",
           "Seed of generated samples, and of random ones">
  ];
  /// The same of those that keep activations.
  list<Option> calibrationOptions = !listconcat(dataOptions, [
    Option<"memoryBudget", "memory-budget", "uint64_t", "4096",
           "MiB of activations to hold in memory; more goes to a temporary file">
  ]);
  /// Of passes that quantize layers on their inputs.
  list<Option> propagationOptions = [
    Option<"errorPropagation", "error-propagation", "double", "0",
           "How much of the errors of earlier layers each layer makes up for, "
           "from 0 to 1">
  ];
  /// Of passes that change a layer before they look at the inputs of the next.
  list<Option> inputOptions = [
    Option<"inputs", "inputs", "std::string", "\"layer\"",
           "Where the inputs of a layer come from: layer, from layers that are "
           "all done; block, from blocks that are done, but inside the layer's "
           "own block (an attention and the feed-forward layers behind it) from "
           "layers as they were; float, from the model as it was">
  ];
  /// Options that describe a format; one that was assigned to a layer comes
  /// before them.
  list<Option> formatOptions = [
    Option<"format", "format", "std::string", "\"uniform\"",
           "What weights are stored in, unless another format was assigned: "
           "uniform, integers as the options below say; a name, such as f16, "
           "u4g64, q4_K, nf4 or mxfp4; or any format as IR spells it, in quotes">,
    Option<"bits", "bits", "unsigned", "4", "Bits of a code, 1 to 8, but 2 if symmetric">,
    Option<"groupSize", "group-size", "int64_t", "128",
           "Input channels that share a scale; -1 for whole rows, 0 for whole "
           "weights">,
    Option<"symmetric", "symmetric", "bool", "false",
           "Signed codes without zero points">,
    Option<"scaleType", "scale-type", "std::string", "\"f16\"",
           "How scales are stored: f16, bf16, f32, or e8m0, as powers of two">,
    Option<"zeroType", "zero-type", "std::string", "\"integer\"",
           "How zero points are stored: integer, as the codes; or f16, bf16 or "
           "f32, which may be fractional">,
    Option<"range", "range", "std::string", "\"minmax\"",
           "What the codes of each group span: minmax, from the least to the "
           "greatest value; percentile, without as many values at either end; or "
           "mse, the part of that with the least error in a grid">,
    Option<"percentile", "percentile", "double", "99.9",
           "With range=percentile: the one that ranges end at, between 50 and "
           "100, and 100 minus it the one that they begin at">,
    Option<"mse", "mse", "bool", "false", "The same as range=mse">
  ];
  let dependentDialects = ["::lowbit::LowbitDialect",
                           "::lowbit::onnx::OnnxDialect"];
}

/// What all passes that quantize weights have in common.
class QuantizingPass<string mnemonic> : LayerPass<mnemonic> {
  list<Option> layerOptions = [
    Option<"include", "include", "std::string", "",
           "Quantize only layers whose name matches this regular expression">,
    Option<"exclude", "exclude", "std::string", "",
           "Leave layers whose name matches this regular expression as they are">,
    Option<"head", "head", "bool", "false",
           "Quantize the last linear layer, which makes the output, too; "
           "otherwise only if a format was assigned to it">,
    Option<"embeddings", "embeddings", "bool", "false",
           "Quantize embedding tables, too; otherwise only those to which a "
           "format was assigned">,
    Option<"report", "report", "std::string", "",
           "File for the table of the quantized layers, as JSON if its name ends "
           "in .json; '-' prints it to standard error">,
    Option<"threads", "threads", "unsigned", "0",
           "Threads to work with; 0 takes all processors. Results do not depend "
           "on it">
  ];
}

def AssignFormats : LayerPass<"assign-formats"> {
  let summary = "Decide which number format each layer gets";
  let description = [{
    Writes `lowbit.format` on every linear layer and embedding of which it is told
    something. It quantizes nothing: the passes that do (`--quantize-rtn`,
    `--quantize-hqq`, `--gptq`, ...) take a layer's own format over their options,
    and leave layers alone that are to stay float.

    A *rule* is a regular expression and a format, `down_proj=q6_K`. The first
    rule decides whose expression matches a part of the layer's name, as with
    `--tensor-type` of llama.cpp; rules on the command line come before those of
    a file. An expression after `@` is matched with the role that the layer has
    in the graph, whatever its name: `token_embedding`, `embedding` (any other),
    `head` (makes the output), `attention_q`, `attention_k`, `attention_v`,
    `attention_qkv` (fused), `attention_output`, `ffn_gate`, `ffn_up`, `ffn_down`,
    or `other`. Rules hold for the head and for embeddings like for all layers.

    A *format* is `float`, which keeps the weight as it is; `f32`, `f16` or
    `bf16`; the name of a GGML type (`q4_K`, in upper or lower case); integers
    with a group size, such as `u4g64` (4 bits, zero points, groups of 64), with
    a number of groups in the whole matrix, such as `s8n64`, or without either,
    for whole rows, such as `s8` (symmetric); `nf4`, `fp4`, `fp8`,
    `mxfp4`, `mxfp8`, `mxint8` or `nvfp4`; or as IR spells it, `#lowbit.ggml<q4_K>`. Formats
    with commas stand in quotes; a list that begins with a quote stands in braces:
    `candidates={'#lowbit.uniform<...>',u4g64}`.

    A *mixture* is how llama.cpp quantizes a model to a file type: a type for most
    layers, and larger ones for the value layers, the down layers, the attention's
    output layers, the head or the token embedding, by their depth. It decides on
    all layers that no rule matches; other embeddings, such as positions, stay
    float. The names are those of llama.cpp: Q2_K, Q3_K_S, Q3_K_M, Q3_K_L, Q4_0,
    Q4_1, Q4_K_S, Q4_K_M, Q5_0, Q5_1, Q5_K_S, Q5_K_M, Q6_K, Q8_0, IQ4_NL, IQ4_XS.
    Its rules for mixtures of experts and for Falcon are left out. A token
    embedding with the head's weights counts as tied to it, as in GGUF.

    `default` is for the linear layers, without the head, of which no rule and no
    mixture says anything. What is left is for the options of the pass that
    quantizes: `format`, `head`, `embeddings`.

    A number of groups becomes the next one that cuts the matrix evenly: into
    bundles of rows (`s8n64` of 256 x 64: 4 rows each) or, if there are more groups
    than rows, parts of rows (of 32 x 64: halves).

    Where a format cannot store the shape of a layer, the first of `fallback` does
    that can: a list of formats, in which `ggml` stands for the type that llama.cpp
    takes instead of one whose blocks do not divide the width (q6_K: q8_0, q5_K:
    q5_1, q4_K: q5_0, q3_K and q2_K: q4_0, iq4_xs: iq4_nl, and f16 at last). With a
    mixture, `ggml` is always one of them. Without a fallback it is an error.

    A *recipe* is a JSON file with any of these keys; others are errors, except
    `comment`, here and in rules:

    ```json
    {
      "rules": [
        {"layers": "layers\.0\.", "format": "float"},
        {"role": "ffn_down|attention_v", "format": "q6_K"}
      ],
      "mixture": "Q4_K_M",
      "default": "u4g64",
      "fallback": ["ggml", "float"]
    }
    ```

    `search` measures instead. Each linear layer that no rule matches, but the head
    only with `head`, is coded in each of `candidates`, by `solver`, and the harm is
    measured on calibration data, which is given as for `--gptq`:

    * `sensitivity=output-error`: the energy of the error of the layer's output,
      relative to that of the output: ||X(W - W')^T||^2 / ||XW^T||^2;
    * `hessian-trace`: tr(H)/K ||W - W'||^2 with H = 2/N XX^T of K input channels,
      as in HAWQ-V2 (Dong et al. 2020, arXiv 1911.03852), but with the Hessian of
      the layer's output error instead of that of the loss;
    * `kl`: the mean KL divergence of the predictions of the model (the softmax of
      the last axis of its first output) from those of the float model, as in
      ZeroQ (Cai et al. 2020, arXiv 2001.00281). The model runs once for each layer,
      candidate and one of `kl-samples` samples, with all its float weights in
      memory.

    `kl`, the default, is for models whose first output are logits. It takes longest,
    and alone knows what attention and later layers make of an error.

    Then each layer gets the candidate with which the sum of all these is least
    while the budget holds: exactly, and so never more than if all layers took one
    candidate. That the harm of all layers is the sum of that of each alone is an
    assumption, the better the less harm there is. The budget is one of `budget`,
    bits per weight; `budget-bytes`; or `budget-latency`, what a token takes with
    float activations. That is thousands of cycles of one core, as the cost model of
    the kernels of `target` predicts them, or, with `latency=measured`, microseconds
    of this machine with all its threads, which the kernels of all shapes and
    candidates are compiled and run for: two runs measure different times, and
    may decide differently, so keep the `report`. What layers take that rules decide
    on is part of it; a weight that several layers share counts for each of them.
    With `tied`, layers that read the same value (query, key and value; gate and up)
    take the same candidate, so that they can be merged.

    A candidate that cannot store a layer, or has no kernel where latency counts,
    takes a fallback, or is left out there with a remark. `table` names a JSON file
    for what was measured: if it exists, nothing is measured, and it must be of the
    same layers, candidates, data and options; budgets and rules may differ.

    `report` writes what was decided, after a search with all measured harm, where
    a star marks what was chosen; as JSON, if the name ends so, it is a recipe that
    decides the same again.

    Example:

    ```
    quant-opt model.mlir --assign-formats="mixture=Q4_K_M rules=@head=float" --quantize-rtn -o model-q4.mlir
    quant-opt model.mlir --assign-formats="rules=down_proj=u8g64,@head=q6_K fallback=ggml" --gptq -o mixed.mlir
    quant-opt model.mlir --assign-formats="search budget=3.5 candidates=u2g64,u3g64,u4g64,q6_K sensitivity=kl calibration=calib.npy table=model.json report=-" --gptq="calibration=calib.npy" -o model-3.5.mlir
    ```
  }];
  let options = !listconcat([
    ListOption<"rules", "rules", "std::string",
               "Rules `expression=format`; the first that matches a layer decides">,
    Option<"recipe", "recipe", "std::string", "",
           "A JSON file of rules">,
    Option<"mixture", "mixture", "std::string", "",
           "The file type of llama.cpp by whose rules other layers get a type">,
    Option<"defaultFormat", "default", "std::string", "",
           "The format of linear layers, but not the head, that nothing else is "
           "said of">,
    ListOption<"fallback", "fallback", "std::string",
               "Formats to try where one cannot store a layer; ggml for what "
               "llama.cpp does">,
    Option<"report", "report", "std::string", "",
           "File for the table of the assignments, as a recipe if its name ends "
           "in .json; '-' prints it to standard error">,
    Option<"search", "search", "bool", "false",
           "Measure which formats layers of which no rule speaks can bear, and "
           "choose them within a budget">,
    ListOption<"candidates", "candidates", "std::string",
               "Formats to choose from (default: u2g64, u3g64, u4g64, u5g64, "
               "u6g64, u8g64)">,
    Option<"budget", "budget", "double", "0", "Bits per weight on average">,
    Option<"budgetBytes", "budget-bytes", "double", "0",
           "Bytes of all weights together">,
    Option<"budgetLatency", "budget-latency", "double", "0",
           "What a token takes: thousands of cycles of one core, as predicted, or "
           "microseconds, as measured">,
    Option<"latency", "latency", "std::string", "\"predicted\"",
           "Where the time of a token is known from: predicted, by the cost model, "
           "or measured, on this machine">,
    Option<"target", "target", "std::string", "\"native\"",
           "Whose kernels: native, avx2, avx512vnni, amx, neon, i8mm, sve or "
           "sve-i8mm">,
    Option<"sensitivity", "sensitivity", "std::string", "\"kl\"",
           "What is measured: kl, output-error or hessian-trace">,
    Option<"solver", "solver", "std::string", "\"gptq\"",
           "How weights are coded when a candidate is tried: gptq, rtn or hqq">,
    Option<"range", "range", "std::string", "\"minmax\"",
           "What the codes of each group then span: minmax, percentile (0.1 and "
           "99.9) or mse">,
    Option<"klSamples", "kl-samples", "int64_t", "8",
           "Samples on which predictions are compared, evenly spread; 0 for all">,
    Option<"head", "head", "bool", "false",
           "Search a format for the last linear layer, which makes the output, "
           "too">,
    Option<"tied", "tied", "bool", "false",
           "Let layers that read the same value take the same candidate">,
    Option<"table", "table", "std::string", "",
           "A JSON file for what was measured, to take it from if it exists">,
    Option<"threads", "threads", "unsigned", "0",
           "Threads to work with; 0 takes all processors. Results do not depend "
           "on it">
  ], calibrationOptions);
  let statistics = [
    Statistic<"numLayers", "layers", "Layers that were assigned a format">
  ];
}

def ConvertFormats : LayerPass<"convert-formats"> {
  let summary = "Store quantized weights in another format, exactly";
  let description = [{
    Replaces quantized weights by the same values in the format `to`: no value
    changes, or the pass fails with the first one that the format cannot store.
    The parameters of each group, those of super-blocks of GGML and of scales in
    formats of their own among them, are found from the values alone: scales that
    differ from the original ones by a factor, say, do as well. Every weight
    becomes floats, and floats become what they once were decoded from.

    Codes of fewer bits become codes of more; groups are cut or joined; integers
    with f16 scales become types of GGML and back (`s4g32` and `q4_0`, `s8g32` and
    `q8_0`), and these become larger ones (`q4_0`, `q4_1`, `q5_1`; `q3_K`, `q6_K`;
    `q4_K`, `q5_K`); tables become integers where their levels are whole numbers
    (`iq4_nl` and `mxfp4`, `s8g32`); integers of up to 4 bits become sums of signs
    with an offset, which LUT kernels serve. What is not exact: `u4g32` as `q4_1`,
    unless its scales have few bits, for the products of scales and zero points
    have more than an f16. What is refused although it can be exact: scales in a
    format of their own that are differences from their mean, or of a group whose
    codes have a common divisor; zero points in a format of their own that are no
    whole numbers; signs in other groups that are no integers.

    Formats are named as for `--assign-formats`. Layers are selected by their
    names: `include` and `exclude`.

    Example:

    ```
    quant-opt model-q8_0.mlir --convert-formats="to=s8g32" -o model-s8.mlir
    quant-opt model.mlir --gptq='scale-type=f32' \\
        --convert-formats='to="#lowbit.bcq<bits = 4, group = [1, 128], scale = f32, offset>"' -o model-bcq.mlir
    ```
  }];
  let options = [
    Option<"to", "to", "std::string", "",
           "The format: a name such as s8g32 or f16, or as IR spells it">,
    Option<"include", "include", "std::string", "",
           "Convert only weights of layers whose name matches this regular "
           "expression">,
    Option<"exclude", "exclude", "std::string", "",
           "Leave weights of layers whose name matches this regular expression">,
    Option<"threads", "threads", "unsigned", "0",
           "Threads to work with; 0 takes all processors. Results do not depend "
           "on it">
  ];
  let statistics = [
    Statistic<"numWeights", "weights", "Weights that were converted">
  ];
}

def CollectImportance : LayerPass<"collect-importance"> {
  let summary = "Measure how much errors in each input channel of a layer count";
  let description = [{
    Runs the float model on calibration data and writes on each linear layer the
    mean square of each of its input channels, `lowbit.importance`: an error in a
    column of the weight changes the output in proportion. This is the importance
    matrix of llama.cpp. `--quantize-rtn` hands it to formats that search for
    their parameters, such as the types of GGML, which weigh errors with it.

    The data is given as for `--gptq`. Embeddings, which sum over nothing, and
    layers that were assigned to stay float get no importance.

    Before:

    ```mlir
    %y = onnx.MatMul(%x, %w) : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
    ```

    After:

    ```mlir
    %y = onnx.MatMul(%x, %w) {lowbit.importance = dense<[0.5, 0.25, 3.0, 0.125]> : tensor<4xf32>} : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
    ```

    Example:

    ```
    quant-opt model.mlir --collect-importance="calibration=calib.npy" --q3-k-m -o model-q3.mlir
    ```
  }];
  let options = !listconcat(calibrationOptions, [
    Option<"include", "include", "std::string", "",
           "Measure only layers whose name matches this regular expression">,
    Option<"exclude", "exclude", "std::string", "",
           "Leave layers whose name matches this regular expression out">,
    Option<"threads", "threads", "unsigned", "0",
           "Threads to work with; 0 takes all processors. Results do not depend "
           "on it">
  ]);
  let statistics = [
    Statistic<"numLayers", "layers", "Layers that were measured">
  ];
}

def Awq : LayerPass<"awq"> {
  let summary = "Scale channels and clip weights by what activations show";
  let description = [{
    AWQ (Lin et al. 2024, arXiv 2306.00978): multiplies the weights that meet large
    activations, so that rounding them costs less, and divides the activations in
    what makes them. The model stays in float; a pass that quantizes
    (`--quantize-rtn`, `--gptq`) follows, with the same options for the format, or
    with the formats that `--assign-formats` wrote, which come first here, too.

    * *Scales.* For layers that read the same channels, with a the mean magnitude
      of each over the calibration data: s = a^alpha, at least 1e-4, divided by
      sqrt(max(s) min(s)), for alpha = 0, 1/`points`, 2/`points`, ... below 1. The
      weights are rounded as s W and divided by s again, and the module that the
      layers begin (queries, keys and values: attention up to its output layer;
      `gate` and `up`: the MLP; others: the layers themselves) runs on the
      calibration data; the alpha with the least squared error of its outputs
      wins. As alpha = 0 changes nothing, that is no greater than without scales.
    * *Ranges.* For each group of weights, its greatest magnitude less 0, 5, ...
      45 %: what loses least of the group's outputs, when the weights are clamped
      to it and rounded, is what they are clamped to. Not for queries and keys.
      This suits `--quantize-rtn`; solvers that choose codes by their errors do
      better with `clip=false`.

    The scales are folded into a norm, a linear layer (values into the layer
    after attention, `up` into `down`, `fc1` into `fc2` with a Relu in between;
    heads of queries that share a head of values have the same scales), or else,
    behind an activation function such as Gelu, into a multiplication while the
    model runs, unless `multiply=false`. A remark tells which layers are not
    scaled and why. Inputs are those of the float model.

    Before:

    ```mlir
    %n = onnx.RMSNormalization(%x, %scale) ...
    %q = onnx.MatMul(%n, %wq) ...
    ```

    After, with the same operations: `%scale` divided by the scales, the rows of
    `%wq` multiplied by them and clamped.

    Example:

    ```
    quant-opt model.mlir --awq="calibration=calib.npy" --quantize-rtn -o model-int4.mlir
    quant-opt model.mlir --awq="bits=3 group-size=64 clip=false" --gptq="bits=3 group-size=64" -o model-int3.mlir
    ```
  }];
  let options = !listconcat(calibrationOptions, formatOptions, [
    Option<"points", "points", "unsigned", "20",
           "Exponents to try, from 0 to just below 1">,
    Option<"scale", "scale", "bool", "true", "Search for scales">,
    Option<"clip", "clip", "bool", "true", "Search for ranges">,
    Option<"multiply", "multiply", "bool", "true",
           "Multiply while the model runs where nothing can be folded, behind "
           "activation functions">,
    Option<"include", "include", "std::string", "",
           "Scale and clip only layers whose name matches this regular "
           "expression">,
    Option<"exclude", "exclude", "std::string", "",
           "Leave layers whose name matches this regular expression out">,
    Option<"head", "head", "bool", "false",
           "Scale and clip the last linear layer, which makes the output, too">,
    Option<"threads", "threads", "unsigned", "0",
           "Threads to work with; 0 takes all processors. Results do not depend "
           "on it">
  ]);
  let statistics = [
    Statistic<"numSites", "sites", "Inputs of layers that were scaled">,
    Statistic<"numClipped", "clipped", "Layers that were clipped">
  ];
}

def SmoothQuant : LayerPass<"smoothquant"> {
  let summary = "Move outliers of activations into weights";
  let description = [{
    SmoothQuant (Xiao et al. 2023, arXiv 2211.10438): divides the channels of
    activations by factors, and multiplies the weights that read them, so that
    both can be quantized. With a, the greatest magnitude of a channel in the
    calibration data, and w that of the weights that read it, the factor is
    a^`alpha` / w^(1 - `alpha`), where w and the factor are at least 1e-5. The
    model computes the same and stays in float; a pass that quantizes
    and `--quantize-activations` follow.

    Factors go into the norms in front of queries, keys and values, and of `gate`
    and `up` or `fc1`. With `pairs` they also go into linear layers: values into
    the layer after attention, `up` into `down`, `fc1` into `fc2` with a Relu in
    between. A remark tells which layers are not scaled and why.

    `alpha=search` takes, for each input, the best of 0, 0.05, ... 1: weights are
    rounded in `format` (or what was assigned to the layer), activations to signed
    symmetric codes of `activation-bits`, with a scale for each token (`row`), for
    the weight's groups of each token (`group`), or a single one that spans the
    calibration data (`tensor`); what counts is the squared error of the module
    that the layers begin, as in `--awq`.

    Before:

    ```mlir
    %n = onnx.RMSNormalization(%x, %scale) ...
    %q = onnx.MatMul(%n, %wq) ...
    ```

    After, with the same operations: `%scale` divided by the factors, the rows of
    `%wq` multiplied by them.

    Example:

    ```
    quant-opt model.mlir --smoothquant="calibration=calib.npy" --quantize-rtn="bits=8 symmetric group-size=-1" --quantize-activations -o model-int8.mlir
    quant-opt model.mlir --smoothquant="alpha=search" --gptq="bits=8 symmetric group-size=-1" --quantize-activations -o model-int8.mlir
    ```
  }];
  let options = !listconcat(calibrationOptions, [
    Option<"alpha", "alpha", "std::string", "\"0.5\"",
           "How much of the difficulty goes from activations to weights, from 0 "
           "to 1; or search">,
    Option<"pairs", "pairs", "bool", "false",
           "Scale what linear layers make, too">,
    Option<"format", "format", "std::string", "\"s8\"",
           "With alpha=search: what weights are going to be stored in, as "
           "--assign-formats names it, unless another format was assigned">,
    Option<"activationBits", "activation-bits", "unsigned", "8",
           "With alpha=search: bits of a code of activations, 2 to 8">,
    Option<"granularity", "granularity", "std::string", "\"row\"",
           "With alpha=search: what activations share a scale: row (a token), "
           "group (of the weight, in a token) or tensor (all)">,
    Option<"include", "include", "std::string", "",
           "Scale only inputs of layers whose name matches this regular "
           "expression, and of layers that share these inputs">,
    Option<"exclude", "exclude", "std::string", "",
           "Leave layers whose name matches this regular expression out, unless "
           "they share the input of another layer">,
    Option<"head", "head", "bool", "false",
           "Scale the input of the last linear layer, which makes the output, "
           "too">,
    Option<"threads", "threads", "unsigned", "0",
           "Threads to work with; 0 takes all processors. Results do not depend "
           "on it">
  ]);
  let statistics = [
    Statistic<"numSites", "sites", "Inputs of layers that were scaled">
  ];
}

def QuantizeActivations : LayerPass<"quantize-activations"> {
  let summary = "Quantize the inputs of quantized matmuls";
  let description = [{
    Quantizes the input of every `lowbit.matmul` that has a float input, in signed
    symmetric codes. Matmuls that read the same input in the same way share the
    operation.

    By default scales follow from the values while the model runs: there is a
    `lowbit.dynamic_quantize` with a scale for each token and weight group
    (`granularity=group`: groups of the input end where the weight's do), for
    each token (`row`), or for all that one call of the model reads (`tensor`).

    With `static`, or with `calibration` data, there is a `lowbit.static_quantize`
    with one scale for each input, from what the model, as it is now, computes on
    the data: run this after weights are quantized. The data is given as for
    `--gptq`. `range` says what codes span, symmetrically about 0; scales are the
    range over the largest code, and what lies beyond it is clipped:

    | `range`      | the range ends at                                          |
    | ------------ | ---------------------------------------------------------- |
    | `minmax`     | the largest magnitude                                      |
    | `average`    | that of the first sample, and then 0.9 times the average plus 0.1 times that of the next one |
    | `percentile` | the `percentile` of the magnitudes, by a histogram of 2048 bins |
    | `entropy`    | the bin of that histogram where clipping loses the least information (Kullback-Leibler divergence, as in TensorRT) |
    | `mse`        | 1.00, 0.99, ... or 0.21 times the largest magnitude, whichever makes the least squared error |
    | `sigma`      | 0.75, 0.77, ... or 1.49 times the larger magnitude of mean + 3 sigma and mean - 3 sigma, whichever makes the least squared error |

    `format` is any format with one scale for the whole tensor and no zero points:
    outlier-victim pairs, whose outliers lie beyond the range, are those of OliVe
    (`--olive="activations"`). With `or-format` each input takes the one of two
    formats that makes the smaller squared error.

    Inputs of weights whose codes stand for levels that are no small integers
    times a constant, as in NF4, or that are levels of more than four bits stay
    floats, with a remark: kernels compute with floats there. A `format` is for
    all.

    `include` and `exclude` are regular expressions; a matmul is taken if
    `include` matches a part of its node's name (or is empty) and `exclude` does
    not.

    Before:

    ```mlir
    %y = lowbit.matmul %x, %w
        : (tensor<?x64xf32>, !lowbit.tensor<96x64xf32, #u4g32>) -> tensor<?x96xf32>
    ```

    After:

    ```mlir
    %q = lowbit.dynamic_quantize %x : tensor<?x64xf32>
        -> !lowbit.tensor<?x64xf32, #lowbit.uniform<s8, group = [1, 32], scale = f32, zero = none, narrow>>
    %y = lowbit.matmul %q, %w
        : (!lowbit.tensor<?x64xf32, ...>, !lowbit.tensor<96x64xf32, #u4g32>) -> tensor<?x96xf32>
    ```

    or, with `calibration=calib.npy`:

    ```mlir
    %q = lowbit.static_quantize %x scale 0.0125 : tensor<?x64xf32>
        -> !lowbit.tensor<?x64xf32, #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none>>
    ```

    Example:

    ```
    quant-opt model.mlir --quantize-rtn="bits=8 group-size=-1 symmetric" \
        --quantize-activations="calibration=calib.npy range=percentile" -o w8a8.mlir
    ```
  }];
  let options = !listconcat([
    Option<"bits", "bits", "int64_t", "8", "Bits of a code, 2 to 8">,
    Option<"granularity", "granularity", "std::string", "\"\"",
           "What shares a scale: group (of the weight), row (token) or tensor; "
           "group by default, tensor if scales are static">,
    Option<"isStatic", "static", "bool", "false",
           "Find scales on calibration data; implied by calibration">,
    Option<"format", "format", "std::string", "\"\"",
           "What static activations are stored in, if not integers of so many "
           "bits: a format with one scale for the tensor, as IR spells it">,
    Option<"orFormat", "or-format", "std::string", "\"\"",
           "A second such format: each input takes the one with the smaller "
           "error">,
    Option<"range", "range", "std::string", "\"\"",
           "What static codes span: minmax, average, percentile, entropy, mse or "
           "sigma; by default minmax, but sigma if the format has outliers">,
    Option<"percentile", "percentile", "double", "99.99",
           "With range=percentile: the one that ranges end at, above 50 and up "
           "to 100">,
    Option<"include", "include", "std::string", "\"\"",
           "Regular expression: names of the nodes to take">,
    Option<"exclude", "exclude", "std::string", "\"\"",
           "Regular expression: names of the nodes to leave">,
    Option<"threads", "threads", "unsigned", "0",
           "Threads to calibrate with; 0 takes all processors. Results do not "
           "depend on it">
  ], dataOptions);
  let statistics = [
    Statistic<"numMatmuls", "num-matmuls", "Number of matmuls whose input is quantized">,
    Statistic<"numQuantized", "num-quantized", "Number of inputs quantized">
  ];
}

def SplitStaticOutliers : LayerPass<"split-static-outliers"> {
  let summary = "Cut input channels with outliers out of linear layers";
  let description = [{
    Runs the float model on calibration data, and cuts each linear layer in two:
    the input channels that ever held an `|x| >= threshold` become a layer of
    their own, whose weight stays float, whatever quantizes the rest. Outputs do
    not change. This is the mixed-precision decomposition of LLM.int8() (Dettmers
    et al. 2022, arXiv 2208.07339) with a set of channels that is fixed when the
    model is compiled: `--split-dynamic-outliers` finds it anew in each run.

    Layers that read the same tensor share its parts. Layers without such channels
    stay as they are. The head is left out unless `head`. The data is given as for
    `--gptq`. A threshold of 0 is an error where it would leave no channel.

    Before:

    ```mlir
    %y = onnx.MatMul(%x, %w) : (tensor<?x64xf32>, tensor<64x96xf32>) -> tensor<?x96xf32>
    ```

    After, if channels 3 and 17 hold outliers:

    ```mlir
    %rest = onnx.Where(%others, %x, %zero) : (tensor<64xi1>, tensor<?x64xf32>, tensor<f32>) -> tensor<?x64xf32>
    %part = onnx.Gather(%x, %channels) {axis = -1 : i64} : (tensor<?x64xf32>, tensor<2xi64>) -> tensor<?x2xf32>
    %0 = onnx.MatMul(%rest, %w_rest) : (tensor<?x64xf32>, tensor<64x96xf32>) -> tensor<?x96xf32>
    %1 = onnx.MatMul(%part, %w_part) {lowbit.format = "float"} : (tensor<?x2xf32>, tensor<2x96xf32>) -> tensor<?x96xf32>
    %y = onnx.Add(%0, %1) : (tensor<?x96xf32>, tensor<?x96xf32>) -> tensor<?x96xf32>
    ```

    Example:

    ```
    quant-opt model.mlir --split-static-outliers="calibration=calib.npy" \\
        --quantize-rtn="bits=8 symmetric group-size=-1" --quantize-activations="granularity=row" -o model-int8.mlir
    ```
  }];
  let options = !listconcat(calibrationOptions, [
    Option<"threshold", "threshold", "double", "6.0",
           "Least magnitude of an outlier; 0 or more, or inf">,
    Option<"include", "include", "std::string", "",
           "Cut only layers whose name matches this regular expression">,
    Option<"exclude", "exclude", "std::string", "",
           "Leave layers whose name matches this regular expression as they are">,
    Option<"head", "head", "bool", "false",
           "Cut the last linear layer, which makes the output, too">,
    Option<"threads", "threads", "unsigned", "0",
           "Threads to work with; 0 takes all processors. Results do not depend "
           "on it">
  ]);
  let statistics = [
    Statistic<"numLayers", "layers", "Layers that were cut">,
    Statistic<"numChannels", "channels", "Channels that were cut out of them">
  ];
}

def NormalizeKeyChannels : LayerPass<"normalize-key-channels"> {
  let summary = "Bring the channels of cached keys to one range";
  let description = [{
    For decoders with a KV cache. Runs the float model on calibration data, and
    finds the range [lo, hi] of each channel of each head of the keys. Then keys
    are cached as `(k - (lo + hi) / 2) / ((hi - lo) / 2)`, and queries are
    multiplied by `(hi - lo) / 2`. Scores of attention do not change but for a
    number that all keys of a query share, which softmax does not see.

    So a cache that is stored in few bits, with a scale for each token and head,
    has scales and zero points for each channel of the keys as well: keys have
    channels that are much larger than others, at every token (KIVI, Liu et al.
    2024, arXiv 2402.02750). Those of channels are constants, so that a new token
    never changes what is stored of earlier ones, and none has to wait in floats
    until a group of tokens is complete.

    Only `onnx.Attention` with past keys in an argument and present ones in a
    result is changed. Where scores are capped, keys are only scaled. It is an
    error if there is no such cache. Other programs that fill or read the cache
    find its new contents there.

    Before:

    ```mlir
    %y:4 = onnx.Attention(%q, %k, %v, %mask, %past_k, %past_v, %none) : ...
    ```

    After:

    ```mlir
    %0 = onnx.Sub(%k, %middle) : (tensor<?x2x?x64xf32>, tensor<2x1x64xf32>) -> tensor<?x2x?x64xf32>
    %1 = onnx.Mul(%0, %inverse) : (tensor<?x2x?x64xf32>, tensor<2x1x64xf32>) -> tensor<?x2x?x64xf32>
    %2 = onnx.Mul(%q, %half) : (tensor<?x8x?x64xf32>, tensor<8x1x64xf32>) -> tensor<?x8x?x64xf32>
    %y:4 = onnx.Attention(%2, %1, %v, %mask, %past_k, %past_v, %none) : ...
    ```

    Example:

    ```
    quant-opt decoder.mlir --normalize-key-channels="calibration=calib.npy" -o normalized.mlir
    quant-compile normalized.mlir --kv-cache=int4 -o model.so
    ```
  }];
  let options = !listconcat(calibrationOptions, [
    Option<"threads", "threads", "unsigned", "0",
           "Threads to work with; 0 takes all processors. Results do not depend "
           "on it">
  ]);
  let statistics = [
    Statistic<"numCaches", "caches", "Caches of keys that were normalized">
  ];
}

def QuantizeRtn : QuantizingPass<"quantize-rtn"> {
  let summary = "Round the weights of linear layers to the nearest codes";
  let description = [{
    Replaces every quantizable linear layer with a constant weight by
    `lowbit.matmul` with a `lowbit.constant` in the format that the options
    describe. Needs no data. Layers are named by their locations; `include` and `exclude` select
    among them. The last linear layer, whose output is the function's result, and
    embeddings stay float unless `head` and `embeddings` ask for them.

    Where `--assign-formats` has run, its choices come first: a layer with a format
    gets that, be it the head or an embedding, and a layer that is to stay float
    does. The options are for the layers of which it says nothing.

    Formats that search for their parameters, such as those of GGML, weigh errors
    by what `--collect-importance` found, where it has run.

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

    With `or-format` each layer is rounded in two formats and keeps the one in
    which `||w - w'||` is smaller, the first one if they are equal.

    `--olive` is this pass with the defaults of OliVe (Guo et al. 2023, arXiv
    2304.07493) for weights: outlier-victim pairs with a scale for each output
    channel, of four bits around `int4` or `flint4`, whichever suits a layer, or
    of eight around `int8`.

    ```
    quant-opt model.mlir --olive -o model-int4.mlir
    quant-opt model.mlir --olive="bits=8 head" -o model-int8.mlir
    ```
  }];
  let options = !listconcat(formatOptions, layerOptions, [
    Option<"orFormat", "or-format", "std::string", "\"\"",
           "A second format, spelled as the first one: each layer without an "
           "assigned format takes the one with the smaller error">
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
  ], layerOptions);
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

def QuantizeEasyQuant : QuantizingPass<"quantize-easyquant"> {
  let summary = "Keep outliers of linear layers, and fit scales to the rest";
  let description = [{
    Like `--quantize-rtn`, but stores the weights that are farthest from the mean of
    their layer apart, in `#lowbit.sparse_outliers`, and fits the scales of the rest
    to the weights (EasyQuant, Tang et al. 2023). Needs no data. Outliers are the
    weights that are farther from the mean than `sigma` standard deviations, but at
    most the part `fraction` of a layer: then the farthest ones. The range of a
    group does not contain its outliers. Then the nearest codes for the scale and
    the best scale for the codes, sum(w c) / sum(c c), are found in turn until the
    sum of squared errors no longer falls.

    Works with formats that have scales; `format` may also be a
    `#lowbit.sparse_outliers`, whose number of outliers is ignored.

    `--easyquant` is this pass with the defaults of the published method: symmetric
    codes with a scale for each output channel.

    Example:

    ```
    quant-opt model.mlir --easyquant -o model-int4.mlir
    quant-opt model.mlir --quantize-easyquant='format="#lowbit.codebook<nf4, group = [1, 64], scale = f16>" fraction=0.005' -o model-nf4.mlir
    ```
  }];
  let options = !listconcat(formatOptions, layerOptions, [
    Option<"sigma", "sigma", "double", "2.5",
           "Standard deviations from the mean beyond which weights are outliers">,
    Option<"fraction", "fraction", "double", "0.01",
           "The part of a layer that outliers may be, from 0 to 1">,
    Option<"outlierType", "outlier-type", "std::string", "\"f16\"",
           "How outliers are stored: f16, bf16 or f32">,
    Option<"iterations", "iterations", "int64_t", "100",
           "How often at most a scale is fitted to the codes">
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

    `calibration` names a file. A `.npy` file holds samples for the model's only
    main input: int32 or int64 token windows [samples, length] for a language
    model. A `.npz` file holds arrays for inputs by their names, whose first axis
    is that of the samples. Text is made windows of `length` tokens with a
    `tokenizer`, by the Python package. Without data a language model makes its
    own; a remark says so.

    Processes that mpirun starts share the samples; the result is the same to the
    bit as that of one.

    Inputs of a layer come from the quantized layers before it: the sequential
    mode that the authors call true. `inputs=block` is their default.

    Afterwards each scale is fitted to its codes, and each code chosen anew with
    all others fixed, in `refinements` passes.

    With `error-propagation` a layer does not take the errors in its inputs as
    they are: before it is coded, its weights move that part of the way (1: all
    of it) to those whose output on these inputs comes nearest to the float
    model's output, and, where the output is added to the residual stream, to the
    float model's sum (quantization error propagation, Arai and Ichikawa 2025,
    arXiv 2504.09629, which makes up for errors in inputs; 0.5 there). The float
    model runs beside the quantized one then: calibration takes twice the time
    and memory. At 4 bits and fewer this gains a lot.

    Weights that are zero, such as those that `--prune` set to zero, stay so, as
    far as the format has a zero; `keep-zeros=false` codes them like all others.
    With `sparsity` or `pattern` the pass prunes by itself, jointly with the
    rounding, as SparseGPT does: see `--prune`.

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
    quant-opt model.mlir --gptq="calibration=wiki.txt tokenizer=tokenizer.json samples=128 length=2048" -o model-int4.mlir
    mpirun -n 4 quant-opt model.mlir --gptq="calibration=calib.npy" -o model-int4.mlir
    ```
  }];
  let options = !listconcat(formatOptions, layerOptions, calibrationOptions,
                            inputOptions, propagationOptions, [
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
    Option<"keepZeros", "keep-zeros", "bool", "true",
           "Code weights that are zero as zeros, so that pruned ones stay so">,
    Option<"sparsity", "sparsity", "double", "0",
           "The part of the weights to prune in the same walk, from 0 to 1">,
    Option<"pattern", "pattern", "std::string", "\"\"",
           "N:M prunes all but N of every M weights, instead of a part">,
    Option<"state", "state", "std::string", "",
           "A folder for finished layers, to resume an interrupted run from">
  ]);
  let statistics = [
    Statistic<"numLayers", "layers", "Layers that were quantized">
  ];
}

def QuantizeSpqr : QuantizingPass<"quantize-spqr"> {
  let summary = "Round with error feedback, and keep what would cost too much";
  let description = [{
    Like `--gptq`, but stores weights whose rounding would change the layer's
    output too much apart, in `#lowbit.sparse_outliers` (SpQR, Dettmers et al.
    2023, arXiv 2306.03078). The cost of an error is its square, divided by U_kk²
    of GPTQ; a weight is an outlier if that is more than `threshold` times the
    mean of Var(W[:, k]) / U_kk² over all columns. Outliers make no error that the
    columns behind them have to absorb.

    So that they do not widen the range of a group either, its scale and zero
    point are fitted when it is reached without those of its weights without which
    the other ones would be that much better off. This takes a format with a scale
    for groups of one row; with `simplified`, groups are fitted to all of their
    weights, and any format serves.

    `error-propagation` is that of `--gptq`.

    `--spqr` is this pass with the defaults of the published method: groups of
    16, scales and zero points of 16 rows quantized again to 3 bits, a damping of
    1 and the columns with the largest activations first.

    Example:

    ```
    quant-opt model.mlir --spqr="bits=3 calibration=calib.npy" -o model-int3.mlir
    quant-opt model.mlir --quantize-spqr="bits=4 group-size=64 calibration=calib.npy report=-" -o model-int4.mlir
    ```
  }];
  let options = !listconcat(formatOptions, layerOptions, calibrationOptions,
                            inputOptions, propagationOptions, [
    Option<"threshold", "threshold", "double", "0.2",
           "The cost from which on a weight is an outlier, from 0 on; inf for no "
           "outliers">,
    Option<"simplified", "simplified", "bool", "false",
           "Fit the parameters of groups to all weights, outliers among them">,
    Option<"outlierType", "outlier-type", "std::string", "\"f16\"",
           "How outliers are stored: f16, bf16 or f32">,
    Option<"actOrder", "act-order", "bool", "false",
           "Code the input channels in the order of their importance">,
    Option<"damping", "damping", "double", "1",
           "Added to the diagonal of the Hessian, relative to its mean">,
    Option<"blockSize", "block-size", "int64_t", "128",
           "Columns that are coded between two updates of the rest">,
    Option<"state", "state", "std::string", "",
           "A folder for finished layers, to resume an interrupted run from">
  ]);
  let statistics = [
    Statistic<"numLayers", "layers", "Layers that were quantized">
  ];
}

def Prune : LayerPass<"prune"> {
  let summary = "Set the least weights of linear layers to zero";
  let description = [{
    `sparsity` is the part of the weights that becomes zero. `pattern=N:M` keeps N
    weights of every M that follow each other along the input channels instead;
    2:4 is what sparse tensor cores take. `method` says which weights go:

    - `magnitude`, those nearest to zero: of each layer, or, with `scope=global`,
      of all layers together, so that layers with small weights lose more. Needs
      no data.
    - `wanda`, those with the least |w| ||x||, where x are the inputs of their
      channel: of each row by itself (Sun et al. 2023, arXiv 2306.11695).
    - `sparsegpt`, those with the least w² / U_kk² with U of GPTQ: of each 128
      columns of a layer together. The columns that follow make up for what is
      missing, so weights that stay change, too (Frantar and Alistarh 2023, arXiv
      2301.00774).

    The last two run the model on calibration data, which is given as for
    `--gptq`; inputs of a layer come from layers that are pruned already, or as
    `inputs` says. They prune a weight that several layers share for each of them,
    magnitude once. Of weights that cost the same the first are set to zero, or
    kept by a pattern.

    Weights stay float and are written as such, so that any solver can follow;
    zeros remain zeros in formats that represent them, with `--gptq`, too.
    `#lowbit.n_of_m` stores a
    pattern, `#lowbit.sparse_outliers` what a high sparsity leaves.

    Before:

    ```mlir
    %w = onnx.Constant dense<[[1.0], [-4.0], [3.0], [2.0]]> : tensor<4x1xf32>
    ```

    After (`pattern=2:4`):

    ```mlir
    %w = onnx.Constant dense<[[0.0], [-4.0], [3.0], [0.0]]> : tensor<4x1xf32>
    ```

    Example:

    ```
    quant-opt model.mlir --prune="sparsity=0.5" -o model-half.mlir
    quant-opt model.mlir --prune="method=sparsegpt calibration=calib.npy" --gptq="calibration=calib.npy" -o model-half-int4.mlir
    quant-opt model.mlir --prune="pattern=2:4 exclude=down_proj" --quantize-rtn=symmetric -o model-2of4.mlir
    ```
  }];
  let options = !listconcat(calibrationOptions, inputOptions, [
    Option<"method", "method", "std::string", "\"magnitude\"",
           "What makes a weight matter: magnitude, wanda or sparsegpt">,
    Option<"sparsity", "sparsity", "double", "0.5",
           "The part of the weights that becomes zero, from 0 to 1">,
    Option<"scope", "scope", "std::string", "\"layer\"",
           "With method=magnitude, what the part is of: layer (each by itself) or "
           "global (all)">,
    Option<"pattern", "pattern", "std::string", "\"\"",
           "N:M keeps N of every M weights, instead of a part of all">,
    Option<"include", "include", "std::string", "",
           "Prune only layers whose name matches this regular expression">,
    Option<"exclude", "exclude", "std::string", "",
           "Leave layers whose name matches this regular expression as they are">,
    Option<"head", "head", "bool", "false",
           "Prune the last linear layer, which makes the output, too">,
    Option<"embeddings", "embeddings", "bool", "false",
           "Prune embedding tables, too; only by magnitude">,
    Option<"damping", "damping", "double", "0.01",
           "With method=sparsegpt: added to the diagonal of the Hessian, relative "
           "to its mean">,
    Option<"threads", "threads", "unsigned", "0",
           "Threads to work with; 0 takes all processors. Results do not depend "
           "on it">
  ]);
  let statistics = [
    Statistic<"numWeights", "weights", "Weights that were pruned">
  ];
}

#endif // LOWBIT_CALIBRATION_PASSES_TD
