//===- Passes.td - passes on the lowbit dialect ------------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_TRANSFORMS_PASSES_TD
#define LOWBIT_DIALECT_LOWBIT_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowbitSplitOutliers : Pass<"lowbit-split-outliers"> {
  let summary = "Make products with dense and sparse weights two";
  let description = [{
    Replaces every `lowbit.matmul` whose weight's format is the sum of a dense and
    a sparse matrix by one with the dense matrix, for which there may be a kernel,
    and a `lowbit.sparse_matmul` that adds the rest. Inputs that are quantized are
    dequantized for the latter. Fails if the stored outliers are not in order or
    out of range.

    Before:

    ```mlir
    %y = lowbit.matmul %x, %w : (tensor<?x64xf32>, !lowbit.tensor<96x64xf32,
        #lowbit.sparse_outliers<dense = #s4, count = 61, value = f16>>) -> tensor<?x96xf32>
    ```

    After:

    ```mlir
    %0 = lowbit.matmul %x, %dense
        : (tensor<?x64xf32>, !lowbit.tensor<96x64xf32, #s4>) -> tensor<?x96xf32>
    %y = lowbit.sparse_matmul %x, %offsets, %columns, %values add %0
        : tensor<?x64xf32>, tensor<97xi32>, tensor<61xi16>, tensor<61xf16>, tensor<?x96xf32>
    ```
  }];
  let statistics = [
    Statistic<"numSplit", "num-split", "Number of matmuls split">
  ];
}

def SplitDynamicOutliers : Pass<"split-dynamic-outliers"> {
  let summary = "Keep columns of activations with outliers in float";
  let description = [{
    Mixed-precision decomposition of LLM.int8() (Dettmers et al. 2022, arXiv
    2208.07339). In front of every `lowbit.dynamic_quantize` whose result only
    matmuls read, the columns of its input that hold any `|x| >= threshold`, in
    any row, are taken out: they are zeros where the scales of the rows are found
    and codes are multiplied, and are multiplied as floats with the same columns
    of the weight, decoded, instead. Which columns these are is found when the
    model runs, anew for the rows at hand. Without any, little more than the
    search for them is computed.

    Run it after what quantizes activations. Weights keep their format: there are
    no float copies of their columns (as in bitsandbytes; the paper keeps them in
    f16). A threshold of `inf` changes no result; with 0 activations stay floats.

    Before:

    ```mlir
    %q = lowbit.dynamic_quantize %x : tensor<?x64xf32> -> !lowbit.tensor<?x64xf32, #s8>
    %y = lowbit.matmul %q, %w
        : (!lowbit.tensor<?x64xf32, #s8>, !lowbit.tensor<96x64xf32, #w>) -> tensor<?x96xf32>
    ```

    After:

    ```mlir
    %columns = lowbit.find_outliers %x {threshold = 6.0 : f32} : tensor<?x64xf32> -> tensor<?xi32>
    %rest, %selected = lowbit.split_columns %x, %columns
        : tensor<?x64xf32>, tensor<?xi32> -> tensor<?x?xf32>
    %q = lowbit.dynamic_quantize %rest : tensor<?x64xf32> -> !lowbit.tensor<?x64xf32, #s8>
    %0 = lowbit.matmul %q, %w
        : (!lowbit.tensor<?x64xf32, #s8>, !lowbit.tensor<96x64xf32, #w>) -> tensor<?x96xf32>
    %y = lowbit.column_matmul %selected, %columns, %w add %0
        : tensor<?x?xf32>, tensor<?xi32>, !lowbit.tensor<96x64xf32, #w>, tensor<?x96xf32>
    ```
  }];
  let options = [
    Option<"threshold", "threshold", "double", "6.0",
           "Least magnitude of an outlier; 0 or more, or inf">
  ];
  let statistics = [
    Statistic<"numInputs", "num-inputs", "Number of inputs split">,
    Statistic<"numMatmuls", "num-matmuls", "Number of matmuls split">
  ];
}

def LowbitVerifyPhase : Pass<"lowbit-verify-phase"> {
  let summary = "Check what a phase of the pipeline may leave behind";
  let description = [{
    Stands between the phases of a pipeline and fails, naming every kind of
    operation that should be gone, with the first place where it stands:

    | phase       | what may exist                                             |
    | ----------- | ---------------------------------------------------------- |
    | `onnx`      | `onnx`, `func`                                             |
    | `quantized` | also `lowbit` on tensors                                   |
    | `linalg`    | upstream dialects on tensors, `lowbit.weight`, `lowbit.packed_matmul`, `lowbit.attention`, `lowbit.cache_append` |
    | `buffers`   | the same on buffers, but for the last; no tensors          |
    | `kernels`   | upstream dialects below `linalg` and `tensor`, `lowbit.weight` |
    | `ptx`       | the same, all code for GPUs in a `gpu.binary`              |
    | `llvm`      | `llvm`, and `gpu.binary`                                   |
  }];
  let options = [
    Option<"phase", "phase", "std::string", "\"\"",
           "The phase that has ended: onnx, quantized, linalg, buffers, kernels, "
           "ptx or llvm">
  ];
}

#endif // LOWBIT_DIALECT_LOWBIT_TRANSFORMS_PASSES_TD
