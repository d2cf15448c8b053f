// Where the inputs of layers come from. A block's second layer sees what the first one makes as a float layer, and the
// second block what the first one makes as it was quantized.

// RUN: quant-opt %s --gptq="bits=2 group-size=4 calibration=%S/Inputs/tokens.npy" -o %t.layer.mlir
// RUN: quant-opt %s --gptq="bits=2 group-size=4 inputs=block calibration=%S/Inputs/tokens.npy" -o %t.block.mlir
// RUN: quant-opt %s --gptq="bits=2 group-size=4 inputs=float calibration=%S/Inputs/tokens.npy" -o %t.float.mlir
// RUN: %python %S/Inputs/compare_codes.py %t.layer.mlir %t.block.mlir %t.float.mlir | FileCheck %s
// One token is enough.
// RUN: %python -c "import numpy; numpy.save(r'%t.npy', numpy.zeros((1, 1), numpy.int32))"
// RUN: quant-opt %s --gptq="bits=2 group-size=4 inputs=block calibration=%t.npy" | FileCheck %s --check-prefix=ONE
// RUN: quant-opt %s --spqr="calibration=%t.npy" | FileCheck %s --check-prefix=ONE
// RUN: %python -c "import numpy; numpy.save(r'%t.npy', numpy.array([[0, -1]], numpy.int32))"
// RUN: not quant-opt %s --prune="method=sparsegpt calibration=%t.npy" 2>&1 | FileCheck %s --check-prefix=NEGATIVE

// CHECK: layer 0: the same, the same
// CHECK-NEXT: layer 1: others, the same
// CHECK-NEXT: layer 2: others, others
// CHECK-NEXT: layer 3: others, others
// ONE-COUNT-4: lowbit.matmul
// NEGATIVE: error: calibration file '{{.*}}.npy': token -1 in sample 0 is outside the vocabulary of 6
func.func @model(%tokens: tensor<?x?xi64> {onnx.name = "input_ids"}) -> (tensor<?x?x8xf32> {onnx.name = "logits"}) {
  %table = onnx.Constant dense<[[0.1, -0.4, 0.3, 0.9, -0.2, 0.5, 0.6, -1.0], [1.1, 0.2, -0.3, 0.4, 0.8, -0.9, 0.7, 0.3], [-0.6, 0.5, 0.4, -0.3, 0.2, 0.1, 0.9, -0.8], [0.7, 0.6, -0.5, 0.4, -0.3, 0.2, -0.1, 0.2], [-1.2, 0.1, 0.3, 0.5, 0.7, -0.9, 0.2, 0.4], [0.3, 0.3, 0.9, -0.9, 0.1, 0.6, -0.4, 0.8]]> : tensor<6x8xf32>
  %x = onnx.Gather(%table, %tokens) {axis = 0 : i64} : (tensor<6x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %gain = onnx.Constant dense<[1.0, 0.5, 2.0, 1.5, 0.75, 1.25, 0.5, 1.0]> : tensor<8xf32>
  %wu = onnx.Constant dense<[[0.9, 0.1, -0.3, 0.2, 0.7, -0.2, 0.5, 0.1], [0.4, -0.5, 0.6, 0.7, -0.3, 0.4, 0.9, -0.6], [-0.8, 0.9, 0.2, -0.1, 0.8, 0.1, -0.2, 0.7], [0.3, 0.5, -0.7, 0.9, 0.5, -0.6, 0.3, -0.4], [0.2, -0.4, 0.6, -0.8, 0.9, 0.2, 0.4, 0.6], [0.1, 0.3, 0.5, 0.7, -0.1, 0.3, -0.7, 0.5], [-0.9, 0.7, -0.5, 0.3, 0.4, 0.6, 0.1, -0.9], [0.6, 0.2, 0.8, -0.4, 0.2, 0.8, -0.1, 0.6]]> : tensor<8x8xf32>
  %wd = onnx.Constant dense<[[0.1, 0.5, -0.3, 0.7, 0.2, -0.6, 0.4, 0.8], [0.9, -0.1, 0.3, 0.5, -0.7, 0.2, 0.6, -0.4], [-0.2, 0.6, 0.8, -0.4, 0.1, 0.3, -0.5, 0.7], [0.4, 0.2, -0.6, 0.8, 0.5, -0.9, 0.1, 0.3], [0.3, -0.2, 0.5, 0.1, 0.7, -0.4, 0.6, 0.8], [-0.1, 0.3, -0.5, 0.2, -0.7, 0.4, 0.2, 0.9], [0.1, -0.6, 0.5, -0.3, 0.8, -0.2, 0.4, 0.6], [0.1, 0.7, -0.9, 0.3, 0.2, -0.5, 0.8, -0.6]]> : tensor<8x8xf32>
  %n0 = onnx.RMSNormalization(%x, %gain) : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  %u0 = onnx.MatMul(%n0, %wu) : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32> loc("up0")
  %a0 = onnx.Relu(%u0) : (tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %d0 = onnx.MatMul(%a0, %wd) : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32> loc("down0")
  %h0 = onnx.Add(%x, %d0) : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %n1 = onnx.RMSNormalization(%h0, %gain) : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  %u1 = onnx.MatMul(%n1, %wd) : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32> loc("up1")
  %a1 = onnx.Relu(%u1) : (tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %d1 = onnx.MatMul(%a1, %wu) : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32> loc("down1")
  %h1 = onnx.Add(%h0, %d1) : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %n2 = onnx.RMSNormalization(%h1, %gain) : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  %logits = onnx.MatMul(%n2, %wu) : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32> loc("head")
  return %logits : tensor<?x?x8xf32>
}
