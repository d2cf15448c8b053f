// RUN: quant-opt %s --gptq="group-size=4 calibration=%S/Inputs/tokens.npy report=-" 2>%t.table | FileCheck %s
// RUN: FileCheck %s --check-prefix=TABLE --input-file=%t.table
// RUN: quant-opt %s --gptq="group-size=4 act-order calibration=%S/Inputs/tokens.npy" | FileCheck %s --check-prefix=ACT
// RUN: quant-opt %s --gptq='format="#lowbit.codebook<nf4, group = [1, 4], scale = f16>" calibration=%S/Inputs/tokens.npy' | FileCheck %s --check-prefix=NF4
// RUN: quant-opt %s --gptq="bits=3 symmetric act-order static-groups inputs=float head samples=2 calibration=%S/Inputs/tokens.npy" | FileCheck %s --check-prefix=STATIC
// The same with any number of threads and any size of a block.
// RUN: quant-opt %s --gptq="group-size=4 calibration=%S/Inputs/tokens.npy" -o %t.one.mlir
// RUN: quant-opt %s --gptq="group-size=4 calibration=%S/Inputs/tokens.npy threads=3 block-size=2" -o %t.two.mlir
// RUN: diff %t.one.mlir %t.two.mlir
// RUN: rm -rf %t.state
// Without data the model makes its own, always the same.
// RUN: quant-opt %s --gptq="group-size=4 samples=3 length=6 seed=5 state=%t.state" -o %t.three.mlir 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: quant-opt %s --gptq="group-size=4 samples=3 length=6 seed=5 state=%t.state" -o %t.four.mlir
// RUN: diff %t.three.mlir %t.four.mlir

// TABLE:      layer {{ *}}shape {{ *}}format {{ *}}bits/weight  weight error  output error  seconds
// TABLE-NEXT: query {{ *}}4x8 {{ *}}u4 [1, 4] f16 {{.*}} 0.{{[0-9]+ +}}0.{{[0-9]+ +}}
// TABLE-NEXT: key {{ *}}4x8
// TABLE-NEXT: up {{ *}}8x4
// TABLE-NEXT: 3 layers

// REMARK: remark: no calibration data given: the model generated 3 samples of 6 tokens (seed 5)

// CHECK-LABEL: func.func @model
// CHECK: lowbit.matmul %{{.*}}, %{{.*}} : (tensor<?x?x8xf32>, !lowbit.tensor<4x8xf32, #lowbit.uniform<u4, group = [1, 4], scale = f16, zero = u4>>) -> tensor<?x?x4xf32>
// CHECK: lowbit.matmul
// CHECK: lowbit.matmul
// CHECK: onnx.MatMul

// Without static groups the input is gathered in the order of coding.
// ACT: %[[ORDER:.*]] = onnx.Constant dense<[{{.*}}]> : tensor<8xi64>
// ACT: %[[X:.*]] = onnx.Gather(%{{.*}}, %[[ORDER]]) {axis = 2 : i64} : (tensor<?x?x8xf32>, tensor<8xi64>) -> tensor<?x?x8xf32>
// ACT: lowbit.matmul %[[X]]

// Any format is a target of the rounding.
// NF4-COUNT-3: lowbit.matmul {{.*}}#lowbit.codebook<nf4, group = [1, 4], scale = f16>

// STATIC-COUNT-4: lowbit.matmul {{.*}}#lowbit.uniform<s3, group = [1, 128], scale = f16, zero = none
// STATIC-NOT: onnx.MatMul
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
