// Pruning by Wanda and SparseGPT, and quantization that keeps what was pruned.

// RUN: quant-opt %s --prune="method=wanda pattern=2:4 calibration=%S/Inputs/tokens.npy" -o %t.wanda.mlir
// RUN: %python %S/Inputs/count_zeros.py %t.wanda.mlir 2:4 | FileCheck %s --check-prefix=PATTERN
// RUN: quant-opt %s --prune="method=sparsegpt pattern=2:4 calibration=%S/Inputs/tokens.npy" -o %t.gpt.mlir
// RUN: %python %S/Inputs/count_zeros.py %t.gpt.mlir 2:4 | FileCheck %s --check-prefix=PATTERN
// RUN: not diff %t.wanda.mlir %t.gpt.mlir
// RUN: quant-opt %s --prune="method=wanda sparsity=0.25 calibration=%S/Inputs/tokens.npy head" -o %t.part.mlir
// RUN: %python %S/Inputs/count_zeros.py %t.part.mlir | FileCheck %s --check-prefix=PART
// RUN: quant-opt %s --prune="method=sparsegpt sparsity=0.25 calibration=%S/Inputs/tokens.npy head" -o %t.part.mlir
// RUN: %python %S/Inputs/count_zeros.py %t.part.mlir | FileCheck %s --check-prefix=PART
// Without data the model makes its own.
// RUN: quant-opt %s --prune="method=wanda samples=3 length=6" 2>&1 | FileCheck %s --check-prefix=REMARK
// The same with any number of threads.
// RUN: quant-opt %s --prune="method=sparsegpt calibration=%S/Inputs/tokens.npy threads=1" -o %t.one.mlir
// RUN: quant-opt %s --prune="method=sparsegpt calibration=%S/Inputs/tokens.npy threads=3" -o %t.three.mlir
// RUN: diff %t.one.mlir %t.three.mlir

// What was pruned stays so, or does not.
// RUN: quant-opt %t.gpt.mlir --gptq="group-size=4 calibration=%S/Inputs/tokens.npy" --convert-formats=to=f32 -o %t.kept.mlir
// RUN: %python %S/Inputs/count_zeros.py %t.kept.mlir 2:4 | FileCheck %s --check-prefix=KEPT
// RUN: quant-opt %t.gpt.mlir --gptq="bits=8 group-size=4 keep-zeros=false inputs=float calibration=%S/Inputs/tokens.npy" --convert-formats=to=f32 -o %t.filled.mlir
// RUN: not %python %S/Inputs/count_zeros.py %t.filled.mlir 2:4
// Both in one walk.
// RUN: quant-opt %s --gptq="group-size=4 pattern=2:4 calibration=%S/Inputs/tokens.npy" --convert-formats=to=f32 -o %t.joint.mlir
// RUN: %python %S/Inputs/count_zeros.py %t.joint.mlir 2:4 | FileCheck %s --check-prefix=KEPT
// RUN: quant-opt %s --gptq="bits=8 sparsity=0.5 act-order calibration=%S/Inputs/tokens.npy" | FileCheck %s --check-prefix=JOINT
// The format of 2 of 4 takes what the pruning has left.
// RUN: quant-opt %t.gpt.mlir --gptq='format="#lowbit.n_of_m<2:4, values = #lowbit.uniform<s4, group = [1, 2], scale = f16, zero = none>>" calibration=%S/Inputs/tokens.npy' --convert-formats=to=f32 -o %t.stored.mlir
// RUN: %python %S/Inputs/count_zeros.py %t.stored.mlir 2:4 %t.gpt.mlir | FileCheck %s --check-prefix=KEPT

