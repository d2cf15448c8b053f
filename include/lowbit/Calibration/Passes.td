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

/// What all passes that quantize weights to a uniform format have in common.
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
    Option<"bits", "bits", "unsigned", "4", "Bits of a code, 2 to 8">,
    Option<"groupSize", "group-size", "int64_t", "128",
           "Input channels that share a scale; -1 for whole rows">,
    Option<"symmetric", "symmetric", "bool", "false",
           "Signed codes without zero points">,
    Option<"scaleType", "scale-type", "std::string", "\"f16\"",
           "How scales are stored: f16, bf16 or f32">,
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
    `lowbit.matmul` with a `lowbit.constant` in a `#lowbit.uniform` format. Needs
    no data. Layers are named by their locations; `include` and `exclude` select
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

#endif // LOWBIT_CALIBRATION_PASSES_TD