// PATTERN: query 16 of 32
// PATTERN: key 16 of 32
// PATTERN: up 16 of 32
// KEPT: query {{[0-9]+}} of 32
// KEPT: key
// KEPT: up
// PART: query 8 of 32
// PART: key 8 of 32
// PART: up 8 of 32
// PART: head 12 of 48
// REMARK: remark: no calibration data given: the model generated 3 samples of 6 tokens (seed 0)
// JOINT-COUNT-3: lowbit.matmul
func.func @model(%tokens: tensor<?x?xi64> {onnx.name = "input_ids"}) -> (tensor<?x?x6xf32> {onnx.name = "logits"}) {
  %table = onnx.Constant dense<[[0.1, -0.4, 0.3, 0.9, -0.2, 0.5, 0.6, -1.0], [1.1, 0.2, -0.3, 0.4, 0.8, -0.9, 0.7, 0.3], [-0.6, 0.5, 0.4, -0.3, 0.2, 0.1, 0.9, -0.8], [0.7, 0.6, -0.5, 0.4, -0.3, 0.2, -0.1, 0.2], [-1.2, 0.1, 0.3, 0.5, 0.7, -0.9, 0.2, 0.4], [0.3, 0.3, 0.9, -0.9, 0.1, 0.6, -0.4, 0.8]]> : tensor<6x8xf32>
  %x = onnx.Gather(%table, %tokens) {axis = 0 : i64} : (tensor<6x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32> loc("embedding")
  %wq = onnx.Constant dense<[[0.9, 0.1, -0.3, 0.2], [0.4, -0.5, 0.6, 0.7], [-0.8, 0.9, 0.2, -0.1], [0.3, 0.5, -0.7, 0.9], [0.2, -0.4, 0.6, -0.8], [0.1, 0.3, 0.5, 0.7], [-0.9, 0.7, -0.5, 0.3], [0.6, 0.2, 0.8, -0.4]]> : tensor<8x4xf32>
  %q = onnx.MatMul(%x, %wq) : (tensor<?x?x8xf32>, tensor<8x4xf32>) -> tensor<?x?x4xf32> loc("query")
  %wk = onnx.Constant dense<[[0.2, 0.8, -0.1, 0.6], [0.7, -0.2, 0.5, 0.1], [-0.3, 0.4, 0.9, -0.6], [0.8, 0.1, -0.2, 0.7], [0.5, -0.6, 0.3, -0.4], [0.9, 0.2, 0.4, 0.6], [-0.1, 0.3, -0.7, 0.5], [0.4, 0.6, 0.1, -0.9]]> : tensor<8x4xf32>
  %k = onnx.MatMul(%x, %wk) : (tensor<?x?x8xf32>, tensor<8x4xf32>) -> tensor<?x?x4xf32> loc("key")
  %sum = onnx.Add(%q, %k) : (tensor<?x?x4xf32>, tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %act = onnx.Relu(%sum) : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %wu = onnx.Constant dense<[[0.1, 0.5, -0.3, 0.7, 0.2, -0.6, 0.4, 0.8], [0.9, -0.1, 0.3, 0.5, -0.7, 0.2, 0.6, -0.4], [-0.2, 0.6, 0.8, -0.4, 0.1, 0.3, -0.5, 0.7], [0.4, 0.2, -0.6, 0.8, 0.5, -0.9, 0.1, 0.3]]> : tensor<4x8xf32>
  %u = onnx.MatMul(%act, %wu) : (tensor<?x?x4xf32>, tensor<4x8xf32>) -> tensor<?x?x8xf32> loc("up")
  %h = onnx.Add(%u, %x) : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %wh = onnx.Constant dense<[[0.3, -0.2, 0.5, 0.1, 0.7, -0.4], [0.6, 0.8, -0.1, 0.3, -0.5, 0.2], [-0.7, 0.4, 0.2, 0.9, 0.1, -0.6], [0.5, -0.3, 0.8, -0.2, 0.4, 0.6], [0.1, 0.7, -0.9, 0.3, 0.2, -0.5], [0.8, -0.6, 0.4, 0.2, -0.1, 0.3], [-0.4, 0.5, 0.1, -0.7, 0.9, 0.2], [0.2, 0.1, 0.6, -0.8, 0.3, 0.4]]> : tensor<8x6xf32>
  %logits = onnx.MatMul(%h, %wh) : (tensor<?x?x8xf32>, tensor<8x6xf32>) -> tensor<?x?x6xf32> loc("head")
  return %logits : tensor<?x?x6xf32>
}
